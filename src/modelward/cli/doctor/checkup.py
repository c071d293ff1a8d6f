"""The checks of `modelward doctor` on the installation itself: each turns what was observed into remarks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from modelward.api import crd
from modelward.api.objects import KubeObject
from modelward.cli.cluster.reading import Unread
from modelward.cli.doctor.admission import admission
from modelward.cli.doctor.endpoints import drift, endpoints
from modelward.cli.doctor.hub import authority, hub
from modelward.cli.doctor.observed import InstallationFacts
from modelward.cli.doctor.remark import Remark, RemarkSeverity
from modelward.cli.doctor.versions import hub_release, kubernetes

_LEASE_S = 15.0


def checkup(seen: InstallationFacts) -> tuple[Remark, ...]:
    """Return all remarks, from the installation down to single endpoints."""
    return tuple(remark for check in _CHECKS for remark in check(seen))


def definitions(seen: InstallationFacts) -> Iterator[Remark]:
    """Are all kinds served, with the schema of this version?"""
    install = "kubectl apply --server-side -f crds/ (of the operator's release), or helm upgrade"
    good, unread = [], []
    for wanted in crd.documents():
        name = wanted["metadata"]["name"]
        found = seen.definitions.get(name)
        if isinstance(found, Unread) and wanted["spec"]["names"]["plural"] in seen.served:
            unread.append(found.why)
        elif isinstance(found, Unread):
            yield Remark("Error", "CRDs", f"{name} is not served", install)
        elif found is None:
            yield Remark("Error", "CRDs", f"{name} is not installed", install)
        elif fault := _definition_fault(found, wanted):
            yield Remark("Warning", "CRDs", f"{name} {fault}", install)
        else:
            good.append(name)
    if unread:
        what = f"{len(unread)} are served; their schemas could not be compared: {unread[0]}"
        yield Remark("NotRead", "CRDs", what, "modelward doctor, with an account that may read CRDs")
    if good:
        yield Remark("Good", "CRDs", f"{len(good)} served as version {seen.version} has them")


def _definition_fault(found: KubeObject, wanted: KubeObject) -> str:
    version = wanted["spec"]["versions"][0]
    there = next((one for one in found["spec"]["versions"] if one["name"] == version["name"]), None)
    if there is None or not there.get("served"):
        return f"does not serve {version['name']}"
    established = next((c for c in found.get("status", {}).get("conditions", []) if c["type"] == "Established"), None)
    if established is not None and established["status"] != "True":
        return f"is not established: {established.get('message', '')}"
    different = [
        key for key in ("schema", "subresources", "additionalPrinterColumns") if there.get(key) != version[key]
    ]
    return f"differs in {', '.join(different)} from what this version has" if different else ""


def operator(seen: InstallationFacts) -> Iterator[Remark]:
    """Do all replicas run, and the release that this command is of?"""
    found = seen.operator
    where = f"-n {seen.namespace}"
    if isinstance(found, Unread):
        yield Remark("NotRead", "operator", found.why, f"kubectl auth can-i get deployments {where}")
        return
    if found is None:
        what = f"there is no Deployment modelward in namespace {seen.namespace}"
        yield Remark("Error", "operator", what, "kubectl get deploy -A -l app.kubernetes.io/part-of=modelward")
        return
    wanted, ready = int(found["spec"].get("replicas", 1)), int(found.get("status", {}).get("readyReplicas", 0))
    if ready < wanted or not wanted:
        severity: RemarkSeverity = "Warning" if ready else "Error"
        pods = f"kubectl describe pods {where} -l app.kubernetes.io/component=operator"
        yield Remark(severity, "operator", f"{ready} of {wanted} replicas ready", pods)
    else:
        yield Remark("Good", "operator", f"{ready} of {wanted} replicas ready")
    running = found["metadata"].get("labels", {}).get("app.kubernetes.io/version", "")
    if running and running != seen.version:
        what = f"it is version {running}, this command {seen.version}: what differs may be due to that alone"
        yield Remark("Notice", "operator", what, f"kubectl exec {where} deploy/modelward -- modelward doctor")


def leader(seen: InstallationFacts) -> Iterator[Remark]:
    """Is the Lease held and renewed? A second read settles it where clocks differ."""
    found, before = seen.lease, seen.lease_before
    logs = f"kubectl logs -n {seen.namespace} deploy/modelward --tail=50"
    if isinstance(found, Unread):
        yield Remark("NotRead", "leader", found.why, f"kubectl get lease -n {seen.namespace}")
        return
    spec = (found or {}).get("spec") or {}
    holder = spec.get("holderIdentity")
    if not holder:
        yield Remark("Error", "leader", "no replica leads: no status is written and nothing is scaled", logs)
        return
    renewed = str(spec.get("renewTime", ""))
    moved = isinstance(before, dict) and str((before.get("spec") or {}).get("renewTime", "")) != renewed
    if moved or fresh(found, seen.now):
        yield Remark("Good", "leader", f"{holder}")
    else:
        yield Remark("Error", "leader", f"{holder} holds the Lease and has not renewed it since {renewed}", logs)


def fresh(lease: KubeObject | None, now: datetime) -> bool:
    """Return whether the Lease was renewed lately, by the clock of the caller."""
    renewed = str(((lease or {}).get("spec") or {}).get("renewTime") or "")
    if not renewed:
        return False
    age = (now - datetime.fromisoformat(renewed)).total_seconds()
    return -_LEASE_S <= age <= _LEASE_S


def rights(seen: InstallationFacts) -> Iterator[Remark]:
    """May the operator do what it has to?"""
    asked, inside = seen.rights, f"kubectl exec -n {seen.namespace} deploy/modelward -- modelward doctor"
    if asked.problem:
        yield Remark("NotRead", "rights", asked.problem, inside)
    elif asked.denied is None:
        whose = asked.identity or "you"
        yield Remark("NotRead", "rights", f"only the operator can ask for its own rights, and this is {whose}", inside)
    elif asked.denied:
        what = f"the operator may not: {', '.join(asked.denied)}"
        whole = "helm upgrade (the chart's Role modelward-self and ClusterRole modelward, or one Role a namespace)"
        yield Remark("Error", "rights", what, whole)
    else:
        yield Remark("Good", "rights", "the operator may do all that it has to")


_CHECKS: tuple[Callable[[InstallationFacts], Iterable[Remark]], ...] = (
    kubernetes,
    definitions,
    operator,
    leader,
    rights,
    hub,
    authority,
    hub_release,
    drift,
    admission,
    endpoints,
)
