"""The judged part of the demo: a second model reads what the bot is asked, and says how far it may be believed."""

from __future__ import annotations

from typing import Any

from terminal import TookTooLongError, command, picture, say, wait

from cluster import ROOT, Cluster, devcluster, image_id

IMAGE = "localhost/banking-judge:dev"
CHECK = "asked-about-banking"
FOLDER = "examples/banking/judged"
FILES = ("judge.yaml", "evaluator.yaml", "calibration.yaml")
WAIT_S, ENOUGH = 300, 30
"""How long its verdict may take, and of how many samples it is one."""


def build() -> bool:
    """Build the judge's image and return whether there is one: its model comes from an index that may drop it."""
    devcluster("build-images", "judge")
    found = bool(image_id(IMAGE))
    if not found:
        say("[yellow]the judge's model is not to be had, so the judged check is left out[/yellow]")
    return found


def declare(cluster: Cluster, namespace: str) -> None:
    """Apply the judge, its rubric and the calibration that ships with it."""
    command(f"kubectl apply -n {namespace} -f {FOLDER}/")
    for file in FILES:
        cluster.kubectl("apply", "-n", namespace, "-f", str(ROOT / FOLDER / file))


def show(cluster: Cluster, endpoint: str, namespace: str) -> list[str]:
    """Show the judge's verdict and the calibration behind it; return what was promised and did not come."""

    def told() -> dict[str, Any] | None:
        status = cluster.get("llmendpoints.modelward.dev", endpoint, namespace).get("status", {})
        found = [one for one in status.get("evaluations", []) if one["name"] == CHECK]
        return found[0] if found and found[0].get("rate") and found[0]["samples"] >= ENOUGH else None

    try:
        verdict = wait("the judge", told, WAIT_S, f"kubectl describe llmeval -n {namespace} {CHECK}", every_s=2)
    except TookTooLongError as error:
        return [str(error)]
    evaluator = cluster.get("evaluators.modelward.dev", CHECK, namespace)
    state = next(one for one in evaluator["status"]["conditions"] if one["type"] == "Calibrated")
    command(f"kubectl get llmeval -n {namespace}")
    picture(cluster.kubectl("get", "llmeval", "-n", namespace))
    shown = f"{verdict['verdict']}, {verdict['message']}"
    say(f"\nA second model read what it was asked. Not about banking, by {CHECK}: [bold]{shown}[/bold].")
    say(f"How far it may be believed, on {evaluator['status']['calibration']['labels']} labels: {state['message']}.")
    return []
