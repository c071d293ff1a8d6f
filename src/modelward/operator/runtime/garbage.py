"""Keeps Python's collections of garbage short, however many objects the operator knows.

A collection goes over all objects that are not frozen while nothing else runs: seconds with the state of thousands of
endpoints, in which pages time out and changes wait.
"""

from __future__ import annotations

import asyncio
import gc

FREEZE_EVERY_S = 30.0
THAW_EVERY_S = 6 * 3_600.0
"""What became garbage after it was frozen is found this often, by one collection that goes over everything."""
_YOUNG, _MIDDLE, _OLD = 5_000, 20, 40
"""A page of a list decodes to more than the 700 new objects after which Python collects by default."""


async def keep_short() -> None:
    """Freeze what has come to stay, again and again until cancelled."""
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
    loop = asyncio.get_running_loop()
    thawed_s = loop.time()
    while True:
        if loop.time() - thawed_s >= THAW_EVERY_S:
            gc.unfreeze()
            thawed_s = loop.time()
        freeze()
        await asyncio.sleep(FREEZE_EVERY_S)


def freeze() -> None:
    """Collect what is garbage by now, and leave all else out of collections to come."""
    gc.collect()
    gc.freeze()
