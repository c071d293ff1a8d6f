"""What the handlers of all pages share: who asks, what stands around a page, and how one is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web

from modelward.console.assets import Assets
from modelward.console.headers import NONCE
from modelward.console.render import NavItem, Notice, PageFrame, write
from modelward.console.sessions import Session, Sessions
from modelward.console.settings import ConsoleSettings
from modelward.console.site.packing import page_response
from modelward.hub_client.session import HubUnavailableError

T = TypeVar("T")
SESSION = web.RequestKey("session", Session)
_NAV = (("Fleet", "/"), ("Alerts", "/alerts"), ("Policies", "/policies"), ("Audit", "/audit"))
NOTICES = {
    "silenced": Notice("Asked for. The operator makes the AlertSilence within a minute, with your name.", "done"),
    "labelled": Notice("Kept. It counts in the evaluator’s measured error from its next results on.", "done"),
    "left": Notice("You are signed out.", "done"),
}


@dataclass(frozen=True, slots=True)
class Desk:
    """One running console."""

    settings: ConsoleSettings
    assets: Assets
    sessions: Sessions
    clock_ms: Callable[[], int]

    def page(
        self,
        request: web.Request,
        template: str,
        page: Any,
        current: str = "",
        *,
        live: bool = False,
        status: int = 200,
        firing: int = 0,
    ) -> web.Response:
        """Return a page in its frame."""
        session = request.get(SESSION)
        frame = PageFrame(
            nonce=request[NONCE],
            print_sheet=self.assets.print_sheet,
            scripts=self.assets.scripts,
            icon=self.assets.icon,
            person=session.person.name if session else "",
            cluster=self.settings.cluster,
            can_leave=session is not None,
            nav=tuple(NavItem(text, href, text == current, firing if text == "Alerts" else 0) for text, href in _NAV),
            notice=NOTICES.get(request.query.get("done", "")),
            live=request.path_qs if live else "",
        )
        return page_response(request, write(template, frame, page), status)


DESK = web.AppKey("desk", Desk)


def desk_of(request: web.Request) -> Desk:
    """Return the console that a request came to."""
    return request.app[DESK]


def session_of(request: web.Request) -> Session:
    """Return who asks; the gate lets only them through."""
    return request[SESSION]


def namespaces_of(session: Session) -> tuple[str, ...]:
    """Return the namespaces that a person is known to see."""
    return tuple(one.namespace for one in session.person.namespaces)


async def unless_away(answer: Awaitable[T]) -> T | None:
    """Return what the hub answers, and None where it has no answer: a page is worth reading without.

    A refusal to show it is raised on.
    """
    try:
        return await answer
    except HubUnavailableError as error:
        if error.status in (401, 403):
            raise
        return None


def place_of(request: web.Request) -> tuple[str, str]:
    """Return the namespace and the name in an address."""
    return request.match_info["namespace"][:63], request.match_info["name"][:253]
