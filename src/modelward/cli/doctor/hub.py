"""The checks of `modelward doctor` on the hub: does it answer, what do endpoints say of it, how long is it known?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, timedelta

from cryptography import x509

from modelward.api.objects import KubeObject
from modelward.cli.cluster.reading import Unread
from modelward.cli.doctor.observed import InstallationFacts
from modelward.cli.doctor.remark import Remark
from modelward.kube.certificate import CONFIG_MAP_NAME, KEY
from modelward.reasons.checks import CheckReason

_CERTIFICATE_ENDS_SOON = timedelta(days=30)
_UNAVAILABLE = CheckReason.HUB_UNAVAILABLE
_SHOWN = 3


def hub(seen: InstallationFacts) -> Iterator[Remark]:
    """Is there a hub, and does it answer?"""
    if seen.setup.settings is None:
        settings = f"kubectl get cm -n {seen.namespace} modelward-settings"
        yield Remark("NotRead", "settings", seen.setup.problem, settings)
    elif seen.setup.settings.hub_url is None:
        yield Remark("Notice", "hub", "there is none: answers are not checked", "helm upgrade --set hub.enabled=true")
        return
    yield _asked(seen) if seen.hub_answer is not None else _behind_service(seen)
    yield from _missed(seen)


def _asked(seen: InstallationFacts) -> Remark:
    """Say how the hub answered the operator's own token."""
    if not seen.hub_answer:
        return Remark("Good", "hub", "it answers the operator")
    logs = f"kubectl logs -n {seen.namespace} -l app.kubernetes.io/component=hub --tail=50"
    return Remark("Error", "hub", f"it does not answer the operator: {seen.hub_answer}", logs)


def _behind_service(seen: InstallationFacts) -> Remark:
    """Say whether the hub's Service leads anywhere: who is not the operator may not ask the hub itself."""
    if isinstance(seen.hub_slices, Unread):
        inside = f"kubectl exec -n {seen.namespace} deploy/modelward -- modelward doctor"
        return Remark("NotRead", "hub", seen.hub_slices.why, inside)
    addresses = [one for found in seen.hub_slices for one in found.get("endpoints") or ()]
    ready = sum((one.get("conditions") or {}).get("ready", True) is not False for one in addresses)
    if ready:
        return Remark("Good", "hub", f"Service modelward-hub leads to {ready} ready pod{'s' if ready > 1 else ''}")
    pods = f"kubectl get pods,pvc -n {seen.namespace} -l app.kubernetes.io/component=hub"
    return Remark("Error", "hub", "Service modelward-hub leads to no ready pod: evaluations stay Unknown", pods)


def _missed(seen: InstallationFacts) -> Iterator[Remark]:
    """Say which endpoints miss the hub: the operator that leads wrote that, and it may sit elsewhere than we do."""
    missing = [one for one in (() if isinstance(seen.endpoints, Unread) else seen.endpoints) if _misses(one)]
    if not missing:
        return
    names = ", ".join(f"{one['metadata']['namespace']}/{one['metadata']['name']}" for one in missing[:_SHOWN])
    more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    what = f"{_UNAVAILABLE}, say {names}{more}: {_misses(missing[0])}"
    logs = f"kubectl logs -n {seen.namespace} deploy/modelward | grep hub"
    yield Remark("Warning", "hub", what, logs)


def _misses(endpoint: KubeObject) -> str:
    """Return in which words a condition or a check misses the hub; empty where none does."""
    status = endpoint.get("status") or {}
    for one in (*(status.get("conditions") or ()), *(status.get("evaluations") or ())):
        if one.get("reason") == _UNAVAILABLE:
            return str(one.get("message") or one.get("name") or one.get("type"))
    return ""


def authority(seen: InstallationFacts) -> Iterator[Remark]:
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
