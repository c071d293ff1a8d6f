"""Sending to the platform's receivers: the operator's own Secrets, mounted by the chart, and its own way out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from yarl import URL

from modelward.alerts.message import AlertMessage
from modelward.alerts.receiver import Addressee, Answered
from modelward.api.alerts import PlatformReceiver
from modelward.desired.pod_additions import SECRETS_DIRECTORY
from modelward.job.delivery.courier import Courier, courier

AT_ONCE = 8
"""Messages that are on their way at the same time; others wait their turn."""


@dataclass(frozen=True, slots=True)
class PlatformPort:
    """Sends messages of all namespaces; a receiver that hangs holds one place, and no other receiver up."""

    courier: Courier
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def deliver(self, message: AlertMessage, to: Addressee) -> Answered:
        """Send, and return what became of it; never raises but where it is cancelled."""
        async with self.places:
            return await self.courier.deliver(message, to)


def platform_port(
    receivers: Iterable[PlatformReceiver], hosts: tuple[str, ...], secrets: Path = Path(SECRETS_DIRECTORY)
) -> PlatformPort:
    """Return the port; a host that the values name for a receiver need not be named again."""
    own = {host for one in receivers for host in written_hosts(one)}
    return PlatformPort(courier((*hosts, *sorted(own)), secrets))


def written_hosts(receiver: PlatformReceiver) -> Iterator[str]:
    """Yield the hosts that a receiver's block names itself; those of addresses in Secrets are not known."""
    urls = [*(receiver.alertmanager.urls if receiver.alertmanager else ())]
    urls += [receiver.webhook.url] if receiver.webhook and receiver.webhook.url else []
    urls += [receiver.git_issue.api_url] if receiver.git_issue and receiver.git_issue.api_url else []
    yield from (host for url in urls if (host := URL(url).raw_host))
    if receiver.email:
        yield receiver.email.server.rpartition(":")[0]
