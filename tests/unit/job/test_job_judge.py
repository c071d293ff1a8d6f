"""Judges over real sockets: every way in which one fails is a failure with its cause, and never a pass."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from judge_server import Asked, JudgeServer, QuickPort, judge_server, likely, quick_port, said

from modelward.api.evaluation import AskedModel, WindowResult, result_from_json, result_to_json
from modelward.api.exchange import Exchange, Message
from modelward.api.run_plan import PlanItem
from modelward.desired.evaluators import EndpointAddress, EvaluatorBlock, ResolvedEvaluator
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.evaluate.kinds.judge import KIND
from modelward.evaluate.pool import pool
from modelward.evaluate.port import BudgetExhaustedError, PortError, PriceUnknownError, ScoringReply, ScoringRequest
from modelward.evaluate.rule import VerdictRule
from modelward.evaluate.score import Score
from modelward.evaluate.scoring import score, window_result
from modelward.evaluate.verdict import Verdict, decide

KNOWN = EvaluatorCatalogue({KIND.name: KIND})
BLOCK: dict[str, Any] = {
    "model": {"endpointRef": {"name": "judge-llm"}},
    "rubric": "Polite.",
    "labels": {"fault": ["rude"], "ok": ["polite"], "abstain": ["unsure"]},
    "readout": "Word",
    "deadlineSeconds": 5,
}


def resolved(server: JudgeServer, **changes: Any) -> ResolvedEvaluator:
    block = KNOWN.placed(EvaluatorBlock("judge", "brand", BLOCK | changes), {"judge-llm": EndpointAddress(server.url)})
    assert isinstance(block, EvaluatorBlock)
    found = KNOWN.resolve(block)
    assert isinstance(found, ResolvedEvaluator), found
    return found


def traffic(count: int, answer: str = "It is on its way.") -> list[Exchange]:
    return [
        Exchange(f"e{i}", i, "retail/bot", "m", "r1", "chat", 200, "ok", "Redacted",
                 (Message("user", f"Where is card {i}?"),), f"{answer} {i}")
        for i in range(count)
    ]  # fmt: skip


async def scored(
    server: JudgeServer, exchanges: Sequence[Exchange], port: QuickPort | None = None, **changes: Any
) -> tuple[list[Score], WindowResult]:
    judge = resolved(server, **changes)
    scorer = KNOWN.scorer(judge, port or quick_port(judge.pod.egress))
    item = PlanItem("bot", "baseline", "brand", "brand", judge.config, 0, 1_000, kind="judge")
    result, scores = await window_result(item, namespace="retail", run="run-1", evaluator=scorer, exchanges=exchanges)
    assert [one.id for one in scores] == [one.id for one in exchanges]
    assert result_from_json(result_to_json(result)) == result
    return scores, result


def verdict(result: WindowResult) -> Verdict:
    pooled = pool([result], revisions=["r1"], now_ms=1_000, over_ms=1_000)
    assert pooled.facts is not None
    return decide(pooled.counts, pooled.facts, VerdictRule(fail_above_ppm=100_000), missing=pooled.missing)


def by_record(asked: Asked) -> web.Response:
    """Judge by the number at the end of an answer: every fourth is rude, every eighth cannot be decided."""
    number = int(asked.record["answer"].split()[-1])
    label = "unsure" if number % 8 == 7 else "rude" if number % 4 == 0 else "polite"
    return said(f"{label}\nBecause of jane@example.com.")


async def test_every_exchange_counts_once_and_abstaining_is_no_failure() -> None:
    async with judge_server(by_record) as server:
        scores, result = await scored(server, traffic(40))
    counts = result.revisions["r1"]
    assert (counts.samples, counts.flagged, counts.abstained, counts.failed) == (35, 10, 5, 0)
    assert Counter(one.label for one in scores) == {"polite": 25, "rude": 10, "unsure": 5}
    assert {one.value for one in scores} == {0.0, 1.0, None}
    assert result.asked == AskedModel("stand-in", "Word", (), 40, 4_000, 200, 0)


async def test_a_reason_is_redacted_and_in_no_result() -> None:
    async with judge_server(by_record) as server:
        scores, result = await scored(server, traffic(4))
    assert all(one.explanation.startswith("Because of ") for one in scores)
    assert "jane@example.com" not in repr(scores)
    assert "Because" not in repr(result)


async def test_no_more_are_asked_at_once_than_the_judge_takes() -> None:
    gate = asyncio.Event()

    async def slow(asked: Asked) -> web.Response:
        if asked.number == 0:
            return said("polite")
        if server.now == 3:
            gate.set()
        await gate.wait()
        return said("polite")

    async with judge_server(slow) as server:
        scores, _ = await scored(server, traffic(20), concurrency=3)
    assert {one.state for one in scores} == {"Scored"}
    assert server.most_at_once == 3


async def test_an_uncalibrated_judge_never_alerts() -> None:
    async with judge_server(lambda _: said("rude")) as server:
        _, result = await scored(server, traffic(200))
    found = verdict(result)
    assert (found.verdict, found.reason) == ("Unknown", "NotCalibrated")
    assert "brand judge/1+" in found.message


FAULTS = [
    (lambda _: web.Response(text="<html>down</html>", content_type="text/html"), "not-json"),
    (lambda _: web.Response(text='{"choices": [{"message": {"content": NaN}}]}'), "not-json"),
    (lambda _: said("great"), "foreign-label"),
    (lambda _: said(""), "empty"),
    (lambda _: said("pol", finish="length"), "truncated"),
    (lambda _: web.Response(status=401, text="who are you"), "HTTP 401"),
    (lambda _: web.Response(status=422, text="too long"), "HTTP 422"),
    (lambda _: web.Response(status=429), "HTTP 429"),
    (lambda _: web.Response(status=500), "HTTP 500"),
    (lambda _: web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"}), "HTTP 302"),
    (lambda _: web.Response(body=b"x" * (1 << 21)), "too-large"),
]


@pytest.mark.parametrize(("answer", "cause"), FAULTS, ids=[cause for _, cause in FAULTS])
async def test_whatever_fails_is_failed_and_says_why(answer: Any, cause: str) -> None:
    async with judge_server(answer) as server:
        scores, result = await scored(server, traffic(20))
    assert {(one.state, one.label) for one in scores} == {("Failed", cause)}
    assert result.revisions["r1"].causes == ((cause, 20),)
    found = verdict(result)
    assert (found.verdict, found.reason) == ("Unknown", "EvaluatorFailing")
    assert f"20 of 20 samples could not be judged by brand: 20 {cause}" in found.message


async def test_a_judge_that_hangs_is_given_up() -> None:
    async def hang(_: Asked) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with judge_server(hang) as server:
        scores, _ = await scored(server, traffic(30), deadlineSeconds=1)
        assert {one.label for one in scores} == {"timeout"}
        assert len(server.asked) == 3


async def test_nobody_there_is_tried_three_times_and_given_up() -> None:
    async with judge_server(lambda _: said("polite")) as server:
        pass
    judge = resolved(server)
    port = quick_port(judge.pod.egress)
    scores, result = await scored(server, traffic(30), port)
    assert {(one.state, one.label) for one in scores} == {("Failed", "unreachable")}
    assert port.pauses == [1.0, 4.0] * 3
    assert result.asked is not None
    assert result.asked.calls == 9


async def test_a_wrong_credential_is_tried_once() -> None:
    async with judge_server(lambda _: web.Response(status=401)) as server:
        await scored(server, traffic(30))
        assert len(server.asked) == 1


@pytest.mark.parametrize(("status", "retry_after", "pauses"), [(429, "7", [7.0, 7.0]), (503, "", [1.0, 4.0])])
async def test_a_busy_judge_is_asked_three_times(status: int, retry_after: str, pauses: list[float]) -> None:
    def busy_twice(asked: Asked) -> web.Response:
        headers = {"Retry-After": retry_after} if retry_after else {}
        return web.Response(status=status, headers=headers) if asked.number < 2 else said("polite")

    async with judge_server(busy_twice) as server:
        judge = resolved(server)
        port = quick_port(judge.pod.egress)
        scores, _ = await scored(server, traffic(3), port)
    assert {one.state for one in scores} == {"Scored"}
    assert port.pauses == pauses


async def test_an_answer_without_a_label_gets_one_more_chance() -> None:
    async with judge_server(lambda asked: said("hm" if asked.number % 2 == 0 else "polite")) as server:
        scores, _ = await scored(server, traffic(1))
    assert [one.label for one in scores] == ["polite"]
    first, second = server.asked
    assert "none of the labels" in second.body["messages"][-1]["content"]
    assert "hm" not in second.body["messages"][-1]["content"]
    assert len(first.body["messages"]) == len(second.body["messages"])


async def test_some_failures_fail_themselves_alone() -> None:
    def sometimes(asked: Asked) -> web.Response:
        return said("who knows") if asked.record["answer"].endswith(("3", "7")) else said("polite")

    async with judge_server(sometimes) as server:
        scores, result = await scored(server, traffic(20))
    assert Counter(one.state for one in scores) == {"Scored": 16, "Failed": 4}
    assert verdict(result).reason == "EvaluatorFailing", "a fifth of them is no fair picture"


def refusing(*names: str, status: int = 400) -> Any:
    def answer(asked: Asked) -> web.Response:
        for name in names:
            if name in asked.body or name in asked.path:
                return web.Response(status=status, text=f"{name} is not supported")
        if "logprobs" in asked.body:
            return likely(polite=0.8, rude=0.2)
        return said('{"label": "polite", "reason": "x"}' if "response_format" in asked.body else "polite\nx")

    return answer


@pytest.mark.parametrize(
    ("readout", "refused", "used", "left"),
    [
        ("Auto", (), "ChatLabel", ()),
        ("Auto", ("temperature",), "ChatLabel", ("temperature",)),
        ("Auto", ("seed",), "ChatLabel", ("seed",)),
        ("Auto", ("max_tokens",), "ChatLabel", ("max_tokens",)),
        ("Auto", ("logprobs",), "JSONSchema", ("ChatLabel", "top_logprobs")),
        ("Auto", ("logprobs", "response_format"), "Word", ("ChatLabel", "JSONSchema", "top_logprobs")),
        ("CompletionLabel", ("/v1/completions",), "ChatLabel", ("CompletionLabel",)),
        ("JSONSchema", ("response_format", "seed"), "Word", ("JSONSchema", "seed")),
    ],
)
@pytest.mark.parametrize("status", [400, 422])
async def test_a_judge_is_asked_without_what_it_refuses(
    readout: str, refused: tuple[str, ...], used: str, left: tuple[str, ...], status: int
) -> None:
    async with judge_server(refusing(*refused, status=status)) as server:
        scores, result = await scored(server, traffic(30), readout=readout)
        asked = len(server.asked)
    assert {(one.state, one.label) for one in scores} == {("Scored", "polite")}
    assert result.asked is not None
    assert (result.asked.readout, result.asked.left_out) == (used, left)
    assert asked <= 30 + 2 * len(left), "what is refused is remembered for the run"
    assert result.evaluator.version != resolved(server, readout=readout).facts.version, "the readout is known now"


async def test_a_missing_completions_path_leads_to_chats() -> None:
    def answer(asked: Asked) -> web.Response:
        return web.Response(status=404) if "prompt" in asked.body else likely(rude=0.9, polite=0.1)

    async with judge_server(answer) as server:
        scores, result = await scored(server, traffic(5), readout="CompletionLabel")
    assert {one.flagged for one in scores} == {True}
    assert result.asked is not None
    assert result.asked.readout == "ChatLabel"


async def test_probabilities_that_never_come_lead_to_the_next_readout() -> None:
    def answer(asked: Asked) -> web.Response:
        return said('{"label": "rude", "reason": ""}' if "response_format" in asked.body else "rude")

    async with judge_server(answer) as server:
        _, result = await scored(server, traffic(5), readout="Auto")
    assert result.asked is not None
    assert (result.asked.readout, result.asked.left_out) == ("JSONSchema", ("ChatLabel",))


async def test_once_a_judge_takes_a_form_a_refusal_is_of_the_exchange() -> None:
    def answer(asked: Asked) -> web.Response:
        too_long = asked.record["answer"].endswith("3")
        return web.Response(status=400, text="context length") if too_long else said("polite")

    async with judge_server(answer) as server:
        scores, result = await scored(server, traffic(10))
        assert len(server.asked) == 10
    assert [one.label for one in scores if one.state == "Failed"] == ["HTTP 400"]
    assert result.asked is not None
    assert result.asked.left_out == ()


AZURE = "https://judge.example/openai/deployments/judge"


@pytest.mark.parametrize(
    ("header", "sent"), [("Authorization", "Bearer secret-key"), ("api-key", "secret-key")], ids=["openai", "azure"]
)
async def test_an_api_outside_gets_its_key_and_version(tmp_path: Path, header: str, sent: str) -> None:
    (tmp_path / "modelward-judge").mkdir()
    (tmp_path / "modelward-judge" / "api-key").write_text("secret-key\n")
    async with judge_server(lambda _: said("polite", model="gpt-4o-2024-08-06")) as server:
        scores, judge = await scored_outside(server, tmp_path, header)
    assert [one.label for one in scores] == ["polite"] * 3
    assert [(one.host, one.port) for one in judge.pod.egress] == [("judge.example", 443)]
    assert [(one.secret, one.key) for one in judge.pod.secrets] == [("modelward-judge", "api-key")]
    asked = server.asked[0]
    assert (asked.path, asked.query) == ("/openai/deployments/judge/chat/completions", {"api-version": "2024-10-21"})
    assert (asked.headers[header], asked.body["model"]) == (sent, "gpt-4o")


async def test_a_missing_secret_fails_by_itself(tmp_path: Path) -> None:
    async with judge_server(lambda _: said("polite")) as server:
        scores, _ = await scored_outside(server, tmp_path, "Authorization")
    assert ({one.label for one in scores}, server.asked) == ({"no-secret"}, [])


async def scored_outside(server: JudgeServer, secrets: Path, header: str) -> tuple[list[Score], ResolvedEvaluator]:
    """Score by a judge outside the cluster, for which the server stands."""
    credentials = {"secretRef": {"name": "modelward-judge"}, "header": header}
    external = {"url": AZURE, "model": "gpt-4o", "apiVersion": "2024-10-21", "credentials": credentials}
    judge = KNOWN.resolve(EvaluatorBlock("judge", "brand", BLOCK | {"model": {"external": external}}))
    assert isinstance(judge, ResolvedEvaluator)
    local = resolved(server).pod.egress
    port = quick_port((*judge.pod.egress, *local), secrets=secrets, instead=("https://judge.example", server.url))
    return await score(KNOWN.scorer(judge, port), traffic(3)), judge


async def test_a_readout_that_calibration_chose_has_no_other_below_it() -> None:
    async with judge_server(refusing("logprobs")) as server:
        judge = replace(resolved(server, readout="Auto"), readout="ChatLabel")
        assert judge.readouts == ("CompletionLabel", "ChatLabel", "JSONSchema", "Word")
        found = await score(KNOWN.scorer(judge, quick_port(judge.pod.egress)), traffic(3))
    assert {(one.state, one.label) for one in found} == {("Failed", "HTTP 400")}


@pytest.mark.parametrize("error", [BudgetExhaustedError, PriceUnknownError])
async def test_what_a_budget_has_no_room_for_is_not_asked_and_no_failure(error: type[PortError]) -> None:
    class Spent(QuickPort):
        async def post(self, request: ScoringRequest) -> ScoringReply:
            if len(server.asked) >= 10:
                raise error("spent", unsent=True)
            return await QuickPort.post(self, request)

    async with judge_server(lambda _: said("polite")) as server:
        judge = resolved(server, concurrency=1)
        port = Spent(quick_port(()).embeddings, judge.pod.egress)
        scores, result = await scored(server, traffic(30), port, concurrency=1)
    assert Counter(one.state for one in scores) == {"Scored": 10, "NotAsked": 20}
    assert result.revisions["r1"].not_asked == 20


async def test_scores_of_before_make_the_version_as_new_ones_do() -> None:
    class Memory:
        def __init__(self) -> None:
            self.kept: dict[str, Score] = {}

        async def known(self, exchanges: Sequence[Exchange]) -> list[Score | None]:
            return [self.kept.get(one.id) for one in exchanges]

        async def keep(self, rows: Sequence[tuple[Exchange, Score]]) -> None:
            self.kept |= {exchange.id: one for exchange, one in rows}

    memory, versions = Memory(), []
    async with judge_server(by_record) as server:
        for _ in range(2):
            judge = resolved(server)
            scorer = replace(KNOWN.scorer(judge, quick_port(judge.pod.egress)), memory=memory)
            item = PlanItem("bot", "baseline", "brand", "brand", judge.config, 0, 1_000, kind="judge")
            result, _ = await window_result(
                item, namespace="retail", run="run-1", evaluator=scorer, exchanges=traffic(16)
            )
            versions.append(result.evaluator.version)
        assert len(server.asked) == 16
    assert versions[0] == versions[1] != judge.facts.version


async def test_another_model_behind_the_name_is_another_version() -> None:
    versions = []
    for model in ("m-1", "m-2"):
        async with judge_server(lambda _, model=model: said("polite", model=model)) as server:  # type: ignore[misc]
            _, result = await scored(server, traffic(3))
            versions.append(result.evaluator.version)
    assert versions[0] != versions[1]


PAIRWISE: dict[str, Any] = {
    "mode": "Pairwise", "labels": None, "references": [{"question": "Where is card 1?", "answer": "In the post."}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("prefers", "label", "flagged"),
    [("In the post.", "worse", True), ("It is on its way. 1", "better", False), ("first", "tie", False)],
)
async def test_two_answers_are_compared_in_both_orders(prefers: str, label: str, flagged: bool) -> None:
    def answer(asked: Asked) -> web.Response:
        record = asked.record
        return said("first" if prefers in ("first", record["first"]) else "second")

    async with judge_server(answer) as server:
        scores, _ = await scored(server, traffic(2), **PAIRWISE)
        assert len(server.asked) == 2
    assert [(one.state, one.label) for one in scores] == [("NotApplicable", "no-reference"), ("Scored", label)]
    assert scores[1].flagged == flagged


async def test_a_reference_stands_beside_the_answer() -> None:
    async with judge_server(lambda _: said("polite")) as server:
        changes = {"mode": "Reference", "references": PAIRWISE["references"]}
        scores, _ = await scored(server, traffic(2), **changes)
    assert [one.state for one in scores] == ["NotApplicable", "Scored"]
    (asked,) = server.asked
    assert asked.record["reference"] == "In the post."


@pytest.mark.parametrize("threshold", ["", "0.9"])
async def test_an_exchange_is_at_fault_from_the_threshold_on(threshold: str) -> None:
    async with judge_server(lambda _: likely(rude=0.8, polite=0.2)) as server:
        judge = replace(resolved(server), readout="ChatLabel", threshold=threshold)
        (one,) = await score(KNOWN.scorer(judge, quick_port(judge.pod.egress)), traffic(1))
    assert (one.flagged, one.label) == ((False, "polite") if threshold else (True, "rude"))
    assert one.value == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": {"fault": ["rude"], "ok": ["Rude"]}}, "labels: Rude is there twice"),
        ({"labels": {"fault": [], "ok": ["polite"]}}, "labels"),
        ({"examples": [{"answer": "a", "label": "nice"}]}, "examples: nice is none of the labels"),
        ({"model": {}}, "set exactly one of endpointRef and external"),
        ({"mode": "Reference"}, "references"),
        ({"mode": "Pairwise"}, "labels"),
        ({"rubric": ""}, "rubric"),
    ],
)
def test_what_no_schema_sees_is_refused_in_words(change: dict[str, Any], message: str) -> None:
    found = KNOWN.resolve(EvaluatorBlock("judge", "brand", BLOCK | change))
    assert not isinstance(found, ResolvedEvaluator)
    assert (found.reason, message in found.message) == ("InvalidConfig", True)


@pytest.mark.parametrize(
    ("addresses", "why"), [({}, "is not in this namespace"), ({"judge-llm": EndpointAddress()}, "has no address yet")]
)
def test_an_endpoint_that_cannot_be_asked_is_said(addresses: dict[str, EndpointAddress], why: str) -> None:
    found = KNOWN.placed(EvaluatorBlock("judge", "brand", BLOCK), addresses)
    assert not isinstance(found, EvaluatorBlock)
    assert (found.reason, why in found.message) == ("JudgeUnavailable", True)
