"""Collections of garbage that stay short, and still find what becomes garbage later."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest
from virtual_time import in_virtual_time

from modelward.operator.runtime.garbage import FREEZE_EVERY_S, THAW_EVERY_S, keep_short


class Node:
    """An object that refers to itself, which only a collection frees."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@in_virtual_time
async def test_garbage_collections_pass_over_what_has_come_to_stay() -> None:
    keeping = asyncio.create_task(keep_short())
    await asyncio.sleep(0)
    kept = [Node() for _ in range(1_000)]
    before = gc.get_freeze_count()
    await asyncio.sleep(2 * FREEZE_EVERY_S)
    assert gc.get_freeze_count() - before >= len(kept)
    keeping.cancel()


@in_virtual_time
async def test_garbage_that_was_frozen_is_freed_some_hours_later() -> None:
    node = Node()
    gone = weakref.ref(node)
    keeping = asyncio.create_task(keep_short())
    await asyncio.sleep(0)
    del node
    await asyncio.sleep(2 * FREEZE_EVERY_S)
    assert gone() is not None
    await asyncio.sleep(THAW_EVERY_S)
    assert gone() is None
    keeping.cancel()
