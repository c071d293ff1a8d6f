"""What to run next where the API server refused the operator something: its message names who refused."""

from __future__ import annotations

import re

_NEXT = (
    (r"ValidatingAdmissionPolicy '([^']+)'", "kubectl describe validatingadmissionpolicy {0}"),
    (
        r'admission webhook "([^"]+)"',
        "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations -o yaml | grep -B9 {0}",
    ),
    (r"exceeded quota: ([\w.-]+)", "kubectl describe quota -n {namespace} {0}"),
    (r"must specify \S+ for:|failed quota: ([\w.-]+)", "kubectl describe quota -n {namespace}"),
    (r"(?:maximum|minimum) (?:cpu|memory|\S+) usage per", "kubectl describe limitrange -n {namespace}"),
    (r"violates PodSecurity", "kubectl get ns {namespace} --show-labels"),
    (
        r'cannot (\w+) resource "([\w./-]+)"(?: in API group "([\w.-]*)")?',
        "kubectl auth can-i {0} {1} -n {namespace} --as=system:serviceaccount:{system}:modelward; helm upgrade",
    ),
)


def next_command(message: str, namespace: str, system: str) -> str:
    """Return the command that shows what refused; empty where the message does not say."""
    for pattern, command in _NEXT:
        if found := re.search(pattern, message):
            return command.format(*(part or "" for part in found.groups()), namespace=namespace, system=system)
    return ""
