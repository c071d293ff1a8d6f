"""Whatever order events and lists come in, the store ends at the truth and never goes back on the way."""

from typing import Any

from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from long_form import FULL

from modelward.kube.client import Listing
from modelward.kube.kinds import CONFIG_MAP, DEPLOYMENT, POD, Kind, Object
from modelward.kube.store import Drift, Store

NAMES = strategies.sampled_from([("a", "x"), ("a", "y"), ("b", "x")])


def item(version: int, name: str = "x", namespace: str = "a", **metadata: Any) -> Object:
    return {"metadata": {"namespace": namespace, "name": name, "resourceVersion": str(version)} | metadata}


def listing(version: int, *items: Object) -> Listing:
    return Listing(items, str(version))


def versions(store: Store, kind: Kind = POD) -> list[str]:
    return [obj["metadata"]["resourceVersion"] for obj in store.list(kind)]


def test_store_keeps_the_newer_of_two_versions() -> None:
    store = Store()
    assert store.put(POD, item(9))
    assert not store.put(POD, item(8))
    assert store.put(POD, item(10))
    assert versions(store) == ["10"]


def test_store_does_not_raise_the_dead() -> None:
    store = Store()
    store.put(POD, item(5))
    assert store.remove(POD, item(7))
    assert not store.put(POD, item(6))
    assert store.put(POD, item(8))
    assert versions(store) == ["8"]


def test_store_ignores_a_late_deletion_of_an_earlier_object() -> None:
    store = Store()
    store.put(POD, item(8))
    assert not store.remove(POD, item(7))
    assert versions(store) == ["8"]


def test_store_a_sweep_removes_ghosts_but_not_what_came_after_the_list() -> None:
    store = Store()
    store.put(POD, item(3, "ghost"))
    store.put(POD, item(12, "newcomer"))
    assert store.sweep(POD, listing(10, item(4, "missed"))) == Drift(added=1, updated=0, removed=1)
    assert [obj["metadata"]["name"] for obj in store.list(POD)] == ["missed", "newcomer"]


def test_store_takes_back_what_a_wrong_list_left_out() -> None:
    store = Store()
    store.sweep(POD, listing(10, item(4)))
    store.sweep(POD, listing(11))
    assert versions(store) == []
    assert store.sweep(POD, listing(12, item(4))) == Drift(added=1, updated=0, removed=0)
    assert versions(store) == ["4"]


def test_store_a_list_older_than_a_deletion_raises_no_dead() -> None:
    store = Store()
    store.put(POD, item(4))
    store.remove(POD, item(12))
    assert store.sweep(POD, listing(11, item(4))) == Drift(added=0, updated=0, removed=0)
    assert versions(store) == []


def test_store_a_sweep_of_one_namespace_leaves_the_others() -> None:
    store = Store()
    store.put(POD, item(3, namespace="a"))
    store.put(POD, item(3, namespace="b"))
    store.sweep(POD, listing(10), namespace="a")
    assert [obj["metadata"]["namespace"] for obj in store.list(POD)] == ["b"]


def test_store_after_a_sweep_an_older_event_of_an_unlisted_object_is_stale() -> None:
    store = Store()
    store.sweep(POD, listing(10))
    assert not store.put(POD, item(9))
    assert store.put(POD, item(11))


def test_store_follows_a_cluster_that_was_restored_from_a_backup() -> None:
    store = Store()
    store.sweep(POD, listing(1000, item(900, "x"), item(990, "y")))
    for _ in range(2):
        store.sweep(POD, listing(500, item(400, "x")))
    assert versions(store) == ["400"]
    assert store.put(POD, item(501, "y"))


def test_store_does_not_believe_one_list_that_is_older_than_the_last() -> None:
    store = Store()
    for _ in range(3):
        store.sweep(POD, listing(1000, item(900, "x"), item(990, "y")))
        assert not store.behind(POD)
        assert store.sweep(POD, listing(950, item(400, "x"), item(940, "gone"))) == Drift(0, 0, 0)
        assert store.behind(POD)
    assert versions(store) == ["900", "990"]
    assert store.put(POD, item(1001, "new")), "what a watch brings is taken in meanwhile"


def test_store_tells_subscribers_of_each_change_once() -> None:
    store, told = Store(), []
    store.subscribe(lambda kind, obj: told.append((kind.kind, obj["metadata"]["resourceVersion"])))
    store.put(POD, item(1))
    store.put(POD, item(1))
    store.sweep(POD, listing(5, item(2)))
    store.remove(POD, item(6))
    assert told == [("Pod", "1"), ("Pod", "2"), ("Pod", "2")]


def test_store_finds_children_by_owner_whatever_their_kind() -> None:
    store = Store()
    owners = [{"uid": "u1"}]
    store.put(CONFIG_MAP, item(1, "settings", ownerReferences=owners))
    store.put(DEPLOYMENT, item(2, "web", ownerReferences=owners))
    store.put(POD, item(3, "other"))
    assert [obj["kind"] for obj in store.owned_by("u1")] == ["ConfigMap", "Deployment"]
    store.put(CONFIG_MAP, item(4, "settings"))
    store.remove(DEPLOYMENT, item(5, "web"))
    assert store.owned_by("u1") == ()


def test_store_selects_by_all_labels() -> None:
    store = Store()
    store.put(POD, item(1, "x", labels={"app": "web", "tier": "front"}))
    store.put(POD, item(2, "y", labels={"app": "web"}))
    assert [obj["metadata"]["name"] for obj in store.list(POD, "a", {"app": "web", "tier": "front"})] == ["x"]
    assert store.list(POD, "b", {"app": "web"}) == ()


def test_store_keeps_managed_fields_only_where_they_are_read() -> None:
    store = Store()
    store.put(POD, item(1, managedFields=[{"manager": "kubelet"}]))
    store.put(DEPLOYMENT, item(1, managedFields=[{"manager": "hpa"}]))
    assert "managedFields" not in store.list(POD)[0]["metadata"]
    assert store.list(DEPLOYMENT)[0]["metadata"]["managedFields"] == [{"manager": "hpa"}]


def test_store_knows_what_was_ever_listed_and_how_old_the_last_hint_is() -> None:
    now = 100.0
    store = Store(clock=lambda: now)
    assert not store.synced(POD)
    assert store.last_hint_age(POD) is None
    store.sweep(POD, listing(1))
    assert store.synced(POD)
    assert store.last_hint_age(POD) is None
    store.put(POD, item(2))
    now = 107.0
    assert store.last_hint_age(POD) == 7.0


class StoreMachine(RuleBasedStateMachine):
    """A cluster that changes, a watch that delivers its events in any order or not at all, and sweeps."""

    def __init__(self) -> None:
        super().__init__()
        self.store = Store()
        self.revision = 0
        self.truth: dict[tuple[str, str], Object] = {}
        self.flying: list[tuple[str, Object]] = []
        self.highest: dict[tuple[str, str], int] = {}

    @rule(name=NAMES)
    def write(self, name: tuple[str, str]) -> None:
        self.revision += 1
        obj = item(self.revision, name[1], name[0])
        self.truth[name] = obj
        self.flying.append(("MODIFIED", obj))

    @rule(name=NAMES)
    def delete(self, name: tuple[str, str]) -> None:
        if self.truth.pop(name, None) is not None:
            self.revision += 1
            self.flying.append(("DELETED", item(self.revision, name[1], name[0])))

    @precondition(lambda self: self.flying)
    @rule(data=strategies.data(), again=strategies.booleans())
    def deliver(self, data: strategies.DataObject, again: bool) -> None:
        index = data.draw(strategies.integers(0, len(self.flying) - 1))
        event, obj = self.flying[index] if again else self.flying.pop(index)
        if event == "DELETED":
            self.store.remove(POD, obj)
        else:
            self.store.put(POD, obj)

    @precondition(lambda self: self.flying)
    @rule(data=strategies.data())
    def lose(self, data: strategies.DataObject) -> None:
        self.flying.pop(data.draw(strategies.integers(0, len(self.flying) - 1)))

    @rule(namespace=strategies.sampled_from([None, "a", "b"]))
    def sweep(self, namespace: str | None) -> None:
        shown = [obj for name, obj in self.truth.items() if namespace in (None, name[0])]
        self.store.sweep(POD, listing(self.revision, *shown), namespace)
        names = {("a", "x"), ("a", "y"), ("b", "x")} if namespace is None else {(namespace, "x"), (namespace, "y")}
        for name in names:
            assert self._shown(name) == self._version(self.truth.get(name))

    @invariant()
    def never_goes_back(self) -> None:
        for obj in self.store.list(POD):
            name = (obj["metadata"]["namespace"], obj["metadata"]["name"])
            version = int(obj["metadata"]["resourceVersion"])
            assert version >= self.highest.get(name, 0)
            self.highest[name] = version

    def teardown(self) -> None:
        for event, obj in self.flying:
            (self.store.remove if event == "DELETED" else self.store.put)(POD, obj)
        self.store.sweep(POD, listing(self.revision, *self.truth.values()))
        assert {self._name(obj) for obj in self.store.list(POD)} == set(self.truth)
        for name, obj in self.truth.items():
            assert self._shown(name) == self._version(obj)

    def _shown(self, name: tuple[str, str]) -> int:
        return self._version(self.store.get(POD, *name))

    @staticmethod
    def _name(obj: Object) -> tuple[str, str]:
        return obj["metadata"]["namespace"], obj["metadata"]["name"]

    @staticmethod
    def _version(obj: Object | None) -> int:
        return 0 if obj is None else int(obj["metadata"]["resourceVersion"])


StoreMachine.TestCase.settings = settings(max_examples=150 if FULL else 75, stateful_step_count=30, deadline=None)
TestStoreMachine = StoreMachine.TestCase
