"""A Teams workflow "when a webhook request is received, post the card": what its trigger and the card may be.

From learn.microsoft.com (Teams connector, known issues: about 28 KB a message; the envelope of webhooks) and
adaptivecards.io (elements of version 1.4; TextRuns hold text alone).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

PATH = "/powerautomate/automations/direct/workflows/0f/triggers/manual/paths/invoke"
QUERY = "api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=S-e_c"
MESSAGE_BYTES = 28 * 1024
_STYLES = {"default", "emphasis", "good", "attention", "warning", "accent"}


@dataclass
class TeamsService:
    """The cards of one channel."""

    cards: list[dict[str, Any]] = field(default_factory=list)
    fail: list[web.Response] = field(default_factory=list)

    @property
    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_post(PATH, self._trigger)
        return app

    @property
    def texts(self) -> list[str]:
        """All that a person reads, card by card."""
        return ["\n".join(_read(card["body"])) for card in self.cards]

    async def _trigger(self, request: web.Request) -> web.Response:
        if self.fail:
            return self.fail.pop(0)
        if request.rel_url.raw_query_string != QUERY:
            return web.Response(status=401)
        raw = await request.read()
        if len(raw) > MESSAGE_BYTES:
            return web.Response(status=413)
        try:
            body = await request.json()
            (attachment,) = body["attachments"]
            good = body["type"] == "message"
            good = good and attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
            good = good and attachment["contentUrl"] is None and is_card(attachment["content"])
        except (ValueError, KeyError, TypeError):
            good = False
        if not good:
            return web.Response(status=400)
        self.cards.append(attachment["content"])
        return web.Response(status=202)


def is_card(card: dict[str, Any]) -> bool:
    """Return whether Teams shows it."""
    if card["type"] != "AdaptiveCard" or card["version"] not in ("1.2", "1.3", "1.4", "1.5"):
        return False
    links = all(
        one["type"] == "Action.OpenUrl" and urlsplit(one["url"]).scheme == "https" for one in card.get("actions", ())
    )
    return links and all(map(_is_element, card["body"]))


def _is_element(one: dict[str, Any]) -> bool:
    if one["type"] == "Container":
        return one.get("style", "default") in _STYLES and all(map(_is_element, one["items"]))
    if one["type"] == "RichTextBlock":
        return all(run["type"] == "TextRun" and isinstance(run["text"], str) for run in one["inlines"])
    return False  # a TextBlock would read Markdown in names


def _read(elements: list[dict[str, Any]]) -> Iterator[str]:
    for one in elements:
        if one["type"] == "Container":
            yield from _read(one["items"])
        else:
            yield "".join(run["text"] for run in one["inlines"])
