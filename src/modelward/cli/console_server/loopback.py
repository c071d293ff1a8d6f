"""A console on a person's own machine: a reader's token, a way to the hub, and pages on loopback."""

from __future__ import annotations

import asyncio
import socket
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from modelward.cli.console import err, out
from modelward.cli.console_server.kubectl import Kubectl
from modelward.console.hub_reader import HubReader
from modelward.console.login.ticket import Ticket
from modelward.console.server import serve
from modelward.console.settings import ConsoleSettings
from modelward.kubectl.hub import AUDIENCE, PORT, READER_ACCOUNT, SERVICE


@dataclass(frozen=True, slots=True)
class Loopback:
    """What the command was asked for; `hub_url` is a hub that takes no tokens, for trying it out."""

    kubectl: Kubectl
    namespace: str = ""
    account: str = READER_ACCOUNT
    system_namespace: str = "modelward-system"
    duration: str = "8h"
    port: int = 0
    browser: bool = True
    hub_url: str = ""
    cluster: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """How the hub is reached."""

    url: str
    token: str = ""
    ca_file: Path | None = None


async def look(asked: Loopback) -> None:
    """Serve pages until a signal; KubectlError where kubectl fails."""
    async with _way(asked) as way:
        port = asked.port or _free_port()
        settings = ConsoleSettings(
            listen=f"127.0.0.1:{port}",
            url=f"http://127.0.0.1:{port}",
            hub_url=way.url,
            hub_ca_file=way.ca_file,
            cluster=asked.cluster,
            hosts=(f"localhost:{port}",),
        )
        ticket = Ticket(HubReader.at(settings, way.token))
        address = settings.origin + ticket.path
        await serve(settings, ticket, lambda: _announce(address, browser=asked.browser))


@asynccontextmanager
async def _way(asked: Loopback) -> AsyncIterator[Way]:
    if asked.hub_url:
        yield Way(asked.hub_url)
        return
    kubectl = asked.kubectl
    token, authority = await asyncio.gather(
        kubectl.token(asked.namespace, asked.account, AUDIENCE, asked.duration),
        kubectl.hub_authority(asked.system_namespace),
    )
    async with kubectl.forwarded(asked.system_namespace, SERVICE, PORT) as port:
        with TemporaryDirectory(prefix="modelward-console-") as folder:
            ca_file = Path(folder) / "ca.crt"
            ca_file.write_text(authority, encoding="ascii")
            yield Way(f"https://127.0.0.1:{port}", token, ca_file)


def _announce(address: str, *, browser: bool) -> None:
    """Print the address, alone on standard output so that scripts can read it."""
    err.print("The console is open to you alone, by this address, once:", highlight=False)
    out.print(address, highlight=False, soft_wrap=True)
    err.print("Ctrl-C ends it.", highlight=False)
    if browser:
        webbrowser.open(address)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
