"""What a reconciler is given, and what it has to offer."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from modelward.kube.client import Client
from modelward.kube.kinds import Kind, Object
from modelward.kube.store import Store
from modelward.operator.notify.announcer import Announcer
from modelward.operator.notify.kube_events import KubeEvents
from modelward.operator.notify.notifier import Notifier
from modelward.operator.runtime.settings import Settings
from modelward.operator.runtime.telemetry import Telemetry
from modelward.operator.runtime.work_queue import Lane, WorkKey


class Enqueue(Protocol):
    """Asks for a key in `after` seconds; ignored while this process does not lead."""

    def __call__(self, key: WorkKey, lane: Lane = Lane.SPEC, after: float = 0.0) -> None:
        """Ask for a key."""


@dataclass(frozen=True, slots=True)
class Context:
    """The world as a reconciler sees it; the client writes only while the Lease lasts."""

    client: Client
    store: Store
    settings: Settings
    telemetry: Telemetry
    enqueue: Enqueue
    unseen: Callable[[], Collection[str]] = tuple
    """Watched namespaces of which not all is known, because they refuse us."""
    receivers: Mapping[str, Notifier] = field(default_factory=dict)
    """Receivers of what Events report, by name."""
    monotonic: Callable[[], float] = time.monotonic
    """Seconds that never go back, for what is believed for a while."""

    @property
    def announcer(self) -> Announcer:
        """Notifies: by Events, and all receivers."""
        return Announcer(KubeEvents(self.client), self.receivers)


class Reconciler(Protocol):
    """Makes the cluster agree with one key; level-triggered, so that being called once too often does no harm."""

    async def reconcile(self, key: WorkKey) -> float | None:
        """Do what the key needs; seconds until it is due again, None to wait for a change. Any exception backs off."""

    def keys_for(self, kind: Kind, obj: Object, before: Object | None = None, /) -> Iterable[WorkKey]:
        """The keys that a change of this object concerns; `before` is what it takes the place of, where known."""


@runtime_checkable
class Forgetful(Protocol):
    """A reconciler that reports on objects for longer than it works on them."""

    def fall_silent(self, namespace: str) -> None:
        """Report nothing more about a namespace that can no longer be read, until it is reconciled again."""


@runtime_checkable
class Background(Protocol):
    """A reconciler that also has something to keep going while this process leads, such as scraping."""

    async def background(self) -> None:
        """Run until cancelled; if it ends or raises, the process exits with 1."""
