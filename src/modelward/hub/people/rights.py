"""What a person may do in a namespace, wherever that is decided."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

from modelward.api.person import Right
from modelward.hub.errors import HubError
from modelward.hub.people.individual import Individual
from modelward.hub.people.reviews import AccessReviews

RIGHTS: tuple[Right, ...] = get_args(Right)
MOST_NAMESPACES = 2_000
"""About so many namespaces is asked for one person and page."""


@dataclass(frozen=True, slots=True)
class PeopleRights:
    """Decides by the account for its own namespace; by the API server for whom it knows."""

    reviews: AccessReviews | None = None
    granted: bool = False
    """Whether the hub may ask about others than whose token it asks with."""

    async def allows(self, person: Individual, right: Right, namespace: str) -> bool:
        """Return whether a person may; HubError 503 when it cannot be told."""
        if person.source == "ByHand":
            return True
        if person.source == "Kubectl":
            if namespace != person.namespace:
                return False
            if right in person.rights:
                return True
            return right == "Silence" and bool(person.rights) and await self._reviewed(person, right, namespace)
        return await self._reviewed(person, right, namespace)

    async def _reviewed(self, person: Individual, right: Right, namespace: str) -> bool:
        if self.reviews is None or not (self.granted or person.source == "Pasted"):
            return False
        return await self.reviews.allows(person, right, namespace)

    async def of(self, person: Individual, namespace: str) -> tuple[Right, ...]:
        """Return all that a person may in a namespace."""
        found = await asyncio.gather(*(self.allows(person, right, namespace) for right in RIGHTS))
        return tuple(right for right, allowed in zip(RIGHTS, found, strict=True) if allowed)

    async def everywhere(self, person: Individual, right: Right) -> bool:
        """Return whether a person may in each namespace, as far as one question tells."""
        if person.source in ("ByHand", "Kubectl") or self.reviews is None or self.reviews.namespaces:
            return person.source == "ByHand"
        return await self._reviewed(person, right, "")

    async def among(self, person: Individual, right: Right, namespaces: Iterable[str]) -> frozenset[str]:
        """Return those of some namespaces in which a person may."""
        if person.source == "Kubectl":
            own = frozenset({person.namespace}) & frozenset(namespaces)
            return own if own and await self.allows(person, right, person.namespace) else frozenset()
        known = sorted(set(namespaces))
        if await self.everywhere(person, right):
            return frozenset(known)
        found = await asyncio.gather(*(self.allows(person, right, one) for one in known[:MOST_NAMESPACES]))
        return frozenset(one for one, allowed in zip(known, found, strict=False) if allowed)


def not_there(what: str) -> HubError:
    """There is none, or the person may not know that there is: the same words for both."""
    return HubError(404, "NotFound", f"there is no {what} that you may see")
