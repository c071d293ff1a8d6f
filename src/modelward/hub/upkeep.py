"""Hourly housekeeping: forget what is too old, and join the small objects of past hours."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from modelward.hub.joining import join
from modelward.hub.layout import HOUR_MS, ExchangeObject, hour_start_ms
from modelward.hub.results import ResultStore
from modelward.hub.store import ExchangeStore

log = logging.getLogger(__name__)
RESULTS_KEEP_MS = 168 * HOUR_MS
SETTLED_MS = 2 * HOUR_MS
"""An hour is joined when it ended this long ago: late exchanges have come by then."""
JOINED_EXCHANGES = 4_000


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did."""

    objects_deleted: int
    results_deleted: int
    objects_joined: int


async def sweep(store: ExchangeStore, results: ResultStore) -> Swept:
    """Delete what no rule lets us keep, then join; HubError when the store refuses."""
    gone = list(store.expired())
    await store.objects.delete([item.path for item in gone])
    store.index.remove(gone)
    await store.objects.delete(await store.damage.expired(store.keeps_text))
    old = await results.drop_before(store.clock_ms() - RESULTS_KEEP_MS)
    joined = await _join_past_hours(store)
    swept = Swept(len(gone), old, joined)
    log.info("sweep done deleted=%d results_deleted=%d joined=%d", len(gone), old, joined)
    return swept


async def _join_past_hours(store: ExchangeStore) -> int:
    settled_ms = store.clock_ms() - SETTLED_MS
    joined = 0
    for _, hour, items in store.index.hours():
        if hour_start_ms(hour) + HOUR_MS <= settled_ms:
            for group in [*groups(items), *([item] for item in items if item.path in store.damage.suspects)]:
                joined += await join(store, group)
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
