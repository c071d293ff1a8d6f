"""How a request ended and whose doing it was: the values of the label `outcome` of `modelward_requests_total`."""

from __future__ import annotations

from typing import Literal

Ending = Literal["ok", "error", "client_error", "cancelled"]
"""How an exchange ended on the wire: complete, broken by the server, malformed by the client, left by the client."""

RequestClass = Literal["ok", "error", "client_error", "overload", "cancelled"]
"""Every finished request is of one class. `error` is the endpoint's doing: 5xx, broken, or an error inside a 200."""

CLIENT_CLOSED_REQUEST = 499
"""The code of a request that was left before the head of an answer; no server sends it."""


def class_of_status(status: int, *, busy: bool) -> RequestClass:
    """Return the class that an answer's status decides; `busy` says whether a 503 stands for overload.

    It does where the answer carries Retry-After or the engine reports a queue.
    """
    if status < 400:
        return "ok"
    if status == 429 or (status == 503 and busy):
        return "overload"
    return "client_error" if status < 500 else "error"


def class_on_page(outcome: str, code: str) -> str:
    """Return the class of a series on a collector's page, also of release 0.1.0, which called every failure `error`."""
    if outcome != "error" or not code.startswith("4") or code == str(CLIENT_CLOSED_REQUEST):
        return outcome
    return "overload" if code == "429" else "client_error"
