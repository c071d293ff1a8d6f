"""Whoever reads that something was refused gets the command that shows who refused it."""

import pytest

from modelward.cli.doctor.endpoints import next_command

MESSAGES = {
    "services \"chat\" is forbidden: ValidatingAdmissionPolicy 'no-services' with binding 'b' denied request: no": (
        "kubectl describe validatingadmissionpolicy no-services"
    ),
    'admission webhook "validate.kyverno.svc-fail" denied the request: labels': "grep -B9 validate.kyverno.svc-fail",
    'deployments.apps "chat" is forbidden: exceeded quota: small, requested: count/deployments.apps=1': (
        "kubectl describe quota -n retail small"
    ),
    'pods "chat-1" is forbidden: failed quota: small: must specify limits.cpu for: model': (
        "kubectl describe quota -n retail"
    ),
    'pods "chat-1" is forbidden: maximum memory usage per Container is 1Gi': "kubectl describe limitrange -n retail",
    'pods "chat-1" is forbidden: violates PodSecurity "restricted:latest"': "kubectl get ns retail --show-labels",
    'deployments.apps is forbidden: User "x" cannot patch resource "deployments" in API group "apps"': (
        "kubectl auth can-i patch deployments -n retail --as=system:serviceaccount:system:modelward"
    ),
}


@pytest.mark.parametrize("message", MESSAGES)
def test_who_refused_is_shown_by_the_next_command(message: str) -> None:
    assert MESSAGES[message] in next_command(message, "retail", "system")


def test_a_refusal_of_our_own_has_no_command_of_the_api_servers() -> None:
    assert next_command("hostNetwork would put the collector's ports on the node", "retail", "system") == ""
