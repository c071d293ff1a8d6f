"""The doctor in a real installation: nothing to say about one that does well, and a name for what is in the way.

Its name sorts first, before the modules that leave endpoints with something to be said about.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from installation import REPOSITORY, SYSTEM, Installed, scripted
from modes import small

pytestmark = pytest.mark.cluster

KUBECTL = (sys.executable, str(REPOSITORY / "devcluster"), "kubectl")
IN_ITS_POD = (*KUBECTL, "exec", "-n", SYSTEM, "deploy/modelward", "--", "modelward", "doctor")


@dataclass(frozen=True, slots=True)
class Told:
    """What a run of the doctor printed, and its exit code."""

    code: int
    printed: str

    @property
    def remarks(self) -> list[Mapping[str, str]]:
        """The remarks of its JSON."""
        found: list[Mapping[str, str]] = json.loads(self.printed)["remarks"]
        return found

    def of(self, subject: str) -> list[Mapping[str, str]]:
        """Return the remarks on one subject."""
        return [one for one in self.remarks if one["subject"] == subject]


def doctor(*command: str) -> Told:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout, done.stderr
    return Told(done.returncode, done.stdout)


@pytest.fixture(params=["in its pod", "with an administrator's kubeconfig"])
def asking(installed: Installed, request: pytest.FixtureRequest) -> tuple[str, ...]:
    """How people run it; both ways end in JSON."""
    if request.param == "in its pod":
        return (*IN_ITS_POD, "--output", "json")
    code = "from modelward.cli.app import main; main()"
    kubeconfig: Any = installed.cluster
    where = ("--kubeconfig", str(kubeconfig.kubeconfig), "-n", SYSTEM)
    return (sys.executable, "-c", code, "doctor", *where, "--output", "json")


def becomes_well(installed: Installed, asking: tuple[str, ...]) -> Told:
    """Return the first answer without findings; endpoints of other tests may still be on their way out."""
    last: list[Told] = []

    def look() -> Told | None:
        last[:] = [doctor(*asking)]
        return last[0] if last[0].code == 0 else None

    try:
        return installed.until("a doctor without findings", look)
    except AssertionError as error:
        found = [one for one in last[0].remarks if one["severity"] in ("Error", "Warning")]
        raise AssertionError(f"{error}; it says {found}") from None


@pytest.fixture
def serving(installed: Installed, place: str) -> str:
    """A namespace with an endpoint that serves and is measured."""
    installed.apply(place, small("chat", {"template": scripted(cpu="10m")}, engine="llamacpp", replicas=1))
    installed.until_condition("chat", place, "CollectorReady", "True", 180)
    installed.until_condition("chat", place, "MetricsAvailable", "True")
    return place


def test_an_installation_that_does_well_has_nothing_to_act_upon(
    installed: Installed, serving: str, asking: tuple[str, ...]
) -> None:
    told = becomes_well(installed, asking)
    for subject in ("Kubernetes", "CRDs", "operator", "leader", "hub", "hub's CA", "hub's release", "collectors"):
        assert {one["severity"] for one in told.of(subject)} <= {"Good", "NotRead"}, subject
        assert told.of(subject), subject
    if asking[: len(IN_ITS_POD)] == IN_ITS_POD:
        assert [one["what"] for one in told.of("hub")] == ["it answers the operator"]
        assert [one["what"] for one in told.of("rights")] == ["the operator may do all that it has to"]
    else:
        unread = {one["subject"] for one in told.remarks if one["severity"] == "NotRead"}
        assert unread == {"rights"}, "an administrator may read all but what only the operator can ask"


def test_the_page_for_people_ends_with_a_summary(installed: Installed, serving: str) -> None:
    becomes_well(installed, (*IN_ITS_POD, "--output", "json"))
    told = doctor(*IN_ITS_POD)
    assert told.code == 0
    assert told.printed.splitlines()[-1].startswith("errors: 0, warnings: 0")


@pytest.fixture
def no_services(installed: Installed, place: str) -> Iterator[str]:
    """A policy in force after which no Service can be made in the namespace."""
    name = f"{place}-no-services"
    about = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": name}}
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["services"]}
    where = {"matchLabels": {"kubernetes.io/metadata.name": place}}
    match = {"namespaceSelector": where, "resourceRules": [rule]}
    spec = {"matchConstraints": match, "validations": [{"expression": "false", "message": "the platform says no"}]}
    binding = {"policyName": name, "validationActions": ["Deny"]}
    installed.apply(
        place,
        {**about, "kind": "ValidatingAdmissionPolicy", "spec": spec},
        {**about, "kind": "ValidatingAdmissionPolicyBinding", "spec": binding},
    )
    installed.until("admission to follow the policy", lambda: _refused(installed, place))
    yield name
    _lift(installed, name)


def _refused(installed: Installed, place: str) -> bool:
    probe = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "probe"}, "spec": {"ports": [{"port": 80}]}}
    try:
        installed.dry_run(place, probe)
    except AssertionError as error:
        return "the platform says no" in str(error)
    return False


def _lift(installed: Installed, name: str) -> None:
    for kind in ("validatingadmissionpolicybinding", "validatingadmissionpolicy"):
        installed.cluster.kubectl("delete", kind, name, "--ignore-not-found")


def test_a_policy_that_refuses_us_is_named_with_the_next_command_until_it_is_lifted(
    installed: Installed, place: str, no_services: str, asking: tuple[str, ...]
) -> None:
    installed.apply(place, small("chat", {"template": scripted(cpu="10m")}, engine="llamacpp", replicas=1))
    assert installed.until_condition("chat", place, "Accepted", "False") == "Refused"
    told = doctor(*asking)
    assert told.code == 1
    (found,) = told.of(f"{place}/chat")
    assert found["severity"] == "Warning"
    assert "the platform says no" in found["what"]
    assert found["next"] == f"kubectl describe validatingadmissionpolicy {no_services}"
    if asking[: len(IN_ITS_POD)] != IN_ITS_POD:
        named = [one["what"] for one in told.of("admission")]
        assert f"ValidatingAdmissionPolicy {no_services} may refuse services, as its rules say" in named
    _lift(installed, no_services)
    installed.until_condition("chat", place, "Accepted", "True")
    assert not [one for one in doctor(*asking).of(f"{place}/chat") if "Refused" in one["what"]]
