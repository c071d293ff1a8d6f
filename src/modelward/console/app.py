"""All addresses of the console."""

from __future__ import annotations

from aiohttp import web

from modelward.console.login import oidc, pasted
from modelward.console.login.page import login, logout
from modelward.console.login.pending import PendingLogins
from modelward.console.login.provider import Provider
from modelward.console.login.ticket import OPEN_PATH, TICKET, Ticket, open_by_ticket
from modelward.console.site import static
from modelward.console.site.alerts import alerts, silence
from modelward.console.site.audit import audit
from modelward.console.site.cost import cost
from modelward.console.site.desk import DESK, Desk
from modelward.console.site.endpoint import endpoint
from modelward.console.site.fleet import fleet
from modelward.console.site.gate import HEALTH, LAYERS
from modelward.console.site.policies import policies, policy, preview
from modelward.console.site.transcripts import label, transcripts
from modelward.console.site.why import revisions, why

MAX_BODY = 64 << 10


def application(desk: Desk, ticket: Ticket | None = None) -> web.Application:
    """Return the aiohttp application."""
    app = web.Application(middlewares=LAYERS, client_max_size=MAX_BODY)
    app[DESK] = desk
    app.router.add_get("/", fleet)
    one = "/e/{namespace}/{name}"
    app.router.add_get(one, endpoint)
    app.router.add_get(f"{one}/why", why)
    app.router.add_get(f"{one}/revisions", revisions)
    app.router.add_get(f"{one}/cost", cost)
    app.router.add_get(f"{one}/transcripts", transcripts)
    app.router.add_post(f"{one}/transcripts/label", label)
    app.router.add_get("/alerts", alerts)
    app.router.add_post("/alerts/silence", silence)
    app.router.add_get("/policies", policies)
    app.router.add_get("/policies/{namespace}/{name}", policy)
    app.router.add_post("/policies/{namespace}/{name}/preview", preview)
    app.router.add_get("/audit", audit)
    app.router.add_get("/static/{digest}/{name:.+}", static.static)
    app.router.add_get(HEALTH, static.healthz)
    _ways_in(app, desk, ticket)
    return app


def _ways_in(app: web.Application, desk: Desk, ticket: Ticket | None) -> None:
    """Add the ways to sign in that this console has; the others do not exist."""
    settings = desk.settings
    app.router.add_get("/login", login)
    app.router.add_post("/logout", logout)
    if ticket is not None:
        app[TICKET] = ticket
        app.router.add_get(OPEN_PATH, open_by_ticket)
    if settings.oidc is not None:
        app[oidc.PROVIDER] = Provider(settings.oidc, settings.origin + oidc.CALLBACK, desk.clock_ms)
        app[oidc.PENDING] = PendingLogins(desk.clock_ms)
        app.router.add_get(oidc.BEGIN, oidc.begin)
        app.router.add_get(oidc.CALLBACK, oidc.callback)
    if settings.pasted:
        app.router.add_post(pasted.PATH, pasted.pasted)
