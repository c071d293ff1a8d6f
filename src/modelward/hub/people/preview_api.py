"""What a policy would have done with the time that is past: objectives over stored counts, by the engine of alerts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

import orjson
from aiohttp import web
from pydantic import ValidationError

from modelward.alerts.episode import AlertInput
from modelward.alerts.replay import PastEpisode, replay
from modelward.alerts.routing import Routing, routing_of
from modelward.alerts.timing import Timing
from modelward.api.alerts import AlertsSpec
from modelward.api.monitoringpolicy import MonitoringPolicySpec
from modelward.api.preview import Preview, PreviewEpisode, PreviewRequest, PreviewSide
from modelward.api.quantity import duration_text
from modelward.api.shown_object import ShownName
from modelward.hub.errors import bad_request
from modelward.hub.history.counts import counts
from modelward.hub.history.points import Points
from modelward.hub.history.store import HistoryStore
from modelward.hub.people.door import Door
from modelward.hub.people.past_verdicts import past_verdicts
from modelward.hub.people.shown import ShownObjects
from modelward.hub.requests import body_of, view_answer

DAY_MS = 24 * 3_600_000
LONGEST_MS = 31 * DAY_MS
MOST_ENDPOINTS = 200
MOST_EPISODES = 100
TIME_S = 2.0
_BODY_BYTES = 256 << 10
_Replays: TypeAlias = dict[tuple[str, Timing], tuple[PastEpisode, ...]]
"""What was replayed of an endpoint, by the objective as JSON and the timing of its alerts."""


@dataclass(frozen=True, slots=True)
class PreviewApi:
    """The handler."""

    shown: ShownObjects
    history: HistoryStore
    door: Door
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One at a time: it is work for the processor."""

    def add_to(self, app: web.Application) -> None:
        """Add the route."""
        app.router.add_post("/v1/view/preview", self.post_preview)

    async def post_preview(self, request: web.Request) -> web.Response:
        """Answer which alerts of objectives there would have been, of the policy as it is and as it is asked about."""
        asked = _read(await body_of(request, _BODY_BYTES))
        if not 0 < asked.to_ms - asked.from_ms <= LONGEST_MS or not 0 <= asked.from_ms <= self.shown.clock_ms():
            raise bad_request("a preview is of at most 31 days that are past")
        for right in ("Numbers", "Policies"):
            await self.door.enter(request, asked.namespace, "", right)
        entry = self.shown.get(ShownName("MonitoringPolicy", asked.namespace, asked.name))
        now, _ = _spec(entry.decoded().get("spec")) if entry else (None, ())
        then, problems = _spec(asked.spec)
        async with self._turn:
            return view_answer(await self._preview(asked, now, then, list(problems)))

    async def _preview(
        self,
        asked: PreviewRequest,
        now: MonitoringPolicySpec | None,
        then: MonitoringPolicySpec | None,
        problems: list[str],
    ) -> Preview:
        ends = time.monotonic() + TIME_S
        sides: list[list[PreviewEpisode]] = [[], []]
        seen: list[int] = []
        selects = [await asyncio.to_thread(self._selected, asked.namespace, spec) for spec in (now, then)]
        watched = sorted(selects[0] | selects[1])
        cut = len(watched) > MOST_ENDPOINTS
        for number, name in enumerate(watched[:MOST_ENDPOINTS]):
            points = await self._points((asked.namespace, name), asked)
            covered = sum(points.of((), "covered"))
            seen += [min(1_000_000, covered * 1_000_000 // (points.grid.step_ms * points.grid.count))]
            asks = [spec if name in chosen else None for spec, chosen in zip((now, then), selects, strict=True)]
            try:
                found = await asyncio.to_thread(_both, asked, name, asks, points, ends) if covered else ((), ())
            except TimeoutError:
                problems.append(f"cut after {number} of {len(watched)} endpoints: it took longer than {TIME_S:g} s")
                cut = True
                break
            for side, episodes in zip(sides, found, strict=True):
                side.extend(episodes)
        if len(watched) > MOST_ENDPOINTS:
            problems.append(f"only {MOST_ENDPOINTS} of {len(watched)} endpoints are replayed")
        before, after = (_side(spec, one) for spec, one in zip((now, then), sides, strict=True))
        return Preview(
            namespace=asked.namespace, name=asked.name, from_ms=asked.from_ms, to_ms=asked.to_ms, now=before,
            then=after, sentence=_sentence(asked, before, after, cut=cut), problems=(*problems, *_unanswered(then)),
            endpoints=len(selects[1]), seen_ppm=sum(seen) // len(seen) if seen else None, cut=cut,
        )  # fmt: skip

    async def _points(self, endpoint: tuple[str, str], asked: PreviewRequest) -> Points:
        read = partial(counts, endpoint=endpoint, span=(asked.from_ms, asked.to_ms), now_ms=self.shown.clock_ms())
        return await self.history.read(endpoint, read)

    def _selected(self, namespace: str, spec: MonitoringPolicySpec | None) -> frozenset[str]:
        if spec is None:
            return frozenset()
        endpoints = ((name, entry.decoded()) for name, entry in self.shown.each("LLMEndpoint", namespace))
        return frozenset(name for name, row in endpoints if spec.endpoint_selector.matches(row.get("labels") or {}))


def _in_time(seen: Iterable[tuple[int, AlertInput]], ends: float) -> Iterator[tuple[int, AlertInput]]:
    """Yield the same; TimeoutError once it takes too long."""
    for one in seen:
        if time.monotonic() > ends:
            raise TimeoutError
        yield one


def _both(
    asked: PreviewRequest, endpoint: str, specs: Iterable[MonitoringPolicySpec | None], points: Points, ends: float
) -> tuple[list[PreviewEpisode], ...]:
    """Return the episodes of an endpoint by each spec; what both ask alike is replayed once."""
    known: _Replays = {}
    return tuple(_episodes(asked, endpoint, spec, points, known, ends) if spec else [] for spec in specs)


def _episodes(
    asked: PreviewRequest,
    endpoint: str,
    spec: MonitoringPolicySpec,
    points: Points,
    known: _Replays,
    ends: float,
) -> list[PreviewEpisode]:
    routing = routing_of(asked.name, spec.alerts or AlertsSpec())
    found: list[PreviewEpisode] = []
    for one in spec.objectives if not spec.paused else ():
        key, alert = (one.model_dump_json(), routing.timing), f"Objective/{one.name}"
        if key not in known:
            known[key] = replay(_in_time(past_verdicts(asked.name, one, points), ends), routing.timing)
        found += [_episode(endpoint, alert, each, routing) for each in known[key]]
    return found


def _episode(endpoint: str, alert: str, found: PastEpisode, routing: Routing) -> PreviewEpisode:
    told = (who for route in routing.of(alert, found.severity) for who in route.receivers)
    return PreviewEpisode(
        endpoint=endpoint,
        alert=alert,
        severity=found.severity,
        since_ms=found.since_ms,
        until_ms=found.until_ms,
        closed=found.closed,
        message=found.what,
        told=tuple(dict.fromkeys(told)),
    )


def _side(spec: MonitoringPolicySpec | None, episodes: list[PreviewEpisode]) -> PreviewSide | None:
    newest = sorted(episodes, key=lambda one: -one.since_ms)[:MOST_EPISODES]
    return PreviewSide(fired=len(episodes), episodes=tuple(newest)) if spec is not None else None


def _sentence(asked: PreviewRequest, now: PreviewSide | None, then: PreviewSide | None, *, cut: bool) -> str:
    if then is None:
        return ""
    days, rest = divmod(asked.to_ms - asked.from_ms, DAY_MS)
    over = f"{days} days" if days and not rest else duration_text(asked.to_ms - asked.from_ms)
    times, least = "time" if then.fired == 1 else "times", "at least " if cut else ""
    return f"would have fired {least}{then.fired} {times} in the last {over}" + (f" (now {now.fired})" if now else "")


def _unanswered(spec: MonitoringPolicySpec | None) -> tuple[str, ...]:
    if spec is None:
        return ()
    checks = tuple(f"no stored count answers Check/{one.name}: run it over the past" for one in spec.evaluations)
    budgets = tuple(f"BudgetBurn/{one.name} is not replayed" for one in spec.objectives if one.budget is not None)
    return (*checks, *budgets)


def _spec(data: Any) -> tuple[MonitoringPolicySpec | None, tuple[str, ...]]:
    try:
        return MonitoringPolicySpec.model_validate(data if isinstance(data, Mapping) else {}), ()
    except ValidationError as error:
        rows = error.errors(include_url=False, include_context=False, include_input=False)[:20]
        return None, tuple(f"{'.'.join(map(str, one['loc']))}: {one['msg']}"[:300] for one in rows)
    except (ValueError, OverflowError, RecursionError):
        return None, ("the spec cannot be read",)


def _read(body: bytes) -> PreviewRequest:
    try:
        return PreviewRequest.model_validate(orjson.loads(body))
    except (ValueError, RecursionError) as error:
        raise bad_request("a preview has namespace, name, spec, fromMs and toMs") from error
