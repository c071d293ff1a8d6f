"""The banking bot: from nothing to health with evidence, and replicas that follow the load.

python examples/banking/demo up      everything, on a one-node Kubernetes of its own; leaves it running
python examples/banking/demo down    removes it all
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import judged
import told
from terminal import TookTooLongError, chapter, command, console, picture, say, wait
from traffic import Crowd

from cluster import ROOT, Cluster, CommandFailedError, devcluster, image_id

READY_S, WARM_S = 60, 300
"""What the demo promises: from helm install to Ready, and in all where cluster and images are in place."""
SYSTEM = "modelward-system"
NAMESPACE = "bank"
NAME = "bot"
ENDPOINTS = "llmendpoints.modelward.dev"
CHART = [
    *("--set", "image.repository=localhost/modelward,image.tag=dev"),
    *("--set", "collectorImage.repository=localhost/modelward-collector,collectorImage.tag=dev"),
    *("--set", "statusInterval=10s,scrapeInterval=5s"),
    *("--set", "clusterName=demo,alerts.allowedHosts={inbox.bank.svc}"),
]


def main() -> int:
    """Run one of the two commands."""
    parser = argparse.ArgumentParser(prog="demo", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=("up", "down"))
    parser.add_argument("--strict", action="store_true", help="fail where it shows less than promised")
    options = parser.parse_args()
    if options.what == "down":
        devcluster("down", "--purge")
        return 0
    try:
        broken = up()
    except (TookTooLongError, CommandFailedError) as error:
        console.print(f"[red]the demo stopped:[/red] {error}", markup=True)
        return 1
    for promise in broken:
        console.print(f"[yellow]not as promised:[/yellow] {promise}", markup=True)
    return 1 if broken and options.strict else 0


def up() -> list[str]:
    """Play the whole story; return what it did not show. Being slower is said alone: it says more of the machine."""
    started = time.monotonic()
    with chapter("1. A real Kubernetes, from packages alone"):
        devcluster("up")
        devcluster("build-images")
        has_judge = judged.build()
    cluster = Cluster()
    running = time.monotonic()
    with chapter("2. Modelward by Helm, and a bank's chatbot under watch"):
        installed = time.monotonic()
        install(cluster)
        declare(cluster)
        if has_judge:
            judged.declare(cluster, NAMESPACE)
        ready_s = time.monotonic() - installed
        say(f"helm install → first Ready endpoint: [bold]{ready_s:.0f} s[/bold]")
    with chapter("3. A hundred customers: first tokens, and replicas that follow the load"):
        load(cluster)
        peak = replicas(cluster)
    with chapter("4. Does it behave?"):
        verdict(cluster)
    with chapter("5. Who is told, and where do people see it?"):
        told.show(cluster, NAME, NAMESPACE)
    with chapter("6. The load is gone"):
        calm(cluster)
    broken = [] if peak > 1 else ["one replica was enough for the load, so none was added"]
    if has_judge:
        with chapter("7. What does a second model say, and how far is it to be believed?"):
            broken += judged.show(cluster, NAME, NAMESPACE)
    now = time.monotonic()
    warm_s = now - running
    say(f"[bold]The whole demo: {now - started:.0f} s[/bold]; with cluster and images in place {warm_s:.0f} s.\n")
    what_next(cluster)
    slow = ((ready_s, READY_S, "from helm install to the first Ready endpoint"), (warm_s, WARM_S, "with all in place"))
    for took, most, what in slow:
        if took > most:
            console.print(f"[yellow]slower than promised:[/yellow] {took:.0f} s {what}, not {most} s", markup=True)
    return broken


def install(cluster: Cluster) -> None:
    """Install the chart, as a platform team would."""
    command(f"helm upgrade --install modelward helm/modelward -n {SYSTEM} --create-namespace")
    chart = str(ROOT / "helm" / "modelward")
    # The tag stays `dev`, so pods are told to roll by the image that it stands for.
    image = image_id("localhost/modelward:dev")
    built = ("--set-string", f"operator.podAnnotations.image={image},hub.podAnnotations.image={image}")
    into = ("-n", SYSTEM, "--create-namespace", "--take-ownership")
    cluster.helm("upgrade", "--install", "modelward", chart, *into, *CHART, *built)


def declare(cluster: Cluster) -> None:
    """Apply the endpoint and the policy, as an application team would, and watch it turn Ready."""
    if not exists(cluster, "namespace", NAMESPACE):
        cluster.kubectl("create", "namespace", NAMESPACE)
    command(f"kubectl apply -n {NAMESPACE} -f examples/banking/")
    folder = ROOT / "examples" / "banking"
    for file in ("endpoint.yaml", "policy.yaml"):
        cluster.kubectl("apply", "-n", NAMESPACE, "-f", str(folder / file))
    told.declare(cluster, NAMESPACE)
    command(f"kubectl get llmep -n {NAMESPACE} -w")
    with watching(cluster):
        wait("the endpoint to be Ready", lambda: ready(cluster), 180, f"kubectl describe llmep -n {NAMESPACE} {NAME}")


def load(cluster: Cluster) -> None:
    """Send the questions; tell every few seconds how they and the replicas do."""
    service = cluster.get("service", NAME, NAMESPACE)
    crowd = Crowd(f"http://{service['spec']['clusterIP']}:{service['spec']['ports'][0]['port']}")
    asking = threading.Thread(target=lambda: asyncio.run(crowd.ask_all()), daemon=True)
    asking.start()
    said = ""
    while asking.is_alive():
        asking.join(5)
        status = cluster.get(ENDPOINTS, NAME, NAMESPACE).get("status", {})
        usage, scaling = status.get("usage", {}), status.get("scaling", {})
        first, tokens = usage.get("firstTokenP95", "-"), usage.get("outputTokensPerMinute", "-")
        say(
            f"{crowd.answered:3d} answered, {crowd.failed} failed | first token p95 {first:>6} | "
            f"{tokens:>5} tokens/min | replicas {status.get('replicasSummary')}"
        )
        decision = next(iter(scaling.get("decisions", [])), None)
        if decision and decision["time"] != said:
            said = decision["time"]
            say(f"    [green]→ {decision['replicas']} replicas[/green] {decision['reason']}: {decision['message']}")
    if crowd.failed:
        raise TookTooLongError(
            f"{crowd.failed} of {crowd.total} requests failed; kubectl logs -n {NAMESPACE} deploy/{NAME}"
        )


def verdict(cluster: Cluster) -> None:
    """Wait for the evaluator's verdict, then show what a user looks at."""

    def failed() -> dict[str, Any] | None:
        status = cluster.get(ENDPOINTS, NAME, NAMESPACE).get("status", {})
        found = [one for one in status.get("evaluations", []) if one["verdict"] == "Failed"]
        return found[0] if found else None

    one = wait("enough judged answers", failed, 120, f"kubectl get llmrun -n {NAMESPACE}", every_s=2)
    command(f"kubectl get llmep -n {NAMESPACE}")
    picture(cluster.kubectl("get", "llmep", "-n", NAMESPACE))
    say(f"\n{one['name']}: [bold]{one['message']}[/bold]. It was told to answer banking questions only; what it did:")
    inside = ("-n", SYSTEM, "deploy/modelward", "--", "modelward", "explain", f"{NAMESPACE}/{NAME}")
    command(f"kubectl exec {' '.join(inside)}")
    picture(cluster.kubectl("exec", *inside))


def calm(cluster: Cluster) -> None:
    """Wait until replicas fall, and tell why."""
    before = replicas(cluster)

    def fallen() -> dict[str, Any] | None:
        decisions = cluster.get(ENDPOINTS, NAME, NAMESPACE).get("status", {}).get("scaling", {}).get("decisions", [])
        return decisions[0] if replicas(cluster) < before and decisions else None

    if before > 1:
        decision = wait("replicas to fall", fallen, 180, f"kubectl get llmep -n {NAMESPACE} -o wide", every_s=2)
        say(f"[green]→ {decision['replicas']} replicas[/green] {decision['reason']}: {decision['message']}")
    else:
        say("one replica was enough all along")


def what_next(cluster: Cluster) -> None:
    """Say what to try."""
    say("It all stays up. Try:")
    command(f"export KUBECONFIG={cluster.kubeconfig}")
    command(f"kubectl get llmep,mpol,llmrun -n {NAMESPACE} -o wide")
    command(f"kubectl describe llmep -n {NAMESPACE} {NAME}")
    command(f"kubectl scale llmep -n {NAMESPACE} {NAME} --replicas=2")
    command("make demo-down        # and nothing is left")


@contextmanager
def watching(cluster: Cluster) -> Iterator[None]:
    """Show `kubectl get llmep -w` while the block runs."""
    process = cluster.watch("llmep", NAMESPACE)

    def show() -> None:
        for line in process.stdout or ():
            picture(line)

    reader = threading.Thread(target=show, daemon=True)
    reader.start()
    try:
        yield
        time.sleep(1)
    finally:
        process.terminate()
        process.wait()
        reader.join(2)


def ready(cluster: Cluster) -> bool | None:
    """Return whether the endpoint is Ready and its collectors see the traffic; None for not yet."""
    conditions = cluster.get(ENDPOINTS, NAME, NAMESPACE).get("status", {}).get("conditions", [])
    true = {condition["type"] for condition in conditions if condition["status"] == "True"}
    return True if {"Ready", "CollectorReady"} <= true else None


def replicas(cluster: Cluster) -> int:
    """Return the replicas that are asked for."""
    return int(cluster.get(ENDPOINTS, NAME, NAMESPACE)["spec"].get("replicas", 1))


def exists(cluster: Cluster, kind: str, name: str) -> bool:
    """Return whether an object without namespace is there."""
    return bool(cluster.kubectl("get", kind, name, "--ignore-not-found", "-o", "name").strip())


if __name__ == "__main__":
    sys.exit(main())
