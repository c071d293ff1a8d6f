"""Sending to the platform's receivers: the operator's own Secrets, mounted by the chart, and its own way out."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from yarl import URL

from modelward.alerts.message import AlertMessage
from modelward.alerts.receiver import Addressee, Answered
from modelward.api.alert_receivers import PlatformReceiver
from modelward.job.delivery.courier import Courier, courier
from modelward.job.delivery.way_out import WayOut
from modelward.operator.runtime.alert_settings import AlertSettings

PLATFORM_SECRETS = Path("/etc/modelward-secrets")
"""Where the chart mounts the Secrets of the platform's receivers into the operator, a folder for each."""
AT_ONCE = 8
OF_ONE_RECEIVER = 2
"""Messages that are on their way at the same time, of all and to one receiver; others wait their turn."""


@dataclass(frozen=True, slots=True)
class PlatformPort:
    """Sends messages of all namespaces; a receiver that hangs holds two places, and no other receiver up."""

    courier: Courier
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    own: defaultdict[str, asyncio.Semaphore] = field(
        default_factory=lambda: defaultdict(lambda: asyncio.Semaphore(OF_ONE_RECEIVER))
    )

    async def deliver(self, message: AlertMessage, to: Addressee) -> Answered:
        """Send, and return what became of it; never raises but where it is cancelled."""
        async with self.own[to.receiver.name], self.places:
            return await self.courier.deliver(message, to)


def platform_port(
    settings: AlertSettings, environ: Mapping[str, str], secrets: Path = PLATFORM_SECRETS
) -> PlatformPort:
    """Return the port; a host that the values name for a receiver need not be named again.

    `environ` is what the Helm value podSettings.env gives: a proxy, certificate authorities.
    """
    own = {host for one in settings.receivers for host in written_hosts(one)}
    return PlatformPort(courier((*settings.allowed_hosts, *sorted(own)), secrets, WayOut({**os.environ, **environ})))


def written_hosts(receiver: PlatformReceiver) -> Iterator[str]:
    """Yield the hosts that a receiver's block names itself; those of addresses in Secrets are not known."""
    urls = [*(receiver.alertmanager.urls if receiver.alertmanager else ())]
    urls += [receiver.webhook.url] if receiver.webhook and receiver.webhook.url else []
    urls += [receiver.git_issue.api_url] if receiver.git_issue and receiver.git_issue.api_url else []
    yield from (host for url in urls if (host := URL(url).raw_host))
    if receiver.email:
        yield receiver.email.server.rpartition(":")[0]
