"""However objects come and go, each lookup finds what a walk over all objects would find, in the same order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from long_form import FULL

from modelward.kube.client import Listing
from modelward.kube.kinds import DEPLOYMENT, POD, Kind, Object
from modelward.kube.store import Store

KINDS, NAMESPACES, NAMES = (POD, DEPLOYMENT), ("a", "b", ""), ("x", "y", "z")
VALUES = ("one", "two")
LABELS = strategies.dictionaries(strategies.sampled_from(["app", "part"]), strategies.sampled_from(VALUES))
POINTED = strategies.lists(strategies.sampled_from(VALUES), max_size=2)
OBJECTS = strategies.fixed_dictionaries(
    {
        "namespace": strategies.sampled_from(NAMESPACES),
        "name": strategies.sampled_from(NAMES),
        "labels": strategies.none() | LABELS,
        "owners": strategies.sets(strategies.sampled_from(["u1", "u2"])),
        "spec": strategies.none() | strategies.integers() | strategies.fixed_dictionaries({"to": POINTED}),
    }
)


def targets(obj: Object) -> Iterable[str]:
    """Return what an object points at; raises where its spec is odd, as functions of others do."""
    return tuple(obj["spec"]["to"])


def sound(obj: Object) -> tuple[str, ...]:
    return targets(obj) if isinstance(obj["spec"], dict) else ()  # type: ignore[return-value]


class LookupMachine(RuleBasedStateMachine):
    """A store, and the same objects in one plain dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.store = Store()
        self.plain: dict[tuple[Kind, str, str], Object] = {}
        self.version = 0

    @rule(kind=strategies.sampled_from(KINDS), about=OBJECTS)
    def put(self, kind: Kind, about: dict[str, Any]) -> None:
        obj = self._made(about)
        assert self.store.put(kind, obj)
        self.plain[kind, about["namespace"], about["name"]] = obj

    @rule(kind=strategies.sampled_from(KINDS), about=OBJECTS)
    def remove(self, kind: Kind, about: dict[str, Any]) -> None:
        gone = self.plain.pop((kind, about["namespace"], about["name"]), None)
        assert self.store.remove(kind, self._made(about)) == (gone is not None)

    @rule(
        kind=strategies.sampled_from(KINDS),
        namespace=strategies.none() | strategies.sampled_from(NAMESPACES[:2]),
        found=strategies.lists(OBJECTS, max_size=4),
    )
    def sweep(self, kind: Kind, namespace: str | None, found: list[dict[str, Any]]) -> None:
        items = {
            (about["namespace"], about["name"]): self._made(about)
            for about in found
            if namespace in (None, about["namespace"])
        }
        self.version += 1
        self.store.sweep(kind, Listing(tuple(items.values()), str(self.version)), namespace)
        kept = {key: obj for key, obj in self.plain.items() if key[0] != kind or namespace not in (None, key[1])}
        self.plain = kept | {(kind, *name): obj for name, obj in items.items()}

    @rule(kind=strategies.sampled_from(KINDS))
    def bury(self, kind: Kind) -> None:
        self.store.bury(kind)
        self.plain = {key: obj for key, obj in self.plain.items() if key[0] != kind}

    @invariant()
    def finds_what_is_there(self) -> None:
        for kind in KINDS:
            assert _versions(self.store.list(kind)) == self._walk(kind)
            assert list(self.store.names(kind)) == sorted(key[1:] for key in self.plain if key[0] == kind)
            for place in NAMESPACES:
                self._compare(kind, place)
        for uid in ("u1", "u2"):
            owned = [
                (kind.kind, obj)
                for (kind, _, _), obj in self.plain.items()
                if any(one["uid"] == uid for one in obj["metadata"]["ownerReferences"])
            ]
            ordered = sorted(owned, key=lambda one: (one[0], _name(one[1])))
            assert _versions(self.store.owned_by(uid)) == _versions([obj for _, obj in ordered])

    def _compare(self, kind: Kind, place: str) -> None:
        assert _versions(self.store.list(kind, place)) == self._walk(kind, place)
        for value in VALUES:
            alike = [obj for obj in self._in(kind, place) if (obj["metadata"]["labels"] or {}).get("app") == value]
            assert _versions(self.store.list(kind, place, {"app": value})) == _versions(alike)
            both = [obj for obj in alike if (obj["metadata"]["labels"] or {}).get("part") == "one"]
            assert _versions(self.store.list(kind, place, {"app": value, "part": "one"})) == _versions(both)
            pointing = [obj for obj in self._in(kind, place) if value in sound(obj)]
            assert _versions(self.store.lookup(kind, targets).of(place, value)) == _versions(pointing)
        everywhere = [obj for obj in self._in(kind) if (obj["metadata"]["labels"] or {}).get("app") == "one"]
        assert _versions(self.store.list(kind, None, {"app": "one"})) == _versions(everywhere)

    def _in(self, kind: Kind, place: str | None = None) -> list[Object]:
        found = [obj for key, obj in self.plain.items() if key[0] == kind and place in (None, key[1])]
        return sorted(found, key=_name)

    def _walk(self, kind: Kind, place: str | None = None) -> list[str]:
        return _versions(self._in(kind, place))

    def _made(self, about: dict[str, Any]) -> Object:
        self.version += 1
        metadata = {key: about[key] for key in ("namespace", "name", "labels")}
        owners = [{"uid": uid} for uid in sorted(about["owners"])]
        metadata |= {"resourceVersion": str(self.version), "ownerReferences": owners}
        return {"metadata": metadata, "spec": about["spec"]}


def _name(obj: Object) -> tuple[str, str]:
    return obj["metadata"]["namespace"], obj["metadata"]["name"]


def _versions(objects: Iterable[Object]) -> list[str]:
    return [obj["metadata"]["resourceVersion"] for obj in objects]


def test_a_list_of_one_namespace_touches_no_object_of_another() -> None:
    store, touched = Store(), []

    class Told(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            touched.append(self.get("space"))
            return super().__getitem__(key)

    for space in ("a", "b"):
        for number in range(3):
            metadata = {"namespace": space, "name": f"n{number}", "resourceVersion": "1", "labels": {"app": "x"}}
            store.put(POD, Told(metadata=metadata, space=space))
    store.list(POD, "a", {"app": "x"})
    touched.clear()
    assert len(store.list(POD, "a")) == len(store.list(POD, "a", {"app": "x"})) == 3
    assert "b" not in touched


LookupMachine.TestCase.settings = settings(max_examples=100 if FULL else 40, stateful_step_count=30, deadline=None)
TestLookupMachine = LookupMachine.TestCase
