"""A POST of JSON, as most receivers take it."""

from __future__ import annotations

import json
from typing import Any, Literal

from modelward.alerts.receiver import HttpCall, SecretTemplate, SecretText
from modelward.api.alert_receivers import FromSecret

JSON_TYPE = "application/json; charset=utf-8"


def secret_text(source: FromSecret) -> SecretText:
    """Return the place of a value that a Secret holds."""
    return SecretText(source.secret_ref.name, source.secret_ref.key)


def bearer(source: FromSecret | None) -> tuple[tuple[str, SecretTemplate], ...]:
    """Return the header with a token; none where there is no token."""
    return (("Authorization", ("Bearer ", secret_text(source))),) if source else ()


def json_bytes(body: Any) -> bytes:
    """Return compact JSON in UTF-8, the same for the same body."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def json_call(
    url: SecretTemplate,
    body: Any,
    headers: tuple[tuple[str, SecretTemplate], ...] = (),
    method: Literal["POST", "PATCH"] = "POST",
    content_type: str = JSON_TYPE,
) -> HttpCall:
    """Return the request."""
    return HttpCall(method, url, (("Content-Type", (content_type,)), *headers), json_bytes(body))
