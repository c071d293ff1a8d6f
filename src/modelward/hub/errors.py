"""What can go wrong at the hub, each with the HTTP status and the advice that its caller gets."""

from __future__ import annotations


class HubSettingsError(ValueError):
    """The hub cannot be started like this."""


class HubError(Exception):
    """Becomes `{"error": {"code", "message"}}` with `status`; the message says what to do."""

    def __init__(self, status: int, code: str, message: str, retry_after_s: int | None = None) -> None:
        """Keep the parts; the text of the exception is the message."""
        super().__init__(message)
        self.status, self.code, self.retry_after_s = status, code, retry_after_s


def bad_request(message: str) -> HubError:
    """The request is malformed; sending it again will not help."""
    return HubError(400, "BadRequest", message)


def too_large(message: str) -> HubError:
    """The request is beyond a limit; send less at once."""
    return HubError(413, "TooLarge", message)


def busy(message: str) -> HubError:
    """Nothing is wrong but the moment."""
    return HubError(503, "Busy", message, retry_after_s=5)


def store_full(message: str) -> HubError:
    """The volume has no room left."""
    return HubError(507, "StoreFull", f"the hub's store is full; enlarge it or shorten capture.keepFor: {message}", 60)


def store_unavailable(message: str) -> HubError:
    """The store refused or did not answer."""
    return HubError(503, "StoreUnavailable", f"the hub's store cannot be used: {message}", retry_after_s=10)
