"""Microsoft Teams: a workflow that starts when a webhook request is received, and posts the Adaptive Card.

A message is at most 28 KB (learn.microsoft.com, Teams connector: known issues and limitations). Names and texts stand
in TextRuns, which hold text alone; a TextBlock would read Markdown.
"""

from __future__ import annotations

from typing import Any

from modelward.alerts.message import AlertFact, AlertMessage
from modelward.alerts.receiver import Addressee, Answered, HttpCall, Outgoing, SecretTemplate, Told
from modelward.alerts.receivers.json_call import json_call, secret_text
from modelward.alerts.receivers.kind import ReceiverKind
from modelward.alerts.receivers.replies import Replies, first_failure, undelivered
from modelward.alerts.receivers.text import AlertLine, footer, headline, left_out, lines, name_of

MESSAGE_BYTES = 28_000
ALERTS = 10
_SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"
_CARD_TYPE = "application/vnd.microsoft.card.adaptive"
_STYLES = {"Critical": "attention", "Warning": "warning", "Info": "accent"}
_HINTS = {
    400: "the workflow takes no Adaptive Card by this URL",
    401: "the URL is not complete; copy it whole from the workflow",
    403: "the workflow is not open to all who have its URL",
    404: "the workflow is gone or turned off",
    413: "the card is too large",
}
Element = dict[str, Any]


class TeamsCards:
    """One card a message: the workflow returns nothing by which a card could be found again."""

    def requests(self, message: AlertMessage, to: Addressee, replies: Replies = ()) -> tuple[Outgoing, ...]:
        """Return the post, with as many alerts as fit."""
        if replies:
            return ()
        teams = to.receiver.teams
        if teams is None:
            raise ValueError(f"{to.receiver.name} is no receiver in Teams")
        url: SecretTemplate = (secret_text(teams.webhook_url_from),)
        return (_fitting(url, message),)

    def read(self, message: AlertMessage, to: Addressee, replies: Replies) -> Answered:  # noqa: ARG002
        """A workflow answers 202 when it has started."""
        failed = first_failure(replies)
        return undelivered(failed, _HINTS.get(failed.status, "")) if failed else Told()


def _fitting(url: SecretTemplate, message: AlertMessage) -> HttpCall:
    for alerts in range(min(ALERTS, len(message.alerts)), 0, -1):
        call = json_call(url, _envelope(message, alerts))
        if len(call.body) <= MESSAGE_BYTES:
            return call
    return json_call(url, _envelope(message, 0))


def _envelope(message: AlertMessage, alerts: int) -> dict[str, Any]:
    attachment = {"contentType": _CARD_TYPE, "contentUrl": None, "content": card(message, alerts)}
    return {"type": "message", "attachments": [attachment]}


def card(message: AlertMessage, alerts: int) -> dict[str, Any]:
    """Return the Adaptive Card with so many alerts."""
    style = "good" if message.over and message.kind == "Resolved" else _STYLES[message.severity]
    style = "emphasis" if message.kind in ("Closed", "Test") else style
    title = _text([_run(headline(message), weight="Bolder", size="Large")])
    body: list[Element] = [{"type": "Container", "style": style, "bleed": True, "items": [title]}]
    body += [_alert(fact, lines(fact, message.sent_ms)) for fact in message.alerts[:alerts]]
    rest = left_out(message, alerts)
    body += [_text([_run(one, size="Small", isSubtle=True)]) for one in (rest, footer(message)) if one]
    url = message.url or next((fact.url for fact in message.alerts if fact.url), "")
    actions = [{"type": "Action.OpenUrl", "title": "Open in the console", "url": url}] if url else []
    return {
        "$schema": _SCHEMA,
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": headline(message),
        "msteams": {"width": "Full"},
        "body": body,
        "actions": actions,
    }


def _alert(fact: AlertFact, rows: tuple[AlertLine, ...]) -> Element:
    items = [_text([_run(name_of(fact), weight="Bolder")])]
    for row in rows:
        value = _run(row.value, fontType="Monospace") if row.command else _run(row.value)
        items.append(_text([_run(f"{row.label}: ", isSubtle=True), value], spacing="Small"))
    return {"type": "Container", "separator": True, "items": items}


def _text(inlines: list[Element], **more: Any) -> Element:
    return {"type": "RichTextBlock", "inlines": inlines, **more}


def _run(text: str, **more: Any) -> Element:
    return {"type": "TextRun", "text": text, **more}


TEAMS = ReceiverKind("teams", TeamsCards())
