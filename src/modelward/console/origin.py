"""Whether a request comes from a page of ours, and asks for us by our name."""

from __future__ import annotations

from collections.abc import Mapping

SAFE = ("GET", "HEAD")


def right_host(host: str, known: tuple[str, ...]) -> bool:
    """Return whether a request names us: a page whose name was bound anew to our address does not."""
    return host.lower() in known


def from_ourselves(method: str, headers: Mapping[str, str], origin: str) -> bool:
    """Return whether a request that changes something comes from one of our pages.

    Browsers say so in `Sec-Fetch-Site`; where that is missing, `Origin` must be ours.
    """
    if method in SAFE:
        return True
    site, sent = headers.get("Sec-Fetch-Site", ""), headers.get("Origin", "")
    if sent and sent != origin:
        return False
    return site == "same-origin" if site else sent == origin
