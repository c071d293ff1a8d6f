"""Where text of exchanges may go: within the cluster always, outside only to hosts that the installation names.

Every kind of evaluator that sends text declares its addresses (`address`) in its pod additions. The operator refuses
what is not allowed (`forbidden`), and the Job's port asks again before each request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from modelward.api.form import TEXT_URL
from modelward.desired.finding import Finding
from modelward.desired.pod_additions import Egress
from modelward.reasons.checks import CheckReason

HELM_VALUE = "egress.allowedHosts"
POD = "127.0.0.1"
"""Of a container beside the scoring one; what is sent there stays in the pod."""
ALLOWED_HOST = r"^(\*\.)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$|^[0-9a-f:.]+$"
"""A host, an IP address, or `*.` and a domain, which stands for every host below it."""
_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SERVICE = re.compile(rf"{_LABEL}\.{_LABEL}\.svc(\.cluster\.local)?")
_PORTS = {"http": 80, "https": 443}


def in_cluster(host: str) -> bool:
    """Return whether a host is a Service's full name, NAME.NAMESPACE.svc; shorter ones may be found outside too."""
    return _SERVICE.fullmatch(host) is not None


def is_allowed(host: str, allowed: Iterable[str]) -> bool:
    """Return whether text may go to a host: a Service, this pod, or one that `allowed` names, any port of it."""
    if host == POD or in_cluster(host):
        return True
    return any(host == one or (one.startswith("*.") and host.endswith(one[1:])) for one in allowed)


def address(url: str) -> Egress:
    """Return host and port of a URL of the form TEXT_URL; ValueError, in words of ours, for any other."""
    if not re.fullmatch(TEXT_URL.pattern, url):
        raise ValueError(TEXT_URL.fault(url))
    try:  # the form has no user, no escape and no letter beyond ASCII that two readers read apart
        parts = urlsplit(url)
        port = parts.port if parts.port is not None else _PORTS[parts.scheme]
    except ValueError:
        port = 0
    if not port:
        raise ValueError("its host is no IP address, or its port is none from 1 to 65535")
    return Egress(parts.hostname or "", port)


def forbidden(egress: Iterable[Egress], allowed: Sequence[str]) -> Finding | None:
    """Return the first host that text may not be sent to, with the Helm value that would allow it; None if all may."""
    host = next((one.host for one in egress if not is_allowed(one.host, allowed)), None)
    if host is None:
        return None
    known = ", ".join(allowed[:5]) + (", …" if len(allowed) > 5 else "") if allowed else "none"
    message = (
        f"text may not leave the cluster to {host}: whoever runs Modelward adds it to the Helm value {HELM_VALUE}"
        f" (now {known}); a Service needs no entry when it is written NAME.NAMESPACE.svc"
    )
    return Finding(CheckReason.EGRESS_NOT_ALLOWED, message)
