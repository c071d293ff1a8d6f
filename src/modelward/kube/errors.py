"""What the API server may answer instead of an object, as few exceptions as callers distinguish."""

import re
from collections.abc import Mapping
from typing import Any


class LeadershipLost(Exception):  # noqa: N818 - it is a state to leave on, not an error to handle
    """The Lease does not last long enough for another write: this process must not write any more."""


class ApiError(Exception):
    """A request to the API server failed.

    status is the HTTP status, 0 where no answer came; reason the machine-readable CamelCase word of the Status object;
    retry_after seconds where the server requested a pause; details the `details` of the Status object (causes, uid).
    """

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        retry_after: float | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message
        self.retry_after = retry_after
        self.details = dict(details or {})


class NotFound(ApiError):  # noqa: N818
    """404: the object, its namespace or its kind is absent."""


class Conflict(ApiError):  # noqa: N818
    """409: it exists already, another changed or owns it, or a uid or resourceVersion precondition does not hold."""


class Forbidden(ApiError):  # noqa: N818
    """401 or 403: not allowed; also what quotas and admission policies answer, whose message says why."""


class NamespaceEnding(ApiError):  # noqa: N818
    """403 as well, but for another reason: nothing can be made any more in a namespace that is being deleted."""


class Invalid(ApiError):  # noqa: N818
    """400, 405, 413, 415 or 422: the object is wrong, and stays wrong if sent again."""


class TooManyRequests(ApiError):  # noqa: N818
    """429: priority and fairness, or an eviction that a disruption budget holds back."""


class Gone(ApiError):  # noqa: N818
    """410: the resourceVersion or the continue token is too old."""


class Unavailable(ApiError):  # noqa: N818
    """No whole answer (connection, timeout, truncated body; status 0) or 5xx: a write may or may not have happened."""


_GO_VALUE = re.compile(r"&?value\.value\w+\{Value:((?:[^{}]|\{[^{}]*\})*)\}")
_UNREADABLE = ("failed to create typed patch object", "failed to convert new object")
_BY_STATUS: dict[int, type[ApiError]] = {
    400: Invalid,
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    405: Invalid,
    409: Conflict,
    410: Gone,
    413: Invalid,
    415: Invalid,
    422: Invalid,
    429: TooManyRequests,
}


def from_status(status: int, body: Any, retry_after: str | None) -> ApiError:
    """The exception for an answer of 400 or more; body is the decoded Status object, or whatever came instead."""
    answer = body if isinstance(body, dict) else {}
    details = answer.get("details") or {}
    pause = _seconds(retry_after) or _seconds(details.get("retryAfterSeconds"))
    message = _plain(str(answer.get("message") or str(body)[:300] or "no message"))
    error = _classified(status, message, details)
    return error(status, str(answer.get("reason") or "Unknown"), message, pause, details)


def _classified(status: int, message: str, details: Mapping[str, Any]) -> type[ApiError]:
    """Some answers of Kubernetes 1.35 mean something else than their status says (seen on a real API server)."""
    causes = details.get("causes") or ()
    fields = {cause.get("field") for cause in causes}
    if status == 403 and any(cause.get("reason") == "NamespaceTerminating" for cause in causes):
        return NamespaceEnding
    if status == 422 and "metadata.uid" in fields:
        return Conflict  # a uid that was to be a precondition of a patch is "immutable"
    if status == 500 and message.startswith(_UNREADABLE):
        return Invalid  # an apply of a built-in kind with a field that its schema does not have, or an amount of "lots"
    return _BY_STATUS.get(status, Unavailable if status >= 500 else ApiError)


def _plain(message: str) -> str:
    """Return the message without the Go structures that the API server prints around values of typed objects."""
    return _GO_VALUE.sub(r"\1", message)


def _seconds(value: Any) -> float | None:
    try:
        return max(0.0, float(value)) or None
    except (TypeError, ValueError):
        return None
