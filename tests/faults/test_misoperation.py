"""Wrong and right specs in any order: what is right shows, what is wrong is refused or named and touches nothing."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import proxy as proxies
import pytest
from control_plane import ControlPlane
from declared import OWN, Declared, Verb, difference, held_still
from driver import driving
from hidden_fields import HIDDEN, Hidden, Situation, changed_fields, hiding
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from proxy import Proxy
from schema_semantics import BASES, SCHEMAS
from schema_strategies import SchemaPath
from steps import Spec, alternatives, changed_field, fields, new_spec, of_this_backend, refused_spec, senseless_spec
from user import TEAM

from modelward.kube.client import Client

pytestmark = pytest.mark.timeout(3_000)
FULL = os.environ.get("MODELWARD_FULL") == "1"
STEPS = 25
SEQUENCES = 200 if FULL else 12
VERBS: tuple[Verb, ...] = ("apply", "replace")
NULLED = 'Invalid value: "null"'
"""What server-side apply makes of an empty map over one whose items its manager owned, before rules are looked at."""
Tried = tuple[str, SchemaPath, str]
"""Kind, field and value."""
TURNS = ("field", "field", "field", "field", "whole", "refused", "refused", "senseless", "senseless", "senseless")


WINS = {
    "content": "MetadataOnly", "sample": "10%", "always": {"errors": True, "slowerThan": "10s"},
    "keepFor": "168h", "maxBody": "256Ki",
}  # fmt: skip
LOSES = {
    "content": "MetadataOnly", "sample": "5%", "always": {"errors": False, "slowerThan": "30s"},
    "keepFor": "170h", "maxBody": "2Ki",
}  # fmt: skip
"""Captures of two policies over the same endpoints."""
LOSES_TOO = (
    {"content": "Redacted"}, {"sample": "6%"}, {"always": {"errors": True, "slowerThan": "30s"}},
    {"always": {"errors": False, "slowerThan": "20s"}}, {"keepFor": "169h"}, {"maxBody": "3Ki"},
)  # fmt: skip
"""What the second may ask as well, and the first is in force all the same."""


def over_all(capture: Mapping[str, Any]) -> Spec:
    """Return a policy over all endpoints."""
    return {"endpointSelector": {"matchLabels": TEAM}, "capture": dict(capture)}


@pytest.fixture(scope="module")
def quiet(control_plane: ControlPlane) -> Iterator[Proxy]:
    """The way to the control plane, whose controllers are held still."""
    with held_still(control_plane), proxies.running(control_plane.kubeconfig) as running:
        yield running


@asynccontextmanager
async def declared(quiet: Proxy, *labels: str) -> AsyncIterator[Declared]:
    """A fresh namespace, settled, with one object of each form, or with those that are named."""
    namespace = f"misoperation-{uuid.uuid4().hex[:8]}"
    async with Client.connect(str(quiet.kubeconfig)) as client, driving(quiet, [namespace]) as driver:
        here = await Declared.settled(client, namespace, driver)
        for kind in ("LLMEndpoint", "Evaluator", "MonitoringPolicy"):
            for name, spec in BASES[kind].items():
                if f"{kind}/{name}" in labels or not labels:
                    assert await here.declare(kind, name, spec) == ""
        await here.settle()
        yield here
        await here.verify()


class Walk:
    """One sequence of steps in a namespace, with the oracles of each kind of step."""

    def __init__(self, here: Declared, verb: Verb, needed: Counter[Hidden], taken: Counter[str]) -> None:
        # What one verb owns the other does not take away, so a user keeps to one.
        self.here, self.verb, self._needed, self._taken = here, verb, needed, taken

    async def valid(self, label: str, spec: Spec) -> None:
        """A valid change is taken, and what it means shows in children, in status or in what the hub is told."""
        before, situation = self.here.now, self._situation(label)
        kind, _, name = label.partition("/")
        refusal = await self.here.declare(kind, name, spec, self.verb)
        if NULLED in refusal and _says_nothing_somewhere(spec):
            self._taken["nulled"] += 1
            return
        assert not refusal, f"{label}: {refusal} for {spec}"
        taken = self.here.specs[label]
        after = await self.here.settle()
        paused = bool(situation.before.get("paused") and taken.get("paused"))
        if kind == "LLMEndpoint" and paused:
            assert difference(before.children, after.children) == []
            return
        fields = changed_fields(SCHEMAS[kind], situation.before, taken)
        now = replace(situation, after=taken)
        hidden = [hiding(kind, path, now) for path in sorted(fields)]
        self._taken["valid"] += bool(fields)
        if difference(before.shows, after.shows):
            return
        assert all(hidden), f"{label}: nothing shows of {sorted(fields)}\n{situation.before}\n{taken}"
        self._needed.update(entry for entry in hidden if entry is not None)

    async def there_and_back(self, label: str, path: SchemaPath, tried: set[Tried]) -> None:
        """Each other value of a field shows, and all is as it was when it is taken back.

        In short the first and the last at least, and no other value that was tried in the same field of another object.
        """
        kind, good, before = label.partition("/")[0], self.here.specs[label], self.here.now
        found = alternatives(kind, good, path, everywhere=FULL) if of_this_backend(path, good) else []
        ends = (*found[:1], *found[-1:])
        chosen = [one for one in found if FULL or one in ends or (kind, path, one.value) not in tried]
        tried.update((kind, path, one.value) for one in found)
        for spec in (one.spec for one in chosen):
            await self.valid(label, spec)
            await self.valid(label, good)
            if path == ("replicas",) and "replicas" not in good:
                continue  # a number that is no longer declared stays
            changed = difference(before.shows, self.here.now.shows)
            assert all(map(_remembered, changed)), f"{label}: {changed[:6]} with {spec}"

    async def refused(self, label: str, wrong: Spec, field: str, reason: str) -> None:
        """The API server refuses in words that name the field, and nothing at all has changed."""
        kind, _, name = label.partition("/")
        # Asked for anew: who only says that a default is theirs as well makes a version, and nothing to settle.
        version = (await self.here.user.get(OWN[kind], name))["metadata"]["resourceVersion"]
        # Only an apply is asked to be strict here: a replacement drops what the schema does not know.
        refusal = await self.here.declare(kind, name, wrong, "apply" if "does not know" in reason else self.verb)
        assert field in refusal or reason in refusal or NULLED in refusal, (label, wrong, reason, refusal)
        found = await self.here.user.get(OWN[kind], name)
        assert found["metadata"]["resourceVersion"] == version

    async def senseless(self, label: str, wrong: Spec, reason: str) -> None:
        """A condition says what is wrong, no child is touched, and taking it back leaves everything as it was."""
        before, good = self.here.now, self.here.specs[label]
        kind, _, name = label.partition("/")
        refusal = await self.here.declare(kind, name, wrong, self.verb)
        assert not refusal, f"{label}: {refusal} for {wrong}"
        bad = await self.here.settle()
        said = bad.condition(label, "Accepted")
        assert said == reason, f"{label}: {said} instead of {reason} for {wrong}"
        _same(before.children, bad.children, label, wrong)
        assert await self.here.declare(kind, name, good, self.verb) == ""
        after = await self.here.settle()
        if self.here.specs[label] == good:
            _same(before.children, after.children, label, wrong)
        else:  # a server-side apply may leave nothing of a map that it empties: what the user wrote is noted again then
            assert _says_nothing_somewhere(good), f"{label}: {self.here.specs[label]} instead of {good}"
        _same(before.shows, after.shows, label, wrong)

    def _situation(self, label: str) -> Situation:
        specs, children = self.here.specs, self.here.now.children
        endpoints, policies = (_of_kind(kind, specs) for kind in ("LLMEndpoint", "MonitoringPolicy"))
        running = {}
        for name, spec in endpoints.items():
            reference = spec["backend"].get("workloadRef", {"name": name})
            workload = children.get(f"{reference.get('kind', 'Deployment')}/{reference['name']}")
            if workload is not None:
                running[name] = int(workload["spec"].get("replicas", 1))
        return Situation(label.partition("/")[2], specs[label], specs[label], endpoints, policies, running)


def _of_kind(kind: str, specs: Mapping[str, Spec]) -> dict[str, Spec]:
    return {label.partition("/")[2]: spec for label, spec in specs.items() if label.startswith(f"{kind}/")}


def _says_nothing_somewhere(spec: Any) -> bool:
    inner = spec.values() if isinstance(spec, Mapping) else spec if isinstance(spec, list) else ()
    return spec == {} or any(map(_says_nothing_somewhere, inner))


def _remembered(line: str) -> bool:
    """Return whether a difference is the scaler's memory: a decision that was taken stays taken."""
    return ".scaling.decisions" in line or (".scaling.desired" in line and "absent" in line)


def _same(before: Mapping[str, Any], after: Mapping[str, Any], label: str, wrong: Spec) -> None:
    """Compare all but rehearsals: one that a cluster under load is slow to start goes with its adoption."""
    lasting = ({key: one for key, one in found.items() if not key.endswith("-rehearsal")} for found in (before, after))
    changed = difference(*lasting)
    assert not changed, f"{label}: {changed[:6]} with {wrong}"


@pytest.mark.timeout(1_200)  # a hundred fields there and back: five minutes on a busy machine
def test_each_field_alone_shows_or_has_a_reason_not_to_and_taking_it_back_leaves_nothing(quiet: Proxy) -> None:
    needed: Counter[Hidden] = Counter()
    taken: Counter[str] = Counter()
    tried: set[Tried] = set()

    async def sweep() -> None:
        async with declared(quiet) as here:
            walk = Walk(here, "apply", needed, taken)
            for label in sorted(here.specs):
                # Replicas last, because those that are no longer declared stay as they were.
                for path in sorted(fields(label.partition("/")[0]), key=lambda path: path == ("replicas",)):
                    await walk.there_and_back(label, path, tried)
        async with declared(quiet, "LLMEndpoint/watched", "Evaluator/scope", "MonitoringPolicy/baseline") as here:
            walk = Walk(here, "replace", needed, taken)
            for path in fields("MonitoringPolicy"):
                if path[0] == "capture":
                    await walk.there_and_back("MonitoringPolicy/baseline", path, set())
        async with declared(quiet, "LLMEndpoint/short", "MonitoringPolicy/nobody") as here:
            walk = Walk(here, "replace", needed, taken)
            assert await here.declare("MonitoringPolicy", "wins", over_all(WINS)) == ""
            await here.settle()
            await walk.valid("MonitoringPolicy/nobody", over_all(LOSES))
            for changed in LOSES_TOO:
                await walk.valid("MonitoringPolicy/nobody", over_all(LOSES | changed))
                await walk.valid("MonitoringPolicy/nobody", over_all(LOSES))

    asyncio.run(sweep())
    print(f"steps: {dict(taken)}")
    stale = [(entry.kind, entry.path, entry.why) for entry in HIDDEN if entry not in needed]
    assert not stale, f"never needed: {stale}"


def test_in_any_sequence_right_specs_show_and_wrong_ones_touch_nothing(quiet: Proxy) -> None:
    needed: Counter[Hidden] = Counter()
    taken: Counter[str] = Counter()

    @settings(
        max_examples=SEQUENCES, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck), deadline=None,
    )  # fmt: skip
    @given(st.data())
    def sequence(data: st.DataObject) -> None:
        async def walk() -> None:
            async with declared(quiet) as here:
                walk = Walk(here, data.draw(st.sampled_from(VERBS)), needed, taken)
                for _ in range(STEPS):
                    await step(walk, data, taken)

        asyncio.run(walk())

    sequence()
    print(f"steps: {dict(taken)}")
    assert taken.total() > 0


async def step(walk: Walk, data: st.DataObject, taken: Counter[str]) -> None:
    """Draw one step and take it."""
    here = walk.here
    label = data.draw(st.sampled_from(sorted(here.specs)))
    kind, spec, turn = label.partition("/")[0], here.specs[label], data.draw(st.sampled_from(TURNS))
    taken[turn] += 1
    if turn == "field":
        await walk.valid(label, data.draw(changed_field(kind, spec)))
    elif turn == "whole":
        await walk.valid(label, data.draw(new_spec(kind, spec)))
    elif turn == "refused":
        mutant = data.draw(refused_spec(kind, spec))
        await walk.refused(label, mutant.spec, mutant.field, mutant.reason)
    else:
        way = data.draw(senseless_spec(kind, spec))
        if way is not None:
            note(f"{label}: {way.name}")
            await walk.senseless(label, way.applied(spec), way.reason)
