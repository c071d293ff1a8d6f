"""A message as Slack's blocks. Text stands in elements that hold text alone, so nothing in it is read as markup.

Limits: docs.slack.dev/reference/block-kit (50 blocks, a header of 150 characters, 10 elements of a context), and the
13,200 characters that all blocks together were seen to take (bolt-js 2509).
"""

from __future__ import annotations

from typing import Any

from modelward.alerts.message import AlertFact, AlertMessage
from modelward.alerts.receivers.text import AlertLine, footer, headline, left_out, lines, name_of

Block = dict[str, Any]

HEADER_CHARACTERS = 150
ALERTS = 10
CHARACTERS = 10_000
"""Of all alerts together; each has at most seven lines of 600."""
FALLBACK_CHARACTERS = 300
_SIGNS = {"Critical": "🔴", "Warning": "🟠", "Info": "🔵"}


def sign(message: AlertMessage) -> str:
    """Return the colour of a message as a character."""
    if message.over:
        return "🟢" if message.kind == "Resolved" else "⚪"
    return _SIGNS[message.severity] if message.kind != "Test" else "🔵"


def blocks(message: AlertMessage) -> list[Block]:
    """Return a header, a block for each alert, and a footer with the link."""
    alerts, left = [], CHARACTERS
    for fact in message.alerts[:ALERTS]:
        rows = lines(fact, message.sent_ms)
        left -= sum(len(row.label) + len(row.value) + 4 for row in rows) + len(name_of(fact)) + len(fact.url)
        if left < 0:
            break
        alerts.append(_alert(fact, rows))
    title = f"{sign(message)} {headline(message, HEADER_CHARACTERS - 2)}"
    header = {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}}
    return [header, *alerts, *_rest(left_out(message, len(alerts))), _footer(message)]


def fallback(message: AlertMessage) -> str:
    """Return the text of notifications, where Slack reads markup: its three special characters are escaped."""
    text = f"{sign(message)} {headline(message, FALLBACK_CHARACTERS)}"
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _alert(fact: AlertFact, rows: tuple[AlertLine, ...]) -> Block:
    name = {"type": "text", "text": name_of(fact), "style": {"bold": True}}
    link = [{"type": "text", "text": "  "}, {"type": "link", "url": fact.url, "text": "Open"}] if fact.url else []
    elements = [name, *link]
    for row in rows:
        elements.append({"type": "text", "text": f"\n{row.label}: "})
        elements.append({"type": "text", "text": row.value, **({"style": {"code": True}} if row.command else {})})
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}


def _rest(text: str) -> list[Block]:
    return [{"type": "context", "elements": [{"type": "plain_text", "text": text, "emoji": False}]}] if text else []


def _footer(message: AlertMessage) -> Block:
    elements: list[Block] = [{"type": "plain_text", "text": footer(message), "emoji": False}]
    if message.url:
        # The one mrkdwn of ours: its address is the installation's own.
        elements.append({"type": "mrkdwn", "text": f"<{message.url}|Console>"})
    return {"type": "context", "elements": elements}
