"""What a policy would have done with the time that is past: what the hub keeps of it, through the engine of alerts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from modelward.api.monitoringpolicy import MonitoringPolicySpec
from modelward.api.preview import Preview, PreviewEpisode, PreviewRequest, PreviewSide
from modelward.api.quantity import duration_text
from modelward.api.shown_object import ShownName
from modelward.hub.errors import bad_request
from modelward.hub.people.door import Door
from modelward.hub.people.past.endpoint import PastEndpoint, Replays, past_episodes
from modelward.hub.people.past.heard import Heard
from modelward.hub.people.past.problems import at_most, of_endpoints, of_spec
from modelward.hub.people.past.reader import PastReader
from modelward.hub.people.shown import ShownObjects
from modelward.hub.requests import parsed_of, view_answer

DAY_MS = 24 * 3_600_000
LONGEST_MS = 31 * DAY_MS
MOST_ENDPOINTS = 200
MOST_EPISODES = 100
MOST_PROBLEMS = 30
TIME_S = 2.0
_BODY_BYTES = 256 << 10
_EXPECTED = "a preview has namespace, name, spec, fromMs and toMs"


@dataclass(frozen=True, slots=True)
class PreviewApi:
    """The handler."""

    shown: ShownObjects
    reader: PastReader
    door: Door
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One at a time: it is work for the processor."""

    def add_to(self, app: web.Application) -> None:
        """Add the route."""
        app.router.add_post("/v1/view/preview", self.post_preview)

    async def post_preview(self, request: web.Request) -> web.Response:
        """Answer which alerts there would have been, of the policy as it is and as it is asked about."""
        asked = await parsed_of(request, _BODY_BYTES, PreviewRequest.model_validate, _EXPECTED)
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
        sides: tuple[list[PreviewEpisode], list[PreviewEpisode]] = ([], [])
        seen: list[int] = []
        lacking: list[tuple[str, str]] = []
        selects = [await asyncio.to_thread(self._selected, asked.namespace, spec) for spec in (now, then)]
        watched = sorted(selects[0].keys() | selects[1].keys())
        problems += of_spec(then, now, self.reader.step_ms(asked.from_ms, asked.to_ms)) if then else ()
        cut = len(watched) > MOST_ENDPOINTS
        for number, name in enumerate(watched[:MOST_ENDPOINTS]):
            row = selects[0].get(name) or selects[1][name]
            asks = [spec if name in chosen else None for spec, chosen in zip((now, then), selects, strict=True)]
            known = await self.reader.read(asked, (name, row), [spec for spec in asks if spec], now)
            try:
                found = await asyncio.to_thread(_both, asked.name, asks, known, ends)
            except TimeoutError:
                problems.append(f"cut after {number} of {len(watched)} endpoints: it took longer than {TIME_S:g} s")
                cut = True
                break
            for side, episodes in zip(sides, found, strict=True):
                side.extend(episodes)
            seen.append(known.seen_ppm)
            lacking += ((name, text) for text in self.reader.problems(known, asks[1])) if asks[1] else ()
        problems += of_endpoints(lacking)
        if len(watched) > MOST_ENDPOINTS:
            problems.append(f"only {MOST_ENDPOINTS} of {len(watched)} endpoints are replayed")
        before, after = (_side(spec, one) for spec, one in zip((now, then), sides, strict=True))
        return Preview(
            namespace=asked.namespace, name=asked.name, from_ms=asked.from_ms, to_ms=asked.to_ms, now=before,
            then=after, sentence=_sentence(asked, before, after, cut=cut), problems=at_most(problems, MOST_PROBLEMS),
            endpoints=len(selects[1]), seen_ppm=sum(seen) // len(seen) if seen else None, cut=cut,
        )  # fmt: skip

    def _selected(self, namespace: str, spec: MonitoringPolicySpec | None) -> Mapping[str, Mapping[str, Any]]:
        if spec is None:
            return {}
        endpoints = ((name, entry.decoded()) for name, entry in self.shown.each("LLMEndpoint", namespace))
        return {name: row for name, row in endpoints if spec.endpoint_selector.matches(row.get("labels") or {})}


def _both(
    policy: str, specs: Iterable[MonitoringPolicySpec | None], known: PastEndpoint, ends: float
) -> tuple[list[PreviewEpisode], ...]:
    """Return the episodes of an endpoint by each spec; what both ask alike is replayed once."""

    def paced(heard: Iterator[Heard]) -> Iterator[Heard]:
        for one in heard:
            if time.monotonic() > ends:
                raise TimeoutError
            yield one

    replays: Replays = {}
    return tuple(list(past_episodes(policy, spec, known, replays, paced)) if spec else [] for spec in specs)


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


def _spec(data: Any) -> tuple[MonitoringPolicySpec | None, tuple[str, ...]]:
    try:
        return MonitoringPolicySpec.model_validate(data if isinstance(data, Mapping) else {}), ()
    except ValidationError as error:
        rows = error.errors(include_url=False, include_context=False, include_input=False)[:20]
        return None, tuple(f"{'.'.join(map(str, one['loc']))}: {one['msg']}"[:300] for one in rows)
    except (ValueError, OverflowError, RecursionError):
        return None, ("the spec cannot be read",)
