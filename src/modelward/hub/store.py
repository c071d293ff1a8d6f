"""The exchanges and rules that the hub keeps."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import orjson

from modelward.api.exchange import Exchange
from modelward.hub import layout
from modelward.hub.damage import Damage
from modelward.hub.errors import HubError, busy
from modelward.hub.index import Index
from modelward.hub.layout import ExchangeObject
from modelward.hub.objects import ObjectStore
from modelward.hub.rules import Rule, Rules, limited, rules_from_json, rules_to_json
from modelward.hub.settings import Limits
from modelward.hub.stored import StoredLines
from modelward.hub.window import WindowSample, find

log = logging.getLogger(__name__)
READERS_WAITING = 32
"""Readers that may queue for their turn before the next is told to come back."""


@dataclass(slots=True)
class ExchangeStore:
    """Reading side of the exchanges and the rules over them; `clock_ms` returns Unix milliseconds."""

    objects: ObjectStore
    limits: Limits
    rules: Rules
    clock_ms: Callable[[], int]
    damage: Damage
    index: Index = field(default_factory=Index)
    _turns: asyncio.Semaphore = field(init=False)
    _queued: int = 0

    def __post_init__(self) -> None:
        self._turns = asyncio.Semaphore(self.limits.parallel_reads)

    async def load(self) -> None:
        """Learn from the store what it holds and which rules were last in force."""
        index = Index()
        async for path, _ in self.objects.paths("exchanges/"):
            if item := layout.exchange_object(path):
                index.add(item)
        self.index = index
        await self._load_rules()
        log.info("store loaded objects=%d rules=%d", index.size(), len(self.rules.by_endpoint))

    async def _load_rules(self) -> None:
        """Without rules nothing but metadata is kept or shown, until the operator puts them again."""
        data = await self.objects.get(layout.RULES_PATH)
        if data is None:
            return
        try:
            self.rules = rules_from_json(orjson.loads(data), self.rules.default)
        except (ValueError, HubError):
            self.damage.found("rules", layout.RULES_PATH)
            await self.damage.set_aside(layout.RULES_PATH)

    def noted(self, item: ExchangeObject) -> None:
        """Take note of an object that was just stored."""
        self.index.add(item)

    async def set_rules(self, rules: Rules) -> None:
        """Put rules in force, first here, then in the store for the next start."""
        if rules == self.rules:
            return
        self.rules = rules
        await self.objects.put(layout.RULES_PATH, orjson.dumps(rules_to_json(rules)))
        log.info("rules set endpoints=%d", len(rules.by_endpoint))

    async def window(self, endpoint: str, from_ms: int, to_ms: int, limit: int) -> tuple[list[Exchange], int]:
        """Return at most `limit` exchanges of [from, to), oldest first, and how many there were in all."""
        if self._queued >= READERS_WAITING:
            raise busy("too many windows are being read; ask again later")
        self._queued += 1
        try:
            async with self._turns:
                return await self._window(endpoint, from_ms, to_ms, limit)
        finally:
            self._queued -= 1

    async def _window(self, endpoint: str, from_ms: int, to_ms: int, limit: int) -> tuple[list[Exchange], int]:
        sample = WindowSample(from_ms, to_ms, limit, self.limits.window_bytes)
        for item in self.index.between(endpoint, from_ms, to_ms):
            data = await self.objects.get(item.path)
            if data is not None:
                lines = StoredLines(data)
                await asyncio.to_thread(sample.add, lines)
                self._examined(item, lines)
        rule, now_ms = self.rules.of(endpoint), self.clock_ms()
        return await asyncio.to_thread(lambda: list(sample.exchanges(rule, now_ms))), sample.seen

    async def exchange(self, endpoint: str, exchange_id: str) -> Exchange:
        """Return one exchange by its id, newest first; HubError 404 when it is not kept (any more)."""
        rule = self.rules.of(endpoint)
        async with self._turns:
            for item in self.index.of(endpoint):
                data = await self.objects.get(item.path)
                found = await asyncio.to_thread(find, StoredLines(data), exchange_id) if data else None
                if found and (shown := limited(found, rule, self.clock_ms())):
                    return shown
        raise HubError(404, "NotFound", f"no exchange {exchange_id!r} of {endpoint} is kept")

    def _examined(self, item: ExchangeObject, lines: StoredLines) -> None:
        if lines.damaged or not lines.data:
            self.damage.found("object", item.path)
        elif lines.bad_rows:
            self.damage.found("row", item.path, lines.bad_rows)

    def keeps_text(self, endpoint: str) -> bool:
        """Tell whether the endpoint's rule lets text be kept."""
        return self.rules.of(endpoint).content in ("Redacted", "Full")

    def expired(self) -> Iterator[ExchangeObject]:
        """Yield the objects of which nothing may be kept: too old, or of an endpoint whose rule is None."""
        now_ms = self.clock_ms()
        for endpoint, _, items in self.index.hours():
            rule: Rule = self.rules.of(endpoint)
            yield from (
                item for item in items if rule.content == "None" or item.last_ms < now_ms - rule.keep_for_s * 1_000
            )
