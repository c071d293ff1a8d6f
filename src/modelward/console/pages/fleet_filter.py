"""Which endpoints are asked for, as the address says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args
from urllib.parse import urlencode

from modelward.api.endpoint_status import Health
from modelward.api.views import FleetSort

SORTS: tuple[tuple[FleetSort, str], ...] = (
    ("need", "What needs me"),
    ("since", "Since"),
    ("requests", "Requests"),
    ("cost", "Cost"),
    ("name", "Name"),
)


HEALTHS: tuple[Health, ...] = ("Unhealthy", "Degraded", "Unknown", "Healthy")


@dataclass(frozen=True, slots=True)
class FleetFilter:
    """What the person asks for; all of it stands in the address."""

    text: str = ""
    namespace: str = ""
    health: tuple[Health, ...] = ()
    sort: FleetSort = "need"
    page: int = 1

    @property
    def filtered(self) -> bool:
        """Whether rows may be hidden."""
        return bool(self.text or self.namespace or self.health)

    def parameters(self, page: int | None = None) -> list[tuple[str, str]]:
        """Return the address's parameters without those that say nothing."""
        number = self.page if page is None else page
        named = [("q", self.text), ("ns", self.namespace), *(("health", one) for one in self.health)]
        named += [("sort", "" if self.sort == "need" else self.sort), ("page", str(number) if number > 1 else "")]
        return [(key, value) for key, value in named if value]

    def asked(self) -> dict[str, str]:
        """Return what the hub is asked."""
        asked = {"q": self.text, "ns": self.namespace, "health": ",".join(self.health), "sort": self.sort}
        return {key: value for key, value in {**asked, "page": str(self.page)}.items() if value}

    def href(self, page: int | None = None) -> str:
        """Return the address."""
        query = urlencode(self.parameters(page))
        return f"/?{query}" if query else "/"


def query_of(one: Mapping[str, str], health: Sequence[str]) -> FleetFilter:
    """Read an address; what it names wrongly is left out."""
    sort = one.get("sort", "")
    number = one.get("page", "")
    return FleetFilter(
        one.get("q", "")[:200],
        one.get("ns", "")[:63],
        tuple(name for name in HEALTHS if name in health),
        sort if sort in get_args(FleetSort) else "need",  # type: ignore[arg-type]  # the line before says so
        int(number) if number.isascii() and number.isdigit() and 0 < len(number) < 6 else 1,
    )
