"""Endpoints without a rule: a few are kept until their rule comes, more are refused."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from modelward.hub.layout import namespace_of


@dataclass(slots=True)
class Strangers:
    """Admits endpoints (`namespace/name`) that have a rule, and `limit` others in each namespace.

    A policy's rule may come a little later than the first record, and whoever posts chooses the names. Threads decode
    batches, hence the lock.
    """

    ruled: Callable[[str], bool]
    held: Callable[[str], Collection[str]]
    """The endpoints of a namespace of which anything is stored."""
    limit: int
    _new: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def admits(self, endpoint: str) -> bool:
        """Return whether records of an endpoint may be kept."""
        if self.ruled(endpoint):
            return True
        namespace = namespace_of(endpoint)
        with self._lock:
            self._new[namespace] = {name for name in self._new[namespace] if not self.ruled(name)}
            known = self._new[namespace] | {name for name in self.held(namespace) if not self.ruled(name)}
            if endpoint not in known and len(known) >= self.limit:
                return False
            self._new[namespace].add(endpoint)
            return True
