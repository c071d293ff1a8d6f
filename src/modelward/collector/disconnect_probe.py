"""When the model server behind a sidecar is gone, idle clients are let go, as it would have let them go itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from modelward.collector.targets import Target, Targets


class DisconnectProbe:
    """Probes whether a server that closed a connection still listens, and closes what no client waits on if not.

    A client that keeps its connection to a pod that leaves, or whose model crashed, would else receive 502 again and
    again while its Service leads to other pods.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, targets: Targets, close_idle: Callable[[], None]) -> None:
        self._loop, self._targets, self._close_idle = loop, targets, close_idle
        self._look: asyncio.Task[None] | None = None

    def refused(self, target: Target) -> bool:
        """A server does not listen; return whether it is the only one, without a substitute."""
        alone = self._targets.is_only_pod(target)
        if alone:
            self._close_idle()
        return alone

    def suspect(self, target: Target) -> None:
        """A server ended an idle connection, or one in the midst of an answer; one probe at a time."""
        if self._look is None and self._targets.is_only_pod(target):
            self._look = self._loop.create_task(self._look_after(target))

    async def _look_after(self, target: Target) -> None:
        try:
            transport, _ = await self._loop.create_connection(asyncio.Protocol, target.host, target.port)
            transport.close()
        except ConnectionRefusedError:
            self.refused(target)
        except OSError:
            return  # no word on whether it listens
        finally:
            self._look = None
