"""A model's pods come and go under load, and no client's stream is cut."""

from __future__ import annotations

import time

import pytest
from installation import Installed, rolled_out, scripted
from modes import small
from streams import Streaming, broken

pytestmark = pytest.mark.cluster

PODS = "modelward.dev/endpoint=chat,modelward.dev/component=model"
STREAMS = 200


def test_no_stream_of_200_breaks_while_pods_roll_and_one_is_deleted(place: str, installed: Installed) -> None:
    engine = scripted("--tokens-per-second", "40", "--concurrency", "16", cpu="10m")
    installed.apply(place, small("chat", {"template": engine}, engine="llamacpp", replicas=2, drainSeconds=20))
    installed.until_condition("chat", place, "CollectorReady", "True")
    installed.until("two pods", lambda: _is_rolled_out(installed, place))
    before = installed.pod_uids(place, PODS)
    with Streaming(installed.url("chat", place)) as clients:
        installed.until("first streams", lambda: len(clients.replies) > 10)
        one = installed.items("pods", place, PODS)[0]["metadata"]["name"]
        installed.cluster.kubectl("delete", "pod", one, "-n", place, "--wait=false")
        installed.until("its successor", lambda: _is_rolled_out(installed, place))
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        rollout = f"modelward.dev/rollout-at={now}"
        installed.cluster.kubectl("annotate", "llmep", "chat", "-n", place, rollout)
        installed.until("new pods", lambda: not before & installed.pod_uids(place, PODS))
        installed.until("the end of the roll-out", lambda: _is_rolled_out(installed, place))
        installed.until("enough streams", lambda: len(clients.replies) >= STREAMS)
    assert broken(clients.replies) == []
    assert (
        installed.get("deployment", "chat", place)["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
        == "2"
    )


def _is_rolled_out(installed: Installed, place: str) -> bool:
    return rolled_out(installed.get("deployment", "chat", place)) and len(installed.pod_uids(place, PODS)) == 2
