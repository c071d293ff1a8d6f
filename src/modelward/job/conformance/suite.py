"""The checks, one a function: what is wrong as a sentence, or the empty string."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from modelward.api.form import KIND
from modelward.evaluate.port import ScoringReply
from modelward.evaluate.score_contract import CONTRACT, MAX_RECORDS
from modelward.evaluate.score_contract.replies import OTHER, scores
from modelward.job.conformance.client import TriedAnswer, TriedService
from modelward.job.conformance.records import ODD, record, without_text

MAX_LABELS = 32
SuiteCheck = Callable[[TriedService], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """One check, by what it asks for, and what is wrong; empty where it passed."""

    name: str
    fault: str


async def conformance(service: TriedService) -> list[CheckOutcome]:
    """Run every check; a service that does not answer its manifest is asked nothing else."""
    found = [CheckOutcome(_name(manifest), await manifest(service))]
    if found[0].fault:
        return found
    checks = [*CHECKS, *((only_signed,) if service.key else ())]
    return [*found, *[CheckOutcome(_name(check), await check(service)) for check in checks]]


def _name(check: SuiteCheck) -> str:
    return str(check.__doc__).strip().rstrip(".")


async def manifest(service: TriedService) -> str:
    """GET /v1/manifest names the contract, the evaluator, its version and its labels."""
    answer = await service.manifest()
    if answer.status != 200:
        return _said(answer)
    labels = _manifest(answer).get("labels", [])
    if _manifest(answer).get("contract") != CONTRACT:
        return f"contract is not {CONTRACT}"
    if not all(isinstance(_manifest(answer).get(key), str) and _manifest(answer)[key] for key in ("name", "version")):
        return "name or version is missing"
    if not isinstance(labels, list) or len(labels) > MAX_LABELS:
        return f"labels is no list of at most {MAX_LABELS}"
    wrong = [one for one in labels if not isinstance(one, str) or not re.fullmatch(KIND.pattern, one)]
    return f"{str(wrong[0])[:64]!r} is no label: {KIND.advice}" if wrong else ""


async def one_record(service: TriedService) -> str:
    """One record is answered once."""
    return await _all_answered(service, [record()])


async def a_full_batch(service: TriedService) -> str:
    """64 records are answered, each once, within 30 seconds."""
    return await _all_answered(service, [record(f"r-{number}") for number in range(MAX_RECORDS)])


async def no_record(service: TriedService) -> str:
    """No record at all gets an empty list of scores."""
    answer = await service.score([])
    return _said(answer) if answer.status != 200 else "" if b'"scores"' in answer.body else "scores is missing"


async def the_same_again(service: TriedService) -> str:
    """The same record gets the same score again, alone and among others."""
    others = [record(f"r-{number}", text) for number, text in enumerate(ODD.values(), 1)]
    alone, again = await service.score([record()]), await service.score([record()])
    among = await service.score([*others, record()])
    found = [_row(answer, "r-0") for answer in (alone, again, among)]
    return (
        ""
        if found[0] == found[1] == found[2]
        else f"{_shown(found[0])}, then {_shown(found[1])} and {_shown(found[2])}"
    )


async def odd_text(service: TriedService) -> str:
    """Odd text is answered: empty, endless, not Unicode, or an order to do something else."""
    for what, text in ODD.items():
        if fault := await _all_answered(service, [record("odd", text), record("usual")], failures=1):
            return f"{what}: {fault}"
    return ""


async def no_text(service: TriedService) -> str:
    """Records without text are answered, because an Evaluator may send metadata only."""
    return await _all_answered(service, [without_text("bare")], failures=1)


async def new_keys(service: TriedService) -> str:
    """Keys that came later are passed over, in the request and in a record."""
    added = {"added-later": {"deep": [1]}}
    answer = await service.score([{**record(), **added}], **added)
    return _answered(answer, ["r-0"])


async def bad_requests(service: TriedService) -> str:
    """What is no request is refused with a status of 400 to 499, and the service goes on."""
    for body in (b"", b"<html>", b"[]", b'{"contract": "score/v1"}', b"\xff\xfe", b"[" * 10_000):
        answer = await service.send(body)
        if not 400 <= answer.status < 500:
            return f"{body[:20]!r}: {_said(answer)}"
    return await one_record(service)


async def other_contract(service: TriedService) -> str:
    """Another contract is refused with a status of 400 to 499."""
    answer = await service.score([record()], contract="score/v9")
    return "" if 400 <= answer.status < 500 else _said(answer)


async def listed_labels(service: TriedService) -> str:
    """Every label is one that the manifest lists: others are shown as `other`, since they may be text."""
    listed = frozenset(_manifest(await service.manifest()).get("labels", []))
    records = [record(f"r-{number}", text) for number, text in enumerate(ODD.values())]
    answer = await service.score(records)
    found = scores(ScoringReply(answer.status, answer.body), [one["id"] for one in records], listed)
    return "" if all(one.label != OTHER for one in found.values()) else "a label that the manifest does not list"


async def only_signed(service: TriedService) -> str:
    """A request that is not signed with the key is refused."""
    body = json.dumps({"contract": CONTRACT, "records": [record()]}).encode()
    answer = await service.send(body, signed=False)
    return "" if answer.status in (401, 403) else f"unsigned: {_said(answer)}; answer 401"


CHECKS: Sequence[SuiteCheck] = (
    one_record, a_full_batch, no_record, the_same_again, odd_text, no_text, new_keys, bad_requests, other_contract,
    listed_labels,
)  # fmt: skip


def _manifest(answer: TriedAnswer) -> dict[str, Any]:
    try:
        read = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


async def _all_answered(service: TriedService, records: Sequence[dict[str, Any]], failures: int = 0) -> str:
    """Return what is wrong with the scores; so many records may say of themselves that they failed."""
    return _answered(await service.score(list(records)), [one["id"] for one in records], failures)


def _answered(answer: TriedAnswer, ids: Sequence[str], failures: int = 0) -> str:
    if answer.status != 200:
        return _said(answer)
    found = scores(ScoringReply(answer.status, answer.body), ids, ())
    foreign = [row for row in answer.rows() if not isinstance(row, dict) or row.get("id") not in ids]
    failed = [one for one in found.values() if one.state == "Failed"]
    own = [one for one in failed if _row(answer, one.id).get("state") == "Failed"]
    broken = next((one for one in failed if one not in own), None)
    if broken:
        return f"record {broken.id}: {broken.label}"
    if foreign:
        return "a score for an id that was not asked"
    return f"{len(own)} of {len(ids)} records failed" if len(own) > failures else ""


def _row(answer: TriedAnswer, name: str) -> dict[str, Any]:
    return next((row for row in answer.rows() if isinstance(row, dict) and row.get("id") == name), {})


def _shown(row: dict[str, Any]) -> str:
    return " ".join(f"{key}={row[key]}" for key in ("state", "flagged", "value") if key in row) or "no score"


def _said(answer: TriedAnswer) -> str:
    return f"status {answer.status}" if answer.status else f"no answer: {answer.body.decode('ascii', 'replace')}"
