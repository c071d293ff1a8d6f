"""Housekeeping: take away what rules no longer allow, forget what is too old, join the small objects of past hours."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from modelward.hub.errors import HubError
from modelward.hub.joining import join
from modelward.hub.layout import HOUR_MS, ExchangeObject, hour_start_ms, namespace_of
from modelward.hub.results import ResultStore
from modelward.hub.rewriting import rewrite
from modelward.hub.rules import limited
from modelward.hub.store import ExchangeStore

log = logging.getLogger(__name__)
RESULTS_KEEP_MS = 168 * HOUR_MS
SETTLED_MS = 2 * HOUR_MS
"""An hour is joined when it ended this long ago: late exchanges have come by then."""
JOINED_EXCHANGES = 4_000
CROWDED_OBJECTS = 20_000


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did."""

    objects_deleted: int
    results_deleted: int
    objects_joined: int


async def sweep(store: ExchangeStore, results: ResultStore) -> Swept:
    """Delete what no rule lets us keep, then join; HubError when the store refuses."""
    async with store.tidying:
        gone = list(store.expired())
        await store.objects.delete([item.path for item in gone])
        store.index.remove(gone)
        await store.objects.delete(await store.damage.expired(store.may_stay_whole))
        old = await results.drop_before(store.clock_ms() - RESULTS_KEEP_MS)
        now_ms = store.clock_ms()
        await results.forget_moved(lambda key: key.to_ms < store.rules.of(key.endpoint).nothing_before_ms(now_ms))
        await store.forget_rules()
        joined = await _join_past_hours(store)
    swept = Swept(len(gone), old, joined)
    log.info("sweep done deleted=%d results_deleted=%d joined=%d", len(gone), old, joined)
    return swept


async def purge(store: ExchangeStore) -> int:
    """Take from the disk what changed rules and erasures forbid; return how many exchanges went. HubError as above.

    Age does not count here: it is not decided by a clock that may be wrong.
    """
    gone = 0
    failed: HubError | None = None
    for endpoint in store.unswept():
        try:
            async with store.tidying:
                gone += await _purge(store, endpoint)
        except HubError as error:
            failed = error  # the others' text must not wait for it
    if gone or failed:
        log.info("purge done exchanges_deleted=%d endpoints_left=%d", gone, len(store.unswept()))
    if failed:
        raise failed
    return gone


async def _purge(store: ExchangeStore, endpoint: str) -> int:
    rule, gone = store.rules.of(endpoint), 0
    for item in store.index.of(endpoint):
        gone += await _purged(store, item)
    await store.objects.delete(await store.damage.expired(lambda item: item.endpoint != endpoint))
    if store.rules.of(endpoint) == rule:  # else it was tightened again, and is swept again
        await store.keep_rules(replace(store.rules, unswept=store.rules.unswept - {endpoint}))
    return gone


async def _purged(store: ExchangeStore, item: ExchangeObject) -> int:
    rule = store.rules.of(item.endpoint)
    if rule.content == "None" or item.last_ms < rule.nothing_before_ms(0):
        await store.objects.delete([item.path])
        store.index.remove([item])
        return item.count
    return len(await rewrite(store.objects, store.index, item, lambda exchange: limited(exchange, rule, 0)))


async def join_crowded(store: ExchangeStore) -> int:
    """Join the hours of namespaces with very many objects without waiting for their end; return how many were joined.

    Each object costs memory, and at their limit a namespace would lose its oldest exchanges because of it.
    """
    joined = 0
    for endpoint, hour, items in store.index.hours():
        if len(items) > 1 and store.index.usage(namespace_of(endpoint))[1] > CROWDED_OBJECTS:
            async with store.tidying:
                joined += await _join_hour(store, endpoint, hour, items)
    return joined


async def _join_past_hours(store: ExchangeStore) -> int:
    settled_ms = store.clock_ms() - SETTLED_MS
    joined = 0
    for endpoint, hour, items in store.index.hours():
        if hour_start_ms(hour) + HOUR_MS <= settled_ms:
            joined += await _join_hour(store, endpoint, hour, items)
    return joined


async def _join_hour(store: ExchangeStore, endpoint: str, hour: str, items: list[ExchangeObject]) -> int:
    """Join an hour; what the store refuses of it is left for the next time, and holds up no other."""
    joined = 0
    for group in [*groups(items), *([item] for item in items if item.path in store.damage.suspects)]:
        try:
            joined += await join(store, group)
        except HubError as error:
            log.error("hour not joined endpoint=%s hour=%s cause=%r", endpoint, hour, str(error))
    return joined


def groups(items: Iterable[ExchangeObject]) -> Iterator[list[ExchangeObject]]:
    """Yield runs of small objects, each of at most JOINED_EXCHANGES exchanges and at least two objects."""
    group: list[ExchangeObject] = []
    for item in sorted(items, key=lambda i: i.first_ms):
        if group and sum(i.count for i in group) + item.count > JOINED_EXCHANGES:
            if len(group) > 1:
                yield group
            group = []
        group.append(item)
    if len(group) > 1:
        yield group
