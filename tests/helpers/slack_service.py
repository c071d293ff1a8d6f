"""Slack as its documents describe it: an incoming webhook and the Web API, with the limits of Block Kit.

From docs.slack.dev: messaging/sending-messages-using-incoming-webhooks, reference/block-kit/blocks,
reference/methods/chat.postMessage and chat.update, messaging/formatting-message-text; and what bolt-js 2509 measured.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

WEBHOOK_PATH = "/services/T0000/B0000/XXXXXXXX"
TOKEN = "xoxb-token"
CHANNEL = "C0123456789"
_LIMITS = {"header": 150, "plain_text": 3_000, "mrkdwn": 3_000}
_MENTION = re.compile(r"<(!|@|#|https?:)")


class BrokenRuleError(Exception):
    """What Slack answers to a message that breaks its rules."""


@dataclass
class SlackService:
    """The messages of one channel, and who was called by a mention."""

    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    edits: int = 0
    fail: list[web.Response] = field(default_factory=list)
    """What is answered instead, first to last."""

    @property
    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_post(WEBHOOK_PATH, self._webhook)
        app.router.add_post("/api/{method}", self._api)
        return app

    @property
    def texts(self) -> list[str]:
        """All that a person reads, message by message."""
        return ["\n".join(_read(one["blocks"])) for one in self.messages.values()]

    async def _webhook(self, request: web.Request) -> web.Response:
        if self.fail:
            return self.fail.pop(0)
        try:
            self._take(checked(await _body(request)))
        except BrokenRuleError as error:
            return web.Response(status=400, text=str(error))
        return web.Response(text="ok")

    async def _api(self, request: web.Request) -> web.Response:
        if self.fail:
            return self.fail.pop(0)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _no("invalid_auth")
        try:
            message = checked(await _body(request))
        except BrokenRuleError as error:
            return _no(str(error))
        if message.get("channel") not in (CHANNEL, "#alerts"):
            return _no("channel_not_found")
        if request.match_info["method"] == "chat.update":
            return self._update(message)
        if message.get("thread_ts") and message["thread_ts"] not in self.messages:
            return _no("thread_not_found")
        return web.json_response({"ok": True, "channel": CHANNEL, "ts": self._take(message), "message": {}})

    def _update(self, message: dict[str, Any]) -> web.Response:
        if message["channel"] != CHANNEL:
            return _no("channel_not_found")  # it takes an id, and no name
        if message.get("ts") not in self.messages:
            return _no("message_not_found")
        self.edits += 1
        self.messages[message["ts"]] |= message
        return web.json_response({"ok": True, "channel": CHANNEL, "ts": message["ts"]})

    def _take(self, message: dict[str, Any]) -> str:
        ts = f"1700000000.{len(self.messages) + 1:06d}"
        self.messages[ts] = message
        return ts


def _no(error: str) -> web.Response:
    return web.json_response({"ok": False, "error": error})


async def _body(request: web.Request) -> dict[str, Any]:
    if request.content_type != "application/json":
        raise BrokenRuleError("invalid_form_data")
    try:
        found = await request.json()
    except ValueError:
        raise BrokenRuleError("invalid_json") from None
    if not isinstance(found, dict):
        raise BrokenRuleError("invalid_payload")
    return found


def checked(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message that Slack takes. Raises BrokenRuleError."""
    blocks = message.get("blocks", [])
    if not message.get("text") and not blocks:
        raise BrokenRuleError("no_text")
    if len(message.get("text", "")) > 40_000 or len(blocks) > 50:
        raise BrokenRuleError("msg_too_long" if len(blocks) <= 50 else "invalid_blocks")
    if len(json.dumps(blocks, ensure_ascii=False)) > 13_200 * 2 or sum(map(len, _read(blocks))) > 13_200:
        raise BrokenRuleError("msg_blocks_too_long")
    for block in blocks:
        _block(block)
    if _MENTION.search(message.get("text", "")):
        raise BrokenRuleError("a mention in the fallback text calls people")
    return message


def _block(block: dict[str, Any]) -> None:
    kind = block["type"]
    if kind == "header":
        _text(block["text"], "plain_text", _LIMITS["header"])
    elif kind == "context":
        if not 1 <= len(block["elements"]) <= 10:
            raise BrokenRuleError("invalid_blocks")
        for one in block["elements"]:
            _text(one, one["type"], _LIMITS[one["type"]])
    elif kind == "rich_text":
        for section in block["elements"]:
            if section["type"] not in ("rich_text_section", "rich_text_preformatted"):
                raise BrokenRuleError("invalid_blocks")
            for one in section["elements"]:
                if one["type"] not in ("text", "link") or not one["text"]:
                    raise BrokenRuleError("invalid_blocks")
    else:
        raise BrokenRuleError("invalid_blocks")


def _text(one: dict[str, Any], kind: str, limit: int) -> None:
    if one["type"] != kind or not 1 <= len(one["text"]) <= limit:
        raise BrokenRuleError("invalid_blocks")
    if kind == "mrkdwn" and re.search(r"<[!@#]", one["text"]):
        raise BrokenRuleError("a mention calls people")


def _read(blocks: list[dict[str, Any]]) -> Iterator[str]:
    for block in blocks:
        if block["type"] == "header":
            yield block["text"]["text"]
        elif block["type"] == "context":
            yield from (one["text"] for one in block["elements"])
        else:
            yield from ("".join(one["text"] for one in section["elements"]) for section in block["elements"])
