"""Pages that say what went wrong, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from modelward.console.site.desk import desk_of
from modelward.hub_client.session import HubUnavailableError


@dataclass(frozen=True, slots=True)
class Trouble:
    """What stands on such a page; `commands` can be copied."""

    title: str
    lines: tuple[str, ...]
    commands: tuple[str, ...] = ()
    link: str = "/"
    link_text: str = "Back to the fleet"


def hub_trouble(error: HubUnavailableError) -> tuple[int, Trouble]:
    """Return the status and the page for what the hub answered."""
    text = str(error)[:500]
    if error.status == 403:
        lines = (text, "Who may: `get llmendpoints` shows numbers, `get llmendpoints/exchanges` text.")
        command = "kubectl auth can-i get llmendpoints --subresource=exchanges -n NAMESPACE"
        return 403, Trouble("You may not see this", lines, (command,))
    if error.status == 404:
        return 404, Trouble("There is no such thing here", ("It is not there, or not among what you may see.",))
    if error.status == 400:
        return 400, Trouble("The hub did not understand this", (text,))
    if error.status in (429, 503):
        return 503, Trouble("The hub is busy", (text, "Load the page again in a moment."))
    lines = (
        "The hub does not answer, so there is nothing to show. Serving, scaling and alerts go on without it.",
        text,
    )
    return 502, Trouble(
        "The hub cannot be reached", lines, ("modelward doctor", "kubectl get pods -n modelward-system")
    )


def trouble_page(request: web.Request, status: int, trouble: Trouble) -> web.Response:
    """Return such a page."""
    return desk_of(request).page(request, "trouble.html", trouble, status=status)
