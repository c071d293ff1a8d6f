"""What `modelward alerts render` prints: the requests of one message, one after the other."""

from __future__ import annotations

import json

from modelward.alerts.receiver import Addressee, HttpCall, Outgoing, ReceiverReply, SecretTemplate
from modelward.alerts.receivers.registry import receiver_of
from modelward.api.alert_receivers import AlertReceiver
from modelward.api.quantity import timestamp_ms
from modelward.cli.alerts.specimen import KINDS, specimen
from modelward.cli.alerts.written import WrittenError

_NOW = "2026-11-27T10:00:00Z"
_MOST = 10
_TAKEN = ReceiverReply(200, b'{"ok": true, "channel": "C0123456789", "ts": "1700000000.000001", "number": 1}')
_NOTHING_FOUND = ReceiverReply(200, b"[]")


def requests_page(receiver: AlertReceiver, kind: str) -> str:
    """Return the requests, as if each was taken; WrittenError for a kind of message that there is none of."""
    known = next((one for one in KINDS if one == kind), None)
    if known is None:
        raise WrittenError(f"{kind} is no kind of message; there are {', '.join(KINDS)}")
    if receiver.shared:
        raise WrittenError(f"{receiver.name} is the platform's receiver {receiver.shared}: give the chart's values")
    message, to = specimen(known, timestamp_ms(_NOW)), Addressee(receiver)
    pages: list[str] = []
    replies: tuple[ReceiverReply, ...] = ()
    while len(pages) < _MOST and (calls := receiver_of(receiver).requests(message, to, replies)):
        pages += map(_page, calls)
        replies += tuple(map(_reply, calls))
    return "\n".join(pages)


def _reply(call: Outgoing) -> ReceiverReply:
    return _NOTHING_FOUND if isinstance(call, HttpCall) and call.method == "GET" else _TAKEN


def _page(call: Outgoing) -> str:
    if not isinstance(call, HttpCall):
        return f"# SMTP {call.server} ({call.security}), {call.sender} to {', '.join(call.to)}\n{call.raw.decode()}"
    lines = [f"{call.method} {_shown(call.url)}", *(f"{name}: {_shown(value)}" for name, value in call.headers)]
    body = {**json.loads(call.body), **_fields(call)} if call.fields else json.loads(call.body or b"null")
    lines += ["", json.dumps(body, indent=2, ensure_ascii=False)] if body is not None else []
    return "\n".join(lines) + "\n"


def _fields(call: HttpCall) -> dict[str, str]:
    return {name: _shown((at,)) for name, at in call.fields}


def _shown(template: SecretTemplate) -> str:
    return "".join(part if isinstance(part, str) else f"<key {part.key} of Secret {part.secret}>" for part in template)
