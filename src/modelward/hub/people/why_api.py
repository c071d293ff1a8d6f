"""The page Why: what was different after health or a check flipped, by history and by captured exchanges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from modelward.api.compare_view import LikelyCause, WhyView
from modelward.api.endpoint_status import LLMEndpointStatus
from modelward.api.quantity import percent_text
from modelward.api.shown_object import ShownName
from modelward.hub.errors import HubError, bad_request
from modelward.hub.history.store import HistoryStore
from modelward.hub.history.totals import HistoryTotals, row_step_ms
from modelward.hub.people.causes import EXPLAINS_PPM, MOST_CAUSES, causes, ranked
from modelward.hub.people.door import Door, Place
from modelward.hub.people.exchange_tally import ExchangeTally
from modelward.hub.people.fleet import status_of
from modelward.hub.people.flip import SHORTEST_MS, AskedFlip, changes_before, flip_of
from modelward.hub.people.rights import not_there
from modelward.hub.people.shown import ShownObjects
from modelward.hub.people.tally import PPM, CauseGroup, CountedSpan, RequestTally, counted, rise, span_of
from modelward.hub.requests import view_answer

NO_RISE = 0.001
"""A share that surely rose by less did not rise."""
_LONGEST_CHECK = 200
_UNTOLD = ("", "other")
_Spans = tuple[CountedSpan, CountedSpan]


@dataclass(frozen=True, slots=True)
class WhyApi:
    """The handler."""

    shown: ShownObjects
    door: Door
    history: HistoryStore
    exchanges: ExchangeTally
    clock_ms: Callable[[], int]

    def add_to(self, app: web.Application) -> None:
        """Add the route."""
        app.router.add_get("/v1/view/endpoints/{namespace}/{endpoint}/why", self.get_why)

    async def get_why(self, request: web.Request) -> web.Response:
        """Answer what explains the flip of `check`, or of health: numbers only, callers to those who may read text."""
        place, check = await self.door.place(request), request.query.get("check", "")
        name = _check_name(check)
        entry = self.shown.get(ShownName("LLMEndpoint", place.namespace, place.endpoint))
        if entry is None:
            raise not_there(place.path)
        status = status_of(entry.decoded())
        policy = self.shown.get(ShownName("MonitoringPolicy", place.namespace, name[0])) if name else None
        flip = flip_of(status, name, (policy.decoded().get("spec") or {}) if policy else {})
        if flip is None:
            raise not_there(f"check {check} of {place.path}")
        base = WhyView(namespace=place.namespace, endpoint=place.endpoint, check=check)
        return view_answer(await self._explained(base, place, status, flip))

    async def _explained(self, base: WhyView, place: Place, status: LLMEndpointStatus, flip: AskedFlip) -> WhyView:
        if flip.at_ms is None:
            return base.model_copy(update={"verdict": "NoFlip", "sentence": "it is not bad, so nothing is to explain"})
        counted_all = await self._by_history(place, flip)
        callers = await self.door.rights.allows(place.person, "Text", place.namespace)
        sample = await self._by_exchanges(place, flip, callers=callers)
        facts = {"flip_ms": flip.at_ms, "changes": changes_before(status, flip.at_ms)}
        return base.model_copy(update={**facts, **_verdict(counted_all, sample)})

    async def _by_exchanges(self, place: Place, flip: AskedFlip, *, callers: bool) -> _Spans:
        before, after = flip.spans(self.clock_ms())
        path = place.path
        newer = await self.exchanges.of(path, flip, after, callers=callers)
        return await self.exchanges.of(path, flip, before, callers=callers), newer

    async def _by_history(self, place: Place, flip: AskedFlip) -> _Spans | None:
        """Return what history counted, in whole rows; None where it has nothing of this or its rows are too long."""
        now_ms = self.clock_ms()
        before, after = flip.spans(now_ms)
        step_ms = row_step_ms(before[0], after[1], now_ms)
        if flip.scored or step_ms > SHORTEST_MS * 4:
            return None
        at_ms = before[1] // step_ms * step_ms
        name = (place.namespace, place.endpoint)
        try:
            older = await self.history.totals(name, at_ms - (before[1] - before[0]) // step_ms * step_ms, at_ms)
            newer = await self.history.totals(name, at_ms, after[1])
        except HubError:
            return None
        spans = _span(older, flip), _span(newer, flip)
        return spans if all(span.whole.requests for span in spans) else None


def _check_name(check: str) -> tuple[str, str] | None:
    if not check:
        return None
    policy, slash, name = check.partition("/")
    if not slash or not policy or not name or len(check) > _LONGEST_CHECK:
        raise bad_request("check is policy/name")
    return policy, name


def _span(found: HistoryTotals, flip: AskedFlip) -> CountedSpan:
    rows: list[tuple[list[CauseGroup], RequestTally]] = []
    bad = flip.bad
    if not bad.latency and not {*bad.classes} & found.known:
        return CountedSpan(found.from_ms, found.to_ms)
    for part in found.parts:
        named: list[CauseGroup] = [("Revision", part.revision), ("Model", part.model)]
        groups = [one for one in named if one[1] not in _UNTOLD]
        total, at_fault = bad.of_part(part)
        for name in (one for one in bad.classes if one != "error" and len(bad.classes) > 1):
            n = part.outcomes[name]  # a class that is all that is bad would explain everything, and say nothing
            rows.append(([*groups, ("Code", name)], counted(n, n)))
            total, at_fault = total - n, at_fault - n
        rows.append((groups, counted(total, at_fault)))
    return span_of(found.from_ms, found.to_ms, rows)


def _verdict(history: _Spans | None, sample: _Spans) -> dict[str, object]:
    """Return the numbers and what they say; history has every request, exchanges have codes and callers."""
    before, after = history or sample
    found = causes(*sample)
    if history:
        found = tuple(one for one in found if one.by in ("Code", "Caller"))
        coded = any(one.by == "Code" for one in found)
        found += tuple(one for one in causes(*history) if not (coded and one.by == "Code"))
    best = ranked(found)[:MOST_CAUSES]
    verdict, sentence = _said(best[0] if best else None, before, after)
    return {
        "before": before.share(before.whole),
        "after": after.share(after.whole),
        "causes": best,
        "verdict": verdict,
        "sentence": sentence,
        "source": "History" if history else "Exchanges" if before.whole.requests + after.whole.requests else "None",
    }


def _said(first: LikelyCause | None, before: CountedSpan, after: CountedSpan) -> tuple[str, str]:
    """Return the verdict and its sentence."""
    then, now = (percent_text(round(span.whole.interval.value * PPM)) for span in (before, after))
    if first is not None and (first.of_rise_ppm or 0) >= EXPLAINS_PPM:
        part = percent_text(first.of_rise_ppm or 0)
        return "Explained", f"{first.by.lower()} {first.value} carries {part} of the rise from {then} to {now}"
    if rise(before, after).high < NO_RISE:
        return "NotRisen", f"it did not rise: {then} before, {now} after"
    return "CannotTell", f"can't tell (n = {min(before.whole.requests, after.whole.requests)})"
