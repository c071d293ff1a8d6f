"""The one-time token of a console on a person's own machine: only whoever started it opens it."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field

from aiohttp import web

from modelward.console.hub_reader import HubReader
from modelward.console.login.session import session_begun
from modelward.console.site.trouble import Trouble, trouble_page

OPEN_PATH = "/open"


@dataclass(slots=True)
class Ticket:
    """Opens one session, once; `hub` asks with the reader's token that the console was started with."""

    hub: HubReader
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    used: bool = False

    @property
    def path(self) -> str:
        """What is opened in the browser."""
        return f"{OPEN_PATH}?token={self.secret}"

    def right(self, shown: str) -> bool:
        """Return whether this is the token, and no session has come of it."""
        return not self.used and hmac.compare_digest(shown.encode(), self.secret.encode())


TICKET = web.AppKey("ticket", Ticket)


async def open_by_ticket(request: web.Request) -> web.Response:
    """Answer the address that the console printed: a session, and the fleet."""
    ticket = request.app[TICKET]
    if not ticket.right(request.query.get("token", "")):
        lines = ("The address that was printed opens the console once. Start it again for a new one.",)
        return trouble_page(request, 403, Trouble("This address was used already", lines, ("modelward console",)))
    person = await ticket.hub.me()
    ticket.used = True
    raise await session_begun(request, person, ticket.hub)
