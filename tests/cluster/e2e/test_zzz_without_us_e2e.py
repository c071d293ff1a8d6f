"""Nothing sticks: Modelward's pieces go in any order, and pods still start, scale and answer; nothing hangs.

It uninstalls the release that the other modules use, and installs it again at its end. Its name sorts last, after the
module which looks for requests that were refused: a pod of a release that goes has no rights any more.
MODELWARD_FULL=1 takes all orders.
"""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from installation import SYSTEM, Installed, helm_install
from leaving import (
    ADOPTED,
    OWNED,
    RELAYED,
    Inhabited,
    cluster_wide,
    remove_crds,
    remove_hub,
    remove_operator,
    uninstall,
)

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

Order = tuple[str, str, str]

PIECES = ("crds", "hub", "operator")
SHORT: tuple[Order, ...] = (("crds", "hub", "operator"), ("operator", "hub", "crds"))
ORDERS = tuple(itertools.permutations(PIECES)) if os.environ.get("MODELWARD_FULL") == "1" else SHORT
REMOVE: dict[str, Callable[[Installed], None]] = {
    "crds": remove_crds,
    "hub": remove_hub,
    "operator": remove_operator,
}
LIMIT_S = 60.0
THROUGH_US = (OWNED, f"{ADOPTED}-collector", f"{RELAYED}-collector")
THEIRS = (f"my-{ADOPTED}", f"my-{RELAYED}")


INHABITANTS = {
    "prepared": (OWNED, ADOPTED, RELAYED),
    "surprised": (OWNED, ADOPTED),
    "deleted": (OWNED, RELAYED),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """One namespace whose owner prepared for the end, one whose owner did not, and one to be deleted half-way."""

    installed: Installed
    prepared: Inhabited
    surprised: Inhabited
    deleted: Inhabited


@pytest.fixture
def scene(installed: Installed) -> Iterator[Scene]:
    """Three namespaces under a working installation."""
    helm_install(installed.cluster)
    token = uuid.uuid4().hex[:5]
    places = [Inhabited(installed, f"e2e-{name}-{token}", endpoints) for name, endpoints in INHABITANTS.items()]
    try:
        for place in places:
            place.open()
        for place in places:
            place.settle()
        yield Scene(installed, *places)
    finally:
        names = (place.namespace for place in places)
        installed.cluster.kubectl("delete", "namespace", *names, "--wait=false", "--ignore-not-found")


@pytest.fixture(scope="module", autouse=True)
def restored(installed: Installed) -> Iterator[None]:
    """Leave an installation behind, as the other modules expect it."""
    yield
    helm_install(installed.cluster)


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_pods_start_scale_and_answer_when_our_pieces_go_in_this_order(scene: Scene, order: Order) -> None:
    installed, prepared, surprised = scene.installed, scene.prepared, scene.surprised
    assert [place.finalizers() for place in (prepared, surprised, scene.deleted)] == [{}, {}, {}]
    before, adopted = prepared.pods().keys(), surprised.pods_of(f"my-{ADOPTED}")
    for piece in order:
        if piece == "crds":
            prepared.let_children_stay()
        REMOVE[piece](installed)
        if piece == order[1]:
            assert scene.deleted.delete() < LIMIT_S, "with what is left of us, and objects of every kind in it"
        assert prepared.pods().keys() == before
        assert prepared.unanswered(*THROUGH_US, *THEIRS) == {}

    for place in (prepared, surprised):
        place.forget_configuration()
    installed.until("children go with their endpoints", lambda: surprised.workloads == {f"my-{ADOPTED}"}, 60)
    assert surprised.pods_of(f"my-{ADOPTED}") == adopted, "an adopted pod is its owner's"
    for place, services in ((prepared, (*THROUGH_US, *THEIRS)), (surprised, THEIRS[:1])):
        place.renew()
        place.until_answered(*services)

    assert uninstall(installed) < LIMIT_S
    assert cluster_wide(installed) == []
    assert [place.delete() < LIMIT_S for place in (prepared, surprised)] == [True, True]


def test_uninstalling_ends_at_once_and_leaves_models_and_endpoints_as_they_are(scene: Scene) -> None:
    installed, place = scene.installed, scene.prepared
    before = place.pods().keys()
    assert scene.deleted.delete() < LIMIT_S, "with all of us there"
    assert uninstall(installed) < LIMIT_S
    assert {one.partition("/")[0] for one in cluster_wide(installed)} == {"CustomResourceDefinition"}
    assert place.pods().keys() == before
    assert place.unanswered(*THROUGH_US, *THEIRS) == {}
    installed.cluster.kubectl("delete", "namespace", SYSTEM, f"--timeout={LIMIT_S:.0f}s")
    assert place.delete() < LIMIT_S, "with objects of every kind in it and nobody to look after them"
