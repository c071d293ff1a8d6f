"""Objects of one kind by namespace, and by what else they are looked for: no lookup goes over all of them."""

from collections.abc import Callable, Hashable, Iterable, Iterator

from modelward.kube.kinds import Object, name_of, namespace_of

ObjectName = tuple[str, str]
Keys = Callable[[Object], Iterable[Hashable]]
"""What an object is found by; a pure function of it, and cheap, because it is called again when the object goes."""


class Lookup:
    """The objects of a kind by the values that a function reads from them, each namespace by itself."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._found: dict[tuple[str, Hashable], dict[str, Object]] = {}

    def of(self, namespace: str, value: Hashable) -> tuple[Object, ...]:
        """The objects of a namespace that have this value, by name."""
        found = self._found.get((namespace, value))
        return tuple(found[name] for name in sorted(found)) if found else ()

    def add(self, obj: Object) -> None:
        """Take an object in; one of its name must have been discarded before."""
        for value in self._values(obj):
            self._found.setdefault((namespace_of(obj), value), {})[name_of(obj)] = obj

    def discard(self, obj: Object) -> None:
        """Forget an object, and leave nothing behind where it was the last."""
        for value in self._values(obj):
            place = (namespace_of(obj), value)
            known = self._found.get(place, {})
            known.pop(name_of(obj), None)
            if not known:
                self._found.pop(place, None)

    def _values(self, obj: Object) -> tuple[Hashable, ...]:
        """Return what an object is found by; an odd one is not found, and keeps no other from being."""
        try:
            return tuple(dict.fromkeys(self._keys(obj)))
        except (AttributeError, LookupError, TypeError, ValueError):
            return ()


class KindObjects:
    """All objects of one kind; sorted once, not for each sorted read."""

    def __init__(self) -> None:
        self._by_namespace: dict[str, dict[str, Object]] = {}
        self._order: dict[str, tuple[str, ...]] = {}
        self._listed: dict[str, tuple[Object, ...]] = {}
        self._lookups: dict[Hashable, Lookup] = {}

    def get(self, name: ObjectName) -> Object | None:
        """One object."""
        return self._by_namespace.get(name[0], {}).get(name[1])

    def put(self, name: ObjectName, obj: Object) -> None:
        """Take an object in, in place of one of the same name."""
        known = self._by_namespace.setdefault(name[0], {})
        before = known.get(name[1])
        if before is None:
            self._order.pop(name[0], None)
        known[name[1]] = obj
        self._listed.pop(name[0], None)
        for lookup in self._lookups.values():
            if before is not None:
                lookup.discard(before)
            lookup.add(obj)

    def pop(self, name: ObjectName) -> None:
        """Forget an object that is known."""
        known = self._by_namespace[name[0]]
        obj = known.pop(name[1])
        if not known:
            del self._by_namespace[name[0]]
        self._order.pop(name[0], None)
        self._listed.pop(name[0], None)
        for lookup in self._lookups.values():
            lookup.discard(obj)

    def each(self, namespace: str | None = None) -> Iterator[tuple[ObjectName, Object]]:
        """Yield the objects of a namespace or of all, in no order; nothing may be put or popped while it runs."""
        for place in (namespace,) if namespace is not None else self._by_namespace:
            for name, obj in self._by_namespace.get(place, {}).items():
                yield (place, name), obj

    def names(self, namespace: str | None = None) -> tuple[ObjectName, ...]:
        """The names of the objects of a namespace or of all, in order."""
        places = (namespace,) if namespace is not None else sorted(self._by_namespace)
        return tuple((place, name) for place in places for name in self._ordered(place))

    def list(self, namespace: str | None = None) -> tuple[Object, ...]:
        """The objects of a namespace or of all, by namespace and name."""
        if namespace is None:
            return tuple(obj for place in sorted(self._by_namespace) for obj in self.list(place))
        listed = self._listed.get(namespace)
        if listed is None:
            known = self._by_namespace.get(namespace, {})
            listed = tuple(known[name] for name in self._ordered(namespace))
            if listed:
                self._listed[namespace] = listed
        return listed

    def lookup(self, by: Hashable, keys: Keys) -> Lookup:
        """The lookup of that name; built, of all that is known, on first use."""
        found = self._lookups.get(by)
        if found is None:
            found = self._lookups[by] = Lookup(keys)
            for _, obj in self.each():
                found.add(obj)
        return found

    def _ordered(self, namespace: str) -> tuple[str, ...]:
        order = self._order.get(namespace)
        if order is None:
            order = tuple(sorted(self._by_namespace.get(namespace, ())))
            if order:
                self._order[namespace] = order
        return order
