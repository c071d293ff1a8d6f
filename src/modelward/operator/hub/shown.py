"""What the operator shows the hub for people to read: each change once, everything after the hub's restart.

What did not change costs nothing, and a change that changes nothing that is shown costs one hash.
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from modelward.api.shown_object import ShownKind, ShownName, shown_object
from modelward.hub_client.client import HubClient, HubUnavailableError
from modelward.hub_client.shown import Telling
from modelward.kube.kinds import (
    ALERT_SILENCE,
    EVALUATOR,
    LLM_ENDPOINT,
    MONITORING_POLICY,
    Kind,
    Object,
    name_of,
    namespace_of,
)
from modelward.kube.store import Store

log = logging.getLogger(__name__)
KINDS: Mapping[ShownKind, Kind] = {
    "LLMEndpoint": LLM_ENDPOINT,
    "MonitoringPolicy": MONITORING_POLICY,
    "Evaluator": EVALUATOR,
    "AlertSilence": ALERT_SILENCE,
}
_NAMES = {kind: name for name, kind in KINDS.items()}
BATCH_BYTES = 4 << 20
NOT_FOUND, RESTARTED = 404, 409


@dataclass(slots=True)
class ShownFeed:
    """Follows the store; `unseen` are namespaces of which it is not known what there is."""

    store: Store
    unseen: Callable[[], Collection[str]] = tuple
    _changed: dict[ShownName, None] = field(default_factory=dict)
    _sent: dict[ShownName, bytes] = field(default_factory=dict)
    """A digest of what the hub has of each."""
    _hub: str = ""

    def __post_init__(self) -> None:
        self.store.subscribe(self._note)

    def _note(self, kind: Kind, obj: Object) -> None:
        name = _NAMES.get(kind)
        if name is not None:
            self._changed[ShownName(name, namespace_of(obj), name_of(obj))] = None

    async def refresh(self, hub: HubClient, hub_id: str) -> None:
        """Show what changed; everything to a hub of another id than before. Raises HubUnavailableError.

        A hub that is older and has no id is shown nothing.
        """
        if not hub_id:
            return
        if hub_id != self._hub:
            await self._tell_everything(hub)
            return
        try:
            await self._tell_changes(hub)
        except HubUnavailableError as error:
            if error.status != RESTARTED:
                raise
            self._hub = ""

    async def _tell_everything(self, hub: HubClient) -> None:
        objects = ((name, obj) for name, kind in KINDS.items() for obj in self.store.list(kind))
        names = [ShownName(name, namespace_of(obj), name_of(obj)) for name, obj in objects]
        self._changed, self._sent, self._hub = {}, {}, ""
        telling, found = uuid.uuid4().hex, ""
        parts = list(self._parts(names))
        for number, (put, _) in enumerate(parts):
            part = Telling(telling, number == len(parts) - 1, self.unseen())
            found, refused = await hub.put_objects(put, telling=part)
            self._refused(refused)
        self._hub = found
        log.info("shown=everything objects=%d hub=%s", len(names), found[:8])

    async def _tell_changes(self, hub: HubClient) -> None:
        if not self._changed:
            return
        names, self._changed = list(self._changed), {}
        try:
            for put, gone in self._parts(names):
                if put or gone:
                    _, refused = await hub.put_objects(put, gone, hub=self._hub)
                    self._refused(refused)
        except HubUnavailableError:
            for name in names:  # what had arrived already is sent again only if it changed
                self._sent.pop(name, None)
                self._changed[name] = None
            raise

    def _parts(self, names: list[ShownName]) -> Iterator[tuple[list[dict[str, Any]], list[ShownName]]]:
        """Yield what changed in requests of a bounded size; at least one, which may be empty."""
        put: list[dict[str, Any]] = []
        gone: list[ShownName] = []
        size = 0
        for name in names:
            obj = self.store.get(KINDS[name.kind], name.namespace, name.name)
            if obj is None or obj["metadata"].get("deletionTimestamp"):
                if self._sent.pop(name, None) is not None:
                    gone.append(name)
                continue
            row = shown_object(name.kind, obj)
            try:
                data = orjson.dumps(row, option=orjson.OPT_SORT_KEYS)
            except TypeError as error:  # a number or a text that JSON of others has and ours has not
                log.warning("shown=unreadable object=%r cause=%r", name, str(error))
                continue
            digest = hashlib.blake2b(data, digest_size=16).digest()
            if self._sent.get(name) == digest:
                continue
            if size and size + len(data) > BATCH_BYTES:
                yield put, gone
                put, gone, size = [], [], 0
            self._sent[name] = digest
            put.append(row)
            size += len(data)
        yield put, gone

    def _refused(self, names: list[str]) -> None:
        if names:
            log.warning("shown=refused count=%d first=%r next=%r", len(names), names[0], "people do not see these")
