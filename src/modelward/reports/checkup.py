"""The checks of `modelward doctor` on the installation itself: each looks at what was seen and says what it means."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from cryptography import x509

from modelward.api import crd
from modelward.kube.certificate import CONFIG_MAP_NAME, KEY
from modelward.reports.endpoint_checkup import admission, drift, endpoints
from modelward.reports.observed import Object, Observed, Unread
from modelward.reports.remark import Remark, Severity

_LEASE_S = 15.0
_CERTIFICATE_ENDS_SOON = timedelta(days=30)


def checkup(seen: Observed) -> tuple[Remark, ...]:
    """Return all remarks, from the installation down to single endpoints."""
    every = (definitions, operator, leader, rights, hub, authority, drift, admission, endpoints)
    return tuple(remark for check in every for remark in check(seen))


def definitions(seen: Observed) -> Iterator[Remark]:
    """Are the four kinds served, with the schema of this version?"""
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
        yield Remark("NotRead", "CRDs", what, "modelward doctor, as somebody who may read CRDs")
    if good:
        yield Remark("Good", "CRDs", f"{len(good)} served as version {seen.version} has them")


def _definition_fault(found: Object, wanted: Object) -> str:
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


def operator(seen: Observed) -> Iterator[Remark]:
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
        severity: Severity = "Warning" if ready else "Error"
        pods = f"kubectl describe pods {where} -l app.kubernetes.io/component=operator"
        yield Remark(severity, "operator", f"{ready} of {wanted} replicas ready", pods)
    else:
        yield Remark("Good", "operator", f"{ready} of {wanted} replicas ready")
    running = found["metadata"].get("labels", {}).get("app.kubernetes.io/version", "")
    if running and running != seen.version:
        what = f"it is version {running}, this command {seen.version}: what differs may be due to that alone"
        yield Remark("Notice", "operator", what, f"kubectl exec {where} deploy/modelward -- modelward doctor")


def leader(seen: Observed) -> Iterator[Remark]:
    """Does somebody hold the Lease and renew it? A second look settles it where clocks differ."""
    found, before = seen.lease, seen.lease_before
    logs = f"kubectl logs -n {seen.namespace} deploy/modelward --tail=50"
    if isinstance(found, Unread):
        yield Remark("NotRead", "leader", found.why, f"kubectl get lease -n {seen.namespace}")
        return
    spec = (found or {}).get("spec") or {}
    holder = spec.get("holderIdentity")
    if not holder:
        yield Remark("Error", "leader", "nobody leads: no status is written and nothing is scaled", logs)
        return
    renewed = str(spec.get("renewTime", ""))
    moved = isinstance(before, dict) and str((before.get("spec") or {}).get("renewTime", "")) != renewed
    if moved or fresh(found, seen.now):
        yield Remark("Good", "leader", f"{holder}")
    else:
        yield Remark("Error", "leader", f"{holder} holds the Lease and has not renewed it since {renewed}", logs)


def fresh(lease: Object | None, now: datetime) -> bool:
    """Tell whether the Lease was renewed lately, by the clock of whoever asks."""
    renewed = str(((lease or {}).get("spec") or {}).get("renewTime") or "")
    if not renewed:
        return False
    age = (now - datetime.fromisoformat(renewed)).total_seconds()
    return -_LEASE_S <= age <= _LEASE_S


def rights(seen: Observed) -> Iterator[Remark]:
    """May the operator do what it has to?"""
    asked, inside = seen.rights, f"kubectl exec -n {seen.namespace} deploy/modelward -- modelward doctor"
    if asked.problem:
        yield Remark("NotRead", "rights", asked.problem, inside)
    elif asked.denied is None:
        whose = asked.identity or "you"
        yield Remark("NotRead", "rights", f"only the operator can ask for its own rights, and this is {whose}", inside)
    elif asked.denied:
        what = f"the operator may not: {', '.join(asked.denied)}"
        yield Remark(
            "Error", "rights", what, "helm upgrade (the chart's ClusterRole modelward, or one Role a namespace)"
        )
    else:
        yield Remark("Good", "rights", "the operator may do all that it has to")


def hub(seen: Observed) -> Iterator[Remark]:
    """Is there a hub, and does its Service lead to a ready pod?"""
    pods = f"kubectl get pods,pvc -n {seen.namespace} -l app.kubernetes.io/component=hub"
    if seen.setup.settings is None:
        yield Remark(
            "NotRead", "settings", seen.setup.problem, f"kubectl get cm -n {seen.namespace} modelward-settings"
        )
    elif seen.setup.settings.hub_url is None:
        yield Remark("Notice", "hub", "there is none: answers are not checked", "helm upgrade --set hub.enabled=true")
        return
    if isinstance(seen.hub_slices, Unread):
        yield Remark("NotRead", "hub", seen.hub_slices.why, pods)
        return
    addresses = [one for found in seen.hub_slices for one in found.get("endpoints") or ()]
    ready = sum((one.get("conditions") or {}).get("ready", True) is not False for one in addresses)
    if ready:
        yield Remark("Good", "hub", f"Service modelward-hub leads to {ready} ready pod{'s' if ready > 1 else ''}")
    else:
        yield Remark("Error", "hub", "Service modelward-hub leads to no ready pod: evaluations stay Unknown", pods)


def authority(seen: Observed) -> Iterator[Remark]:
    """Is the hub's certificate authority known, and valid for a while?"""
    if seen.setup.settings is not None and not (seen.setup.settings.hub_url or "").startswith("https:"):
        return
    found, logs = seen.hub_authority, f"kubectl logs -n {seen.namespace} -l app.kubernetes.io/component=hub"
    if isinstance(found, Unread):
        yield Remark("NotRead", "hub's CA", found.why, f"kubectl get cm -n {seen.namespace} {CONFIG_MAP_NAME}")
        return
    pem = ((found or {}).get("data") or {}).get(KEY, "")
    if not pem:
        what = f"ConfigMap {CONFIG_MAP_NAME} is missing or empty: the hub has not started once"
        yield Remark("Error", "hub's CA", what, logs)
        return
    restart = f"kubectl rollout restart -n {seen.namespace} sts/modelward-hub (the hub renews it when it starts)"
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        yield Remark("Error", "hub's CA", f"ConfigMap {CONFIG_MAP_NAME} holds no certificate: {error}", restart)
        return
    first, last, now = certificate.not_valid_before_utc, certificate.not_valid_after_utc, seen.now.astimezone(UTC)
    if not first <= now <= last:
        yield Remark("Error", "hub's CA", f"it is valid from {first:%Y-%m-%d} to {last:%Y-%m-%d}", restart)
    elif last - now < _CERTIFICATE_ENDS_SOON:
        yield Remark("Warning", "hub's CA", f"it ends on {last:%Y-%m-%d}", restart)
    else:
        yield Remark("Good", "hub's CA", f"valid until {last:%Y-%m-%d}")
