"""Captured exchanges for people who may read them: found by a filter, with what each check made of them, on record."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import get_args

from aiohttp import web

from modelward.api.exchange import Exchange, Outcome
from modelward.api.exchange_page import (
    EXCHANGE_PAGE,
    ExchangePage,
    ExchangeView,
    LabelView,
    ScoreView,
    ShownMask,
    ShownTurn,
)
from modelward.api.kept_score import KeptScore, shown_set
from modelward.api.shown_object import ShownName
from modelward.hub.admission import send
from modelward.hub.errors import bad_request
from modelward.hub.ingest import FUTURE_MS
from modelward.hub.keys import KeyRing
from modelward.hub.layout import ExchangeObject, hour_of
from modelward.hub.people.door import Door, Place, filter_words
from modelward.hub.people.fleet import status_of
from modelward.hub.people.rights import not_there
from modelward.hub.people.scan import SCAN_S, ExchangeFilter, ExchangeScan, ScanMark, Scanned
from modelward.hub.people.shown import ShownObjects
from modelward.hub.requests import integer_of, view_answer
from modelward.hub.scores import ScoreStore
from modelward.hub.store import ExchangeStore
from modelward.privacy.identifiers import exchange_names

MOST_ROWS = 50
_LONG_MS = 600_000
"""An exchange that ended in an hour may have begun so long before."""
_WORDS = 200
CheckName = tuple[str, str]
"""Policy and evaluation."""
LabelsOf = Callable[[str, str, str], Iterable[LabelView]]
"""Labels of an exchange: by endpoint, its id, and who reads them."""


@dataclass(slots=True)
class HourlyScores:
    """What checks made of exchanges, read by the hour and check as they are needed."""

    scores: ScoreStore
    endpoint: str
    checks: tuple[CheckName, ...]
    _hours: dict[str, dict[CheckName, Mapping[str, KeptScore]]] = field(default_factory=dict)

    async def read(self, from_ms: int, to_ms: int) -> None:
        """Read the hours of a time."""
        for at_ms in (*range(from_ms, to_ms, 3_600_000), to_ms):
            hour = hour_of(at_ms)
            if hour not in self._hours:
                self._hours[hour] = {
                    check: await self.scores.of_hour(self.endpoint, shown_set(*check), hour) for check in self.checks
                }

    def of(self, time_ms: int, exchange_id: str) -> dict[CheckName, KeptScore]:
        """Return the scores of an exchange that began then."""
        hour = self._hours.get(hour_of(time_ms), {})
        return {check: found[exchange_id] for check, found in hour.items() if exchange_id in found}

    def flagged(self, time_ms: int, exchange_id: str) -> bool:
        """Return whether any of the checks flagged it."""
        return any(one.flagged for one in self.of(time_ms, exchange_id).values())


@dataclass(frozen=True, slots=True)
class ExchangeApi:
    """The handler."""

    shown: ShownObjects
    store: ExchangeStore
    scores: ScoreStore
    keys: KeyRing
    door: Door
    labels: LabelsOf

    def add_to(self, app: web.Application) -> None:
        """Add the route."""
        app.router.add_get("/v1/view/endpoints/{namespace}/{endpoint}/exchanges", self.get_exchanges)

    async def get_exchanges(self, request: web.Request) -> web.Response:
        """Answer a page of exchanges, newest first; the audit knows of it before the person does."""
        place = await self.door.place(request, "Text")
        checks = self.checks_of(place)
        asked, before = self._filter(place, request), _mark_of(request.query.get("cursor", ""))
        limit = min(MOST_ROWS, max(1, integer_of(request, "limit", EXCHANGE_PAGE)))
        by = _checks_asked(request.query.get("flagged", ""), checks)
        found = await self._found(place, asked, before, limit, by)
        hours = HourlyScores(self.scores, place.path, checks)
        for one in found.exchanges:
            await hours.read(one.time_ms, one.time_ms)
        await self.door.record(place, "read", tuple(one.id for one in found.exchanges), filter_words(request.query))
        rows = (self._view(one, place, hours) for one in found.exchanges)
        page = ExchangePage(
            rows=tuple(rows),
            cursor=_text_of(found.following),
            stopped=found.stopped,
            scanned=found.rows,
            reached_ms=found.reached_ms,
            evaluations=tuple("/".join(check) for check in checks),
            may_label=await self.door.rights.allows(place.person, "Label", place.namespace),
        )
        return await send(request, view_answer(page))

    def checks_of(self, place: Place) -> tuple[CheckName, ...]:
        """Return the evaluations of an endpoint; HubError 404 where there is no such endpoint."""
        entry = self.shown.get(ShownName("LLMEndpoint", place.namespace, place.endpoint))
        if entry is None and not self.store.index.of(place.path):
            raise not_there(place.path)
        return tuple((one.policy, one.name) for one in status_of(entry.decoded()).evaluations) if entry else ()

    async def _found(
        self, place: Place, asked: ExchangeFilter, before: ScanMark | None, limit: int, by: tuple[CheckName, ...] | None
    ) -> Scanned:
        endpoint, rest = place.path, list[ExchangeObject]()
        hours = HourlyScores(self.scores, endpoint, by or ())
        rule, now_ms = self.store.rules.of(endpoint), self.store.clock_ms()
        scan = ExchangeScan(asked, rule, now_ms, limit, before, None if by is None else hours.flagged)
        ends = time.monotonic() + SCAN_S

        async def prepare(item: ExchangeObject) -> None:
            if by:
                await hours.read(max(0, item.first_ms - _LONG_MS), item.last_ms)

        to_ms = min(asked.to_ms, before.ended_ms + 1) if before else asked.to_ms
        async with aclosing(self.store.newest_first(endpoint, asked.from_ms, to_ms, rest)) as objects:
            return await scan.run(
                objects, lambda: rest[0].last_ms if rest else None, lambda: time.monotonic() > ends, prepare
            )

    def _filter(self, place: Place, request: web.Request) -> ExchangeFilter:
        query, now_ms = request.query, self.store.clock_ms()
        status, names = query.get("status", ""), frozenset[str]()
        if query.get("id"):
            names = frozenset(exchange_names(query["id"], self.keys.all(place.namespace)))
        if status and status not in get_args(Outcome) and not (status.isascii() and status.isdigit()):
            raise bad_request(f"status is {', '.join(get_args(Outcome))} or a code of HTTP")
        return ExchangeFilter(
            integer_of(request, "from", 0),
            integer_of(request, "to", now_ms + FUTURE_MS),
            status if status in get_args(Outcome) else "",
            int(status[:3]) if status.isdigit() else None,
            integer_of(request, "slower") if query.get("slower") else None,
            query.get("revision", "")[:_WORDS],
            query.get("caller", "")[:_WORDS],
            query.get("text", "")[:_WORDS].lower(),
            names,
        )

    def _view(self, one: Exchange, place: Place, hours: HourlyScores) -> ExchangeView:
        timings, usage = one.timings, one.usage
        return ExchangeView(
            id=one.id,
            time_ms=one.time_ms,
            model=one.model,
            revision=one.revision,
            operation=one.operation,
            status=one.status,
            outcome=one.outcome,
            content=one.content,
            turns=tuple(ShownTurn(role=turn.role, text=turn.text) for turn in one.messages),
            response=one.response,
            finish_reason=one.finish_reason,
            truncated=one.truncated,
            duration_us=_us(timings.duration_ms) or 0,
            first_token_us=_us(timings.first_token_ms),
            per_output_token_us=_us(timings.per_output_token_ms),
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cached_input_tokens=usage.cached_input_tokens,
            caller=one.caller,
            prompt_template=one.prompt_template,
            conversation=one.conversation,
            masks=tuple(
                ShownMask(kind=m.kind, count=m.count, subject=m.subject, echoed=m.echoed) for m in one.redactions
            ),
            scores=tuple(_score(*check, kept) for check, kept in hours.of(one.time_ms, one.id).items()),
            labels=tuple(self.labels(place.path, one.id, place.person.name)),
        )


def _checks_asked(flagged: str, checks: tuple[CheckName, ...]) -> tuple[CheckName, ...] | None:
    """Return the checks one of which must have flagged an exchange; None where that is not asked."""
    if not flagged:
        return None
    return tuple(check for check in checks if flagged in ("any", "/".join(check)))


def _score(policy: str, evaluation: str, kept: KeptScore) -> ScoreView:
    return ScoreView(
        policy=policy,
        evaluation=evaluation,
        state=kept.state,
        flagged=kept.flagged,
        value_ppm=_millionths(kept.value),
        number_millionths=_millionths(kept.number),
        label=kept.label,
        reason=kept.explanation,
        by=kept.by,
    )


def _millionths(value: float | None) -> int | None:
    return None if value is None else round(value * 1_000_000)


def _us(value_ms: float | None) -> int | None:
    return None if value_ms is None else round(value_ms * 1_000)


def _text_of(mark: ScanMark | None) -> str:
    return f"{mark.ended_ms}.{mark.id}" if mark else ""


def _mark_of(cursor: str) -> ScanMark | None:
    if not cursor:
        return None
    ended, dot, name = cursor.partition(".")
    if not dot or not (ended.isascii() and ended.isdigit() and len(ended) <= 15) or len(name) > 256:
        raise bad_request("the cursor is none of this page")
    return ScanMark(int(ended), name)
