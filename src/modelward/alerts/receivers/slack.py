"""Slack: an incoming webhook, or a bot that keeps an incident in one thread and its first message up to date."""

from __future__ import annotations

import json
from typing import Any

from modelward.alerts.message import AlertMessage
from modelward.alerts.receiver import Addressee, Answered, HttpCall, Outgoing, ReceiverReply, Told, Undelivered
from modelward.alerts.receivers.json_call import bearer, json_call, secret_text
from modelward.alerts.receivers.kind import ReceiverKind
from modelward.alerts.receivers.replies import Replies, first_failure, succeeded, undelivered
from modelward.alerts.receivers.slack_blocks import blocks, fallback
from modelward.api.alert_receivers import SlackReceiver

API = "https://slack.com/api/"
_WEBHOOK_HINTS = {
    400: "Slack takes no message by this URL; is it an incoming webhook's?",
    403: "the webhook may not post; its app or channel does not allow it",
    404: "the webhook is gone; make a new one and put its URL into the Secret",
    410: "the channel is archived",
}
_LATER = frozenset({"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable"})
_ERRORS = {
    "invalid_auth": "the token is not valid",
    "not_authed": "the token is empty",
    "account_inactive": "the bot was removed",
    "token_revoked": "the token was revoked",
    "token_expired": "the token has expired",
    "missing_scope": "the bot lacks the scope chat:write",
    "not_in_channel": "invite the bot into the channel",
    "channel_not_found": "there is no such channel, or the bot is not in it",
    "is_archived": "the channel is archived",
    "restricted_action": "the workspace does not let the bot post there",
    "ratelimited": "too many messages",
    "message_not_found": "the first message of the thread is gone",
    "edit_window_closed": "the first message may not be edited any more",
    "cant_update_message": "the first message is not the bot's",
}
"""What is told of Slack's errors: words of this table alone, because what a host answers is not ours."""
_STALE = frozenset({"message_not_found", "edit_window_closed", "cant_update_message"})


class SlackMessages:
    """A webhook posts; a bot posts, then edits that message and answers in its thread."""

    def requests(self, message: AlertMessage, to: Addressee, replies: Replies = ()) -> tuple[Outgoing, ...]:
        """Return one post; with a thread the edit first, which may be repeated without harm, then the answer."""
        slack = _block(to)
        if slack.webhook_url_from:
            return () if replies else (json_call((secret_text(slack.webhook_url_from),), _content(message)),)
        channel, _, thread = to.ref.partition(":")
        if not thread:
            return () if replies else (_call(slack, "chat.postMessage", {"channel": slack.channel}, message),)
        if not replies:
            return (_call(slack, "chat.update", {"channel": channel, "ts": thread}, message),)
        if len(replies) == 1 and (_ok(replies[0]) or _error(replies[0]) in _STALE):
            loud = message.kind in ("Raised", "Firing")
            place = {"channel": channel, "thread_ts": thread, "reply_broadcast": loud}
            return (_call(slack, "chat.postMessage", place, message),)
        return ()

    def read(self, message: AlertMessage, to: Addressee, replies: Replies) -> Answered:  # noqa: ARG002
        """Return the thread as `CHANNEL:TS`, which stays what it was first."""
        if _block(to).webhook_url_from:
            failed = first_failure(replies)
            return undelivered(failed, _WEBHOOK_HINTS.get(failed.status, "")) if failed else Told()
        last = replies[-1]
        if not _ok(last):
            return _refused(last)
        if ":" in to.ref:
            return Told(to.ref)
        found = _json(last)
        return Told(f"{found.get('channel', '')}:{found.get('ts', '')}")


def _block(to: Addressee) -> SlackReceiver:
    if to.receiver.slack is None:
        raise ValueError(f"{to.receiver.name} is no receiver in Slack")
    return to.receiver.slack


def _content(message: AlertMessage) -> dict[str, Any]:
    return {"text": fallback(message), "blocks": blocks(message), "unfurl_links": False, "unfurl_media": False}


def _call(slack: SlackReceiver, method: str, place: dict[str, Any], message: AlertMessage) -> HttpCall:
    metadata = {"event_type": "modelward_alert", "event_payload": {"id": message.id}}
    body = {**place, **_content(message), "metadata": metadata}
    return json_call((f"{API}{method}",), body, bearer(slack.token_from))


def _json(reply: ReceiverReply) -> dict[str, Any]:
    try:
        found = json.loads(reply.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _ok(reply: ReceiverReply) -> bool:
    return succeeded(reply) and _json(reply).get("ok") is True


def _error(reply: ReceiverReply) -> str:
    return str(_json(reply).get("error", "")) if succeeded(reply) else ""


def _refused(reply: ReceiverReply) -> Undelivered:
    """Slack's API answers 200 to what it refuses, and says why in the body."""
    if not succeeded(reply):
        return undelivered(reply)
    error = _error(reply)
    hint = _ERRORS.get(error, "Slack refused the message" if error else "the answer is not Slack's")
    return Undelivered(f"HTTP {reply.status}: {hint}", reply.retry_after_s, bool(error) and error not in _LATER)


SLACK = ReceiverKind("slack", SlackMessages())
