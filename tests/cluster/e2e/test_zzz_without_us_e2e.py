"""Nothing sticks: Modelward's pieces go in any order, and pods still start, scale and answer; nothing hangs.

It uninstalls the release that the other modules use. Its name sorts last, after the module that looks for requests that
were refused: a pod of a release that goes has no rights any more.
MODELWARD_FULL=1 also takes the pieces away one by one, in each order; elsewhere all but the CRDs go at once.
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

ORDERS: tuple[Order, ...] = tuple(itertools.permutations(("crds", "hub", "operator"), 3))
FULL = os.environ.get("MODELWARD_FULL") == "1"
REMOVE: dict[str, Callable[[Installed], None]] = {"hub": remove_hub, "operator": remove_operator}
LIMIT_S = 60.0
THROUGH_US = (OWNED, f"{ADOPTED}-collector", f"{RELAYED}-collector")
THEIRS = (f"my-{ADOPTED}", f"my-{RELAYED}")


@dataclass(frozen=True, slots=True)
class Scene:
    """A namespace whose owner prepared for the end, one whose owner did not, and one that is deleted before."""

    installed: Installed
    prepared: Inhabited
    surprised: Inhabited
    deleted: Inhabited

    @property
    def places(self) -> tuple[Inhabited, ...]:
        """All of them."""
        return self.prepared, self.surprised, self.deleted


@pytest.fixture
def scene(installed: Installed) -> Iterator[Scene]:
    """Three namespaces under a working installation."""
    helm_install(installed.cluster)
    token = uuid.uuid4().hex[:5]
    made = Scene(
        installed,
        prepared=Inhabited(installed, f"e2e-prepared-{token}", (OWNED, ADOPTED, RELAYED)),
        surprised=Inhabited(installed, f"e2e-surprised-{token}", (OWNED, ADOPTED)),
        deleted=Inhabited(installed, f"e2e-deleted-{token}", (OWNED, RELAYED)),
    )
    try:
        for place in made.places:
            place.open()
        for place in made.places:
            place.settle()
        made.prepared.until_answered(*THROUGH_US, *THEIRS)
        yield made
    finally:
        names = (place.namespace for place in made.places)
        installed.cluster.kubectl("delete", "namespace", *names, "--wait=false", "--ignore-not-found")


@pytest.mark.skipif(not FULL, reason="make faults-full: each order takes a minute and a half")
@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_pods_start_scale_and_answer_when_our_pieces_go_in_this_order(scene: Scene, order: Order) -> None:
    assert [place.finalizers() for place in scene.places] == [{}, {}, {}]
    assert scene.deleted.delete() < LIMIT_S, "with objects of every kind in it, and all of us there"
    for piece in order:
        before = scene.prepared.pods().keys()
        if piece == "crds":
            _remove_crds(scene)
        else:
            REMOVE[piece](scene.installed)
        assert scene.prepared.pods().keys() == before
        assert scene.prepared.unanswered(*THROUGH_US, *THEIRS) == {}
    _go_on(scene)
    assert uninstall(scene.installed) < LIMIT_S
    assert cluster_wide(scene.installed) == []


def test_uninstalling_ends_at_once_and_leaves_models_and_endpoints_as_they_are(scene: Scene) -> None:
    installed, before = scene.installed, [place.pods().keys() for place in (scene.prepared, scene.surprised)]
    assert [place.finalizers() for place in scene.places] == [{}, {}, {}]
    assert uninstall(installed) < LIMIT_S
    assert scene.deleted.delete() < LIMIT_S, "with objects of every kind in it, and no operator to look after them"
    assert {one.partition("/")[0] for one in cluster_wide(installed)} == {"CustomResourceDefinition"}
    assert [place.pods().keys() for place in (scene.prepared, scene.surprised)] == before
    assert scene.prepared.unanswered(*THROUGH_US, *THEIRS) == {}
    _remove_crds(scene)
    _go_on(scene)
    assert cluster_wide(installed) == []
    installed.cluster.kubectl("delete", "namespace", SYSTEM, f"--timeout={LIMIT_S:.0f}s")


def _remove_crds(scene: Scene) -> None:
    """Delete the CRDs: children go with their endpoints where nothing was done before, and only these."""
    scene.prepared.let_children_stay()
    adopted = scene.surprised.pods_of(f"my-{ADOPTED}")
    remove_crds(scene.installed)
    scene.installed.until("the children's end", lambda: scene.surprised.workloads == {f"my-{ADOPTED}"})
    assert scene.surprised.pods_of(f"my-{ADOPTED}") == adopted, "an adopted pod is its owner's"


def _go_on(scene: Scene) -> None:
    """Take our ConfigMaps too, have every pod replaced and one more started, and ask them all."""
    places = (scene.prepared, scene.surprised)
    for place in places:
        place.forget_configuration()
    for renewed in [place.renew() for place in places]:
        renewed()
    scene.prepared.until_answered(*THROUGH_US, *THEIRS)
    scene.surprised.until_answered(f"my-{ADOPTED}")
