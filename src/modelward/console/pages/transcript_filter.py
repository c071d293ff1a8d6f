"""Which exchanges are asked for, as the address says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from modelward.console.pages.links import address

FILTERS = ("flagged", "status", "slower", "revision", "text", "from", "to")


SLOWER = (("2000", "slower than 2 s"), ("5000", "slower than 5 s"), ("10000", "slower than 10 s"))


STATUSES = (("ok", "served"), ("error", "server error"), ("client_error", "caller’s error"), ("cancelled", "cut short"))


LONGEST = 200


@dataclass(frozen=True, slots=True)
class TranscriptQuery:
    """What the person asks for."""

    flagged: str = ""
    status: str = ""
    slower: str = ""
    revision: str = ""
    text: str = ""
    begin: str = ""
    end: str = ""
    cursor: str = ""
    chosen: str = ""

    def filters(self) -> dict[str, str]:
        """Return the filters as the hub takes them."""
        named = {
            "flagged": self.flagged,
            "status": self.status,
            "slower": self.slower,
            "revision": self.revision,
            "text": self.text,
            "from": self.begin,
            "to": self.end,
        }
        return {key: value for key, value in named.items() if value}

    def asked(self) -> dict[str, str]:
        """Return what the hub is asked."""
        return {**self.filters(), **({"cursor": self.cursor} if self.cursor else {})}

    def href(self, namespace: str, name: str, **more: str) -> str:
        """Return the address, with other words for some."""
        query = {**self.asked(), **({"id": self.chosen} if self.chosen else {}), **more}
        known = {key: value for key, value in query.items() if value}
        place = address(namespace, name, "transcripts")
        return f"{place}?{urlencode(known)}" if known else place


def query_of(one: Mapping[str, str]) -> TranscriptQuery:
    """Read an address."""

    def word(key: str) -> str:
        return one.get(key, "")[:LONGEST]

    return TranscriptQuery(
        word("flagged"), word("status"), word("slower"), word("revision"), word("text"), word("from"), word("to"),
        one.get("cursor", "")[:1000], one.get("id", "")[:LONGEST],
    )  # fmt: skip
