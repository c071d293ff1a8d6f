"""The objects as last seen: filled by hints of the watch, repaired by sweeps, never set back to an older state.

A watch may lose events, repeat them or deliver them late; a list is the truth at its resourceVersion. What is kept of
an object is the newest version that any source has shown us, whatever the order in which they came.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from modelward.kube.client import Listing
from modelward.kube.kinds import Kind, Object, name_of, namespace_of, version_of
from modelward.kube.lookup import Keys, KindObjects, Lookup, ObjectName
from modelward.kube.slim import slim

Changed = Callable[[Kind, Object], None]
Replaced = Callable[[Kind, Object, Object | None], None]
"""Told of an object and of the one that it takes the place of; None where it is new, or gone."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How many objects a sweep had to mend, that is, what the watch had not brought by then."""

    added: int
    updated: int
    removed: int


@dataclass(slots=True)
class Sweep:
    """One fresh list of a kind, in one namespace or in all, as far as it was taken in."""

    kind: Kind
    namespace: str | None = None
    listed: set[ObjectName] = field(default_factory=set)
    revision: int = 0
    believed: bool | None = None
    added: int = 0
    updated: int = 0


class Store:
    """All objects that we watch, by kind, namespace and name. For one thread; the clock counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._objects: defaultdict[Kind, KindObjects] = defaultdict(KindObjects)
        self._owned: defaultdict[str, dict[tuple[Kind, ObjectName], Object]] = defaultdict(dict)
        self._tombstones: defaultdict[Kind, dict[ObjectName, int]] = defaultdict(dict)
        self._swept: dict[tuple[Kind, str | None], int] = {}
        self._behind: set[tuple[Kind, str | None]] = set()
        self._subscribers: tuple[Replaced, ...] = ()
        self._last_hint: dict[Kind, float] = {}
        self.sweeps: Counter[Kind] = Counter()

    def subscribe(self, changed: Changed) -> None:
        """Subscribe to each object that came, changed or went (then with the last that was known of it)."""
        self.follow(lambda kind, obj, _: changed(kind, obj))

    def follow(self, replaced: Replaced) -> None:
        """Subscribe to the same, with what each object takes the place of."""
        self._subscribers += (replaced,)

    def put(self, kind: Kind, obj: Object) -> bool:
        """Take an object in unless we know a newer one or know that it went since; return whether it was taken."""
        self._last_hint[kind] = self._clock()
        return self._put(kind, obj)

    def remove(self, kind: Kind, obj: Object) -> bool:
        """Note that an object was gone at its resourceVersion; return whether there was one to forget."""
        self._last_hint[kind] = self._clock()
        name, version = _name(obj), version_of(obj)
        if version > self._gone_since(kind, name):
            self._tombstones[kind][name] = version
        known = self._objects[kind].get(name)
        if known is None or version_of(known) > version:
            return False
        self._forget(kind, known)
        return True

    def sweep(self, kind: Kind, listing: Listing, namespace: str | None = None) -> Drift:
        """Make the store agree with a fresh list of a kind, in one namespace or in all.

        A list older than the last one is not believed, because a cache may have kept it. A second one in a row means a
        cluster restored from a backup: then it replaces all that we knew.
        """
        sweep = Sweep(kind, namespace)
        self.take(sweep, listing)
        return self.end(sweep)

    def take(self, sweep: Sweep, page: Listing) -> None:
        """Take in one page of a list, all of whose pages are of one resourceVersion; others may put between pages."""
        kind = sweep.kind
        sweep.revision = int(page.resource_version)
        if sweep.believed is None:
            self.sweeps[kind] += 1
            sweep.believed = self._believes(kind, sweep.namespace, sweep.revision)
        for obj in page.items if sweep.believed else ():
            name = _name(obj)
            sweep.listed.add(name)
            was_known = self._objects[kind].get(name) is not None
            if self._put(kind, obj, sweep.revision):
                sweep.added, sweep.updated = sweep.added + (not was_known), sweep.updated + was_known

    def end(self, sweep: Sweep) -> Drift:
        """Forget what a whole list did not have and is not newer than it; return what was mended."""
        if not sweep.believed:
            return Drift(0, 0, 0)
        ghosts = [
            obj
            for name, obj in self._objects[sweep.kind].each(sweep.namespace)
            if name not in sweep.listed and version_of(obj) <= sweep.revision
        ]
        self._drop_tombstones(sweep.kind, sweep.namespace, sweep.revision)
        for ghost in ghosts:
            self._forget(sweep.kind, ghost)
        return Drift(sweep.added, sweep.updated, len(ghosts))

    def behind(self, kind: Kind, namespace: str | None = None) -> bool:
        """Whether the last list was older than the one before it, and so was not believed."""
        return (kind, namespace) in self._behind

    def bury(self, kind: Kind) -> Drift:
        """Tombstone all objects of a kind that is no longer served; what is recreated is newer."""
        known = self._objects[kind].list()
        for obj in known:
            self._tombstones[kind][_name(obj)] = version_of(obj)
            self._forget(kind, obj)
        return Drift(0, 0, len(known))

    def get(self, kind: Kind, namespace: str | None, name: str) -> Object | None:
        """One object, not to be changed in place."""
        return self._objects[kind].get((namespace or "", name))

    def list(
        self, kind: Kind, namespace: str | None = None, labels: Mapping[str, str] | None = None
    ) -> tuple[Object, ...]:
        """The objects of a kind that carry all of these labels, by namespace and name."""
        if not labels:
            return self._objects[kind].list(namespace)
        found = self._objects[kind].list() if namespace is None else self._labelled(kind, namespace, labels)
        wanted = labels.items()
        return tuple(obj for obj in found if wanted <= (obj["metadata"].get("labels") or {}).items())

    def names(self, kind: Kind, namespace: str | None = None) -> "tuple[ObjectName, ...]":
        """Namespace and name of each object of a kind, in order."""
        return self._objects[kind].names(namespace)

    def lookup(self, kind: Kind, keys: Keys) -> Lookup:
        """The objects of a kind by what the function reads from them, kept current; the same for the same function."""
        return self._objects[kind].lookup(keys, keys)

    def owned_by(self, uid: str) -> tuple[Object, ...]:
        """The objects of any kind that name this uid among their owners."""
        owned = self._owned.get(uid, {})
        return tuple(owned[key] for key in sorted(owned, key=lambda key: (key[0].kind, key[1])))

    def synced(self, kind: Kind, namespace: str | None = None) -> bool:
        """Whether all there is of a kind in a namespace was seen at least once."""
        return (kind, namespace) in self._swept or (kind, None) in self._swept

    def last_hint_age(self, kind: Kind) -> float | None:
        """Seconds since the watch last brought anything of a kind; None while it never has."""
        last = self._last_hint.get(kind)
        return None if last is None else self._clock() - last

    def _put(self, kind: Kind, obj: Object, listed: int = 0) -> bool:
        """Take an object in; `listed` is the version of the list that has it: a list outweighs an older one."""
        name, version = _name(obj), version_of(obj)
        known = self._objects[kind].get(name)
        newer_than = version_of(known) if known is not None else self._gone_since(kind, name)
        if version <= newer_than and (known is not None or listed < newer_than):
            return False
        if known is not None:
            self._disown(kind, known)
        self._tombstones[kind].pop(name, None)
        kept = slim(kind, obj)
        self._objects[kind].put(name, kept)
        for uid in _owners(kept):
            self._owned[uid][kind, name] = kept
        self._tell(kind, kept, known)
        return True

    def _forget(self, kind: Kind, obj: Object) -> None:
        self._objects[kind].pop(_name(obj))
        self._disown(kind, obj)
        self._tell(kind, obj, None)

    def _labelled(self, kind: Kind, namespace: str, labels: Mapping[str, str]) -> "tuple[Object, ...]":
        """Return those that carry the first of the labels, by a lookup for it; what tells most is asked first."""
        label, value = next(iter(labels.items()))
        return self._objects[kind].lookup(label, partial(_label, label)).of(namespace, value)

    def _disown(self, kind: Kind, obj: Object) -> None:
        for uid in _owners(obj):
            self._owned[uid].pop((kind, _name(obj)), None)
            if not self._owned[uid]:
                del self._owned[uid]

    def _gone_since(self, kind: Kind, name: ObjectName) -> int:
        """The version up to which an object that we do not have is known to be gone; 0 where nothing is known."""
        swept = max(self._swept.get((kind, None), 0), self._swept.get((kind, name[0]), 0))
        return max(swept, self._tombstones[kind].get(name, 0))

    def _believes(self, kind: Kind, namespace: str | None, revision: int) -> bool:
        """Return whether a list of this version is to be taken in; forget all, where it is of a restored cluster."""
        if revision >= self._swept.get((kind, namespace), 0):
            self._behind.discard((kind, namespace))
        elif not self.behind(kind, namespace):
            self._behind.add((kind, namespace))
            return False
        else:
            self._rewind(kind, self._objects[kind].list(namespace), namespace)
        return True

    def _drop_tombstones(self, kind: Kind, namespace: str | None, revision: int) -> None:
        """The list says for all objects what tombstones up to its version said for one."""
        self._swept[kind, namespace] = revision
        self._tombstones[kind] = {
            name: gone
            for name, gone in self._tombstones[kind].items()
            if gone > revision or namespace not in (None, name[0])
        }

    def _rewind(self, kind: Kind, objects: Iterable[Object], namespace: str | None) -> None:
        for obj in tuple(objects):
            self._forget(kind, obj)
        self._swept.pop((kind, namespace), None)
        self._behind.discard((kind, namespace))
        self._tombstones[kind].clear()

    def _tell(self, kind: Kind, obj: Object, before: Object | None) -> None:
        for replaced in self._subscribers:
            replaced(kind, obj, before)


def _name(obj: Object) -> ObjectName:
    return namespace_of(obj), name_of(obj)


def _label(label: str, obj: Object) -> "tuple[Hashable, ...]":
    labels = obj["metadata"].get("labels") or {}
    return (labels[label],) if label in labels else ()


def _owners(obj: Object) -> "tuple[str, ...]":
    return tuple(owner["uid"] for owner in obj["metadata"].get("ownerReferences") or ())
