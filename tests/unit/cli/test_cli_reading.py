"""A report gets the operator refused nothing, and asks for its rights where it works and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import jwt
import pytest

from modelward.cli.cluster import installation
from modelward.cli.cluster.installation import Setup, setup
from modelward.cli.cluster.reading import ClusterReader, Unread, subject
from modelward.cli.doctor.interceptors import interceptors
from modelward.cli.doctor.rights_asked import rights_asked
from modelward.kube.client import Client
from modelward.kube.errors import Forbidden
from modelward.kube.kinds import CONFIG_MAP, LLM_ENDPOINT, Kind
from modelward.operator.runtime.settings import read

OPERATOR = "system:serviceaccount:system:modelward"
SETTINGS = {"namespace": "system", "collectorImage": "c", "evaluatorImage": "m", "hubUrl": "https://hub"}

Asked = dict[str, str]


class Cluster:
    """Answers reviews as told, holds a few objects, and remembers what was read without a right."""

    def __init__(self, may: Callable[[Asked], bool], objects: dict[str, list[dict[str, Any]]] | None = None) -> None:
        self.may, self.objects = may, objects or {}
        self.reviewed: list[Asked] = []
        self.refused: list[str] = []

    async def create(self, obj: dict[str, Any]) -> dict[str, Any]:
        asked = obj["spec"]["resourceAttributes"]
        self.reviewed.append(asked)
        return {"status": {"allowed": self.may(asked)}}

    async def find(self, kind: Kind, namespace: str | None, name: str) -> dict[str, Any] | None:
        self._checked("get", kind, namespace)
        found = self.objects.get(kind.plural, [])
        return next((one for one in found if one["metadata"]["name"] == name), None)

    async def list(self, kind: Kind, namespace: str | None = None, **_: str | None) -> Any:
        self._checked("list", kind, namespace)
        return SimpleNamespace(items=tuple(self.objects.get(kind.plural, ())))

    async def served(self, kind: Kind) -> bool:
        return kind.plural in self.objects and kind.version == "v1"

    def _checked(self, verb: str, kind: Kind, namespace: str | None) -> None:
        if not self.may({"group": kind.group, "resource": kind.plural, "verb": verb, "namespace": namespace or ""}):
            self.refused.append(f"{verb} {kind.plural}")
            raise Forbidden(403, "Forbidden", f"cannot {verb} {kind.plural}")


def reads(cluster: Cluster, as_operator: bool = True) -> ClusterReader:
    return ClusterReader(cast(Client, cluster), OPERATOR if as_operator else "", as_operator)


def scoped(asked: Asked) -> bool:
    """Allow what the chart grants where it serves namespace `retail`, as far as it matters here."""
    if asked["namespace"] == "system":
        certificate = (asked["verb"], asked.get("name")) == ("get", "modelward-hub-ca")
        return asked["resource"] == "leases" or certificate or asked.get("name") == "modelward-told-retail"
    return asked["namespace"] == "retail"


def known(**settings: Any) -> Setup:
    return Setup(read({**SETTINGS, **settings}, "test"))


async def test_the_operator_of_single_namespaces_is_asked_about_these_alone() -> None:
    cluster = Cluster(scoped)
    found = await rights_asked(reads(cluster), "system", known(watchNamespaces=["retail"]))
    assert found.denied == ()
    assert {asked["namespace"] for asked in cluster.reviewed} == {"system", "retail"}


async def test_a_right_that_is_missing_is_named_with_its_place() -> None:
    cluster = Cluster(lambda asked: asked["resource"] != "services" or asked["verb"] != "patch")
    found = await rights_asked(reads(cluster), "system", known(watchNamespaces=["retail", "support"]))
    assert found.denied == ("patch services in retail", "patch services in support")
    assert (await rights_asked(reads(cluster), "system", known())).denied == ("patch services",)


@pytest.mark.parametrize(
    ("resource", "missing"),
    [
        (
            "leases",
            ("create", "get", "update"),
        ),
        ("configmaps", ("get", "get", "create", "patch", "delete")),
    ],
)
async def test_rights_at_home_are_asked_for_too(resource: str, missing: tuple[str, ...]) -> None:
    cluster = Cluster(lambda asked: asked["namespace"] != "system" or asked["resource"] != resource)
    found = await rights_asked(reads(cluster), "system", known(watchNamespaces=["retail"]))
    assert [words.split()[0] for words in found.denied or ()] == list(missing)
    assert all(words.endswith(" in system") for words in found.denied or ())


async def test_rights_that_the_chart_grants_by_choice_are_asked_for_where_it_was_made() -> None:
    cluster = Cluster(lambda asked: asked["group"] not in ("monitoring.coreos.com", "networking.k8s.io"))
    plain = await rights_asked(reads(cluster), "system", known(watchNamespaces=["retail"]))
    assert plain.denied == ()
    chosen = {"policyRules": {"enabled": True}, "watchNamespaces": ["retail"]}
    found = await rights_asked(reads(cluster), "system", known(**chosen))
    assert found.denied == tuple(
        f"{verb} monitoring.coreos.com/prometheusrules in retail" for verb in ("get", "create", "patch", "delete")
    )


async def test_without_a_hub_nobody_misses_its_certificate() -> None:
    found = await rights_asked(
        reads(Cluster(lambda asked: asked["resource"] == "leases")), "system", known(hubUrl=None)
    )
    assert not [words for words in found.denied or () if "modelward-hub-ca" in words]


async def test_unknown_settings_never_mean_the_whole_cluster() -> None:
    cluster = Cluster(scoped)
    found = await rights_asked(reads(cluster), "system", Setup(None, "forbidden"))
    assert (found.denied, found.problem) == (None, "it is not known which namespaces it serves: forbidden")
    assert cluster.reviewed == []


async def test_nobody_else_is_taken_for_the_operator() -> None:
    cluster = Cluster(scoped)
    assert (await rights_asked(reads(cluster, as_operator=False), "system", known())).denied is None
    assert cluster.reviewed == []


async def test_the_operator_leaves_no_refusal_in_the_audit_log() -> None:
    cluster = Cluster(scoped, {"validatingadmissionpolicies": []})
    report = reads(cluster)
    assert isinstance(await report.find(CONFIG_MAP, "system", "modelward-settings"), Unread)
    assert isinstance(await report.list(LLM_ENDPOINT), Unread)
    assert all(isinstance(one, Unread) for plural, one in (await interceptors(report)).items() if "muta" not in plural)
    assert cluster.refused == []
    others = reads(cluster, as_operator=False)
    assert isinstance(await others.list(LLM_ENDPOINT), Unread)
    assert cluster.refused == ["list llmendpoints"]


async def test_endpoints_are_listed_by_namespace_where_the_cluster_may_not_be_read() -> None:
    cluster = Cluster(scoped, {"llmendpoints": [{"metadata": {"name": "chat"}}]})
    assert await reads(cluster).list_in(LLM_ENDPOINT, ("retail",)) == ({"metadata": {"name": "chat"}},)
    assert isinstance(await reads(cluster).list_in(LLM_ENDPOINT, ("retail", "support")), Unread)
    assert isinstance(await reads(cluster).list_in(LLM_ENDPOINT, ()), Unread)


async def test_in_its_pod_the_operator_reads_the_file_that_it_was_started_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted = tmp_path / "settings.yaml"
    mounted.write_text("{namespace: system, collectorImage: c, evaluatorImage: m, watchNamespaces: [retail]}")
    monkeypatch.setattr(installation, "MOUNTED", mounted)
    cluster = Cluster(scoped)
    found = await setup(reads(cluster), "system")
    assert found.settings is not None
    assert found.settings.watch_namespaces == ("retail",)
    assert cluster.reviewed == []
    mounted.write_text("namespace: 7")
    assert (await setup(reads(cluster), "system")).problem.startswith("settings from ")
    elsewhere = await setup(reads(cluster, as_operator=False), "system")
    assert elsewhere.problem == "ConfigMap system/modelward-settings: cannot get configmaps"


async def test_settings_that_are_not_there_are_a_problem_and_no_crash() -> None:
    found = await setup(reads(Cluster(lambda _: True)), "system")
    assert found.problem == "ConfigMap system/modelward-settings: there is none"


POLICY = {"metadata": {"name": "bound"}}
IDLE = {"metadata": {"name": "idle"}}
WARNING = {"metadata": {"name": "warns"}}
BINDINGS: list[dict[str, Any]] = [
    {"metadata": {"name": "a"}, "spec": {"policyName": "bound", "validationActions": ["Deny", "Audit"]}},
    {"metadata": {"name": "b"}, "spec": {"policyName": "warns", "validationActions": ["Warn"]}},
    {"metadata": {"name": "c"}, "spec": {"policyName": "bound"}},
]


async def test_only_policies_in_force_count_and_a_kind_that_is_not_served_has_none() -> None:
    objects = {
        "validatingadmissionpolicies": [POLICY, IDLE, WARNING],
        "validatingadmissionpolicybindings": BINDINGS[:2],
        "validatingwebhookconfigurations": [],
    }
    found = await interceptors(reads(Cluster(lambda _: True, objects), as_operator=False))
    assert found["validatingadmissionpolicies"] == (POLICY,)
    assert found["mutatingadmissionpolicies"] == ()
    both = {**objects, "mutatingadmissionpolicies": [POLICY, IDLE], "mutatingadmissionpolicybindings": BINDINGS[2:]}
    found = await interceptors(reads(Cluster(lambda _: True, both), as_operator=False))
    assert found["mutatingadmissionpolicies"] == (POLICY,)


def test_only_a_token_tells_who_asks() -> None:
    assert subject(None) == ""
    assert subject("Bearer opaque") == ""
    for spelling in ("Bearer", "bearer"):  # the client in a pod writes it small
        assert subject(f"{spelling} {jwt.encode({'sub': OPERATOR}, 'a' * 32, 'HS256')}") == OPERATOR
