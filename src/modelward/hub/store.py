"""The exchanges and rules that the hub keeps."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from functools import cache

import orjson

from modelward.api.exchange import Exchange
from modelward.hub import layout
from modelward.hub.damage import Damage
from modelward.hub.erased import Erased, bounded
from modelward.hub.errors import HubError
from modelward.hub.index import Index
from modelward.hub.lateness import Lateness
from modelward.hub.layout import ExchangeObject
from modelward.hub.objects import ObjectStore
from modelward.hub.rule_changes import AHEAD_MS, changed, lapsed
from modelward.hub.rules import Rules, limited
from modelward.hub.rules_format import AskedRules, rules_from_json, rules_to_json
from modelward.hub.settings import Limits
from modelward.hub.shares import Shares
from modelward.hub.stored import StoredLines
from modelward.hub.turns import Turns
from modelward.hub.window import Whereabouts, WindowSample, find, locate

PURGE_S = 600.0
"""How often what changed rules and erasures forbid is taken from the disk."""
log = logging.getLogger(__name__)
READERS_WAITING = 16
"""Readers of one namespace that may queue for their turn before the next is refused for a while."""


@dataclass(slots=True)
class ExchangeStore:
    """Reading side of the exchanges and the rules over them; `clock_ms` returns Unix milliseconds."""

    objects: ObjectStore
    limits: Limits
    rules: Rules
    clock_ms: Callable[[], int]
    damage: Damage
    shares: Shares
    index: Index
    late: Lateness = field(default_factory=Lateness)
    tidying: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by whoever replaces objects, so that no two do."""
    plain_ids: bool = False
    """Whether ids are kept as they were sent, for a hub that is run by hand."""
    asked: bool = False
    """Whether the operator has named its rules since this start."""
    _stored_rules: Rules | None = None
    _storing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _turns: Turns = field(init=False)

    def __post_init__(self) -> None:
        self._turns = Turns(self.limits.parallel_reads, 1, READERS_WAITING)

    async def load(self) -> None:
        """Learn from the store what it holds and which rules were last in force."""
        index = self.index
        index.clear()
        async for path, size in self.objects.paths("exchanges/"):
            if item := layout.exchange_object(path):
                index.add(replace(item, size=size))
        await self._load_rules()
        log.info("store loaded objects=%d rules=%d", index.size(), len(self.rules.by_endpoint))

    async def _load_rules(self) -> None:
        """Without rules nothing but metadata is kept or shown, until the operator puts them again."""
        everything = frozenset(self.index.endpoints())
        data = await self.objects.get(layout.RULES_PATH)
        rules, bad = self.rules, list[str]()
        try:
            if data is not None:
                rules, bad = rules_from_json(orjson.loads(data), self.rules.default)
        except ValueError:
            self.damage.found("rules", layout.RULES_PATH)
            await self.damage.set_aside(layout.RULES_PATH)
        if bad:
            self.damage.found("rules", f"{layout.RULES_PATH}: {bad[0]!r:.100}", len(bad))
        unruled = everything - rules.by_endpoint.keys()
        self.rules = replace(rules, unswept=(rules.unswept | unruled) & everything)

    async def put(self, item: ExchangeObject, data: bytes) -> None:
        """Store an object that takes the place of others, and take note of it; HubError when the store refuses."""
        await self.objects.put(item.path, data)
        self.index.add(replace(item, size=len(data)))

    async def take(self, item: ExchangeObject, data: bytes) -> None:
        """Store a new object, within the share of its namespace; HubError 507 when it does not fit."""
        error: HubError | None = None
        try:
            await self.shares.make_room(item.namespace, len(data))
            await self.put(item, data)
        except HubError as refused:
            error = refused
            raise
        finally:
            self.shares.written(item.namespace, error)
        self.late.arrived(item, self.clock_ms())

    async def set_rules(self, asked: AskedRules) -> None:
        """Put rules in force, first here, then in the store for the next start."""
        self.asked, before = True, len(self.rules.by_endpoint)
        await self.keep_rules(changed(self.rules, asked, self.clock_ms(), cache(self.newest_ms)))
        if len(self.rules.by_endpoint) != before:
            log.info("rules set endpoints=%d", len(self.rules.by_endpoint))

    async def keep_rules(self, rules: Rules) -> None:
        """Put these in force as they are; HubError when the store did not take them, and then they are stored later."""
        if rules != self.rules:
            self.rules = rules
        async with self._storing:
            if self.rules != self._stored_rules:
                storing = self.rules
                await self.objects.put(layout.RULES_PATH, orjson.dumps(rules_to_json(storing)))
                self._stored_rules = storing

    async def forget_rules(self) -> None:
        """Drop the rules of endpoints that are gone with all that was kept of them, and old erasures."""
        now_ms = self.clock_ms()
        erased = self._remembered(now_ms)
        needed = lapsed(self.rules, now_ms, lambda name: self.newest_ms(name) > 0)
        await self.keep_rules(replace(self.rules, by_endpoint=needed, erased=erased))

    def _remembered(self, now_ms: int) -> dict[str, Erased]:
        """Return the erasures that something may still come of; those of what is not swept yet stay whole."""
        by_namespace: dict[str, dict[str, Erased]] = {}
        for name, one in self.rules.erased.items():
            by_namespace.setdefault(name.partition("/")[0], {})[name] = one
        kept: dict[str, Erased] = {}
        for namespace, marks in by_namespace.items():
            if any(layout.namespace_of(endpoint) == namespace for endpoint in self.rules.unswept):
                kept |= marks
                continue
            lasting_ms = max(self.longest_ms(namespace), self.rules.default.keep_for_s * 1_000)
            oldest_ms = now_ms - lasting_ms - int(PURGE_S * 1_000) - AHEAD_MS
            young = {name: one.remembered(oldest_ms) for name, one in marks.items()}
            kept |= bounded(young, namespace, AHEAD_MS)
        return kept

    def longest_ms(self, namespace: str) -> int:
        """Return how long anything of a namespace may be kept."""
        own = (rule.keep_for_s for name, rule in self.rules.by_endpoint.items() if name.startswith(f"{namespace}/"))
        return max(own, default=self.rules.default.keep_for_s) * 1_000

    def newest_ms(self, endpoint: str) -> int:
        """Return when the newest exchange ended that is held of an endpoint; 0 where none is."""
        return next((item.last_ms for item in self.index.of(endpoint)), 0)

    async def window(self, endpoint: str, from_ms: int, to_ms: int, limit: int) -> tuple[list[Exchange], int]:
        """Return at most `limit` exchanges of [from, to), oldest first, and how many there were in all."""
        async with self._turns.of(layout.namespace_of(endpoint)):
            return await self._window(endpoint, from_ms, to_ms, limit)

    async def _window(self, endpoint: str, from_ms: int, to_ms: int, limit: int) -> tuple[list[Exchange], int]:
        sample = WindowSample(from_ms, to_ms, limit, self.limits.window_bytes)
        async for item, data in self._read(lambda: self.index.between(endpoint, from_ms, to_ms)):
            lines = StoredLines(data)
            await asyncio.to_thread(sample.add, lines)
            self._examined(item, lines)
        rule, now_ms = self.rules.of(endpoint), self.clock_ms()
        return await asyncio.to_thread(lambda: list(sample.exchanges(rule, now_ms))), sample.seen

    async def exchange(self, endpoint: str, ids: Collection[str]) -> Exchange:
        """Return one exchange by what its id may be, newest first; HubError 404 when it is not kept (any more)."""
        rule = self.rules.of(endpoint)
        async with self._turns.of(layout.namespace_of(endpoint)):
            async for _, data in self._read(lambda: self.index.of(endpoint)):
                found = await asyncio.to_thread(find, StoredLines(data), ids)
                if found and (shown := limited(found, rule, self.clock_ms())):
                    return shown
        raise HubError(404, "NotFound", f"no such exchange of {endpoint} is kept")

    async def newest_first(
        self, endpoint: str, from_ms: int, to_ms: int, rest: list[ExchangeObject]
    ) -> AsyncGenerator[tuple[ExchangeObject, bytes]]:
        """Yield what may hold exchanges of [from, to), by when the last of each ended, in a turn of the namespace.

        `rest` holds what is left to read, and is brought up to date before each.
        """
        async with self._turns.of(layout.namespace_of(endpoint)):
            read: set[str] = set()
            while True:
                items = sorted(self.index.between(endpoint, from_ms, to_ms), key=lambda item: -item.last_ms)
                rest[:] = [item for item in items if item.path not in read]
                if not rest:
                    return
                item = rest.pop(0)
                read.add(item.path)
                if (data := await self.objects.get(item.path)) is not None:
                    yield item, data

    async def located(self, endpoint: str, ids: Collection[str]) -> dict[str, Whereabouts]:
        """Return the whereabouts of those exchanges that are kept, the newest first, as far as a window's bytes go."""
        wanted, found, left = {*ids}, dict[str, Whereabouts](), self.limits.window_bytes
        async with self._turns.of(layout.namespace_of(endpoint)):
            async for _, data in self._read(lambda: self.index.of(endpoint)):
                found |= await asyncio.to_thread(locate, StoredLines(data), wanted - found.keys())
                left -= len(data)
                if len(found) == len(wanted) or left < 0:
                    break
        return found

    def _examined(self, item: ExchangeObject, lines: StoredLines) -> None:
        if lines.damaged or not lines.data:
            self.damage.found("object", item.path)
        elif lines.bad_rows:
            self.damage.found("row", item.path, lines.bad_rows)

    async def _read(self, listed: Callable[[], list[ExchangeObject]]) -> AsyncIterator[tuple[ExchangeObject, bytes]]:
        """Yield objects with their data; those too that take the place of others meanwhile, when hours are joined."""
        read: set[str] = set()
        while items := [item for item in listed() if item.path not in read]:
            for item in items:
                read.add(item.path)
                if (data := await self.objects.get(item.path)) is not None:
                    yield item, data

    def unswept(self) -> list[str]:
        """Return the endpoints to purge; what has no rule waits until the operator has sent its rules."""
        return sorted(name for name in self.rules.unswept if self.asked or name in self.rules.by_endpoint)

    def may_stay_whole(self, item: ExchangeObject) -> bool:
        """Return whether an object may stay that cannot be cut down to what its rule leaves."""
        rule = self.rules.of(item.endpoint)
        return rule.content in ("Redacted", "Full") and item.last_ms >= rule.nothing_before_ms(self.clock_ms())

    def expired(self) -> Iterator[ExchangeObject]:
        """Yield the objects of which nothing may be kept: too old, or of an endpoint whose rule is None."""
        now_ms = self.clock_ms()
        for endpoint, _, items in self.index.hours():
            rule = self.rules.of(endpoint)
            oldest_ms = rule.nothing_before_ms(now_ms)
            yield from (item for item in items if rule.content == "None" or item.last_ms < oldest_ms)
