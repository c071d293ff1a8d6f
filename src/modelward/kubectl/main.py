"""The plugin's entry: one command, its answer on standard output, its trouble in one line on standard error."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from modelward.kubectl import alerts, cost, fleet, preview, samples, why
from modelward.kubectl.arguments import parser
from modelward.kubectl.cluster import Cluster
from modelward.kubectl.completion import HOW, completion
from modelward.kubectl.errors import PluginError
from modelward.kubectl.hub import HubWay

COMPLETER = "kubectl_complete-modelward"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if Path(sys.argv[0]).name == COMPLETER:
        print(completion(words, Cluster()))
        return 0
    try:
        print(answer(parser().parse_args(words), datetime.now(UTC)))
    except PluginError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        return 130
    return 0


def answer(asked: argparse.Namespace, now: datetime) -> str:
    """Return what a command has to say; PluginError."""
    cluster = Cluster(asked.kubectl, _flags(asked), asked.namespace, asked.all_namespaces)
    return _ANSWERS[asked.command](cluster, asked, now)


def _status(cluster: Cluster, asked: argparse.Namespace, now: datetime) -> str:
    return fleet.status(cluster, now, as_json=asked.output == "json")


def _top(cluster: Cluster, asked: argparse.Namespace, _: datetime) -> str:
    return fleet.top(cluster, asked.by)


def _why(cluster: Cluster, asked: argparse.Namespace, now: datetime) -> str:
    told = why.why(cluster, asked.endpoint, now)
    return f"{told}\n\n{why.suspects(cluster, _way(asked), asked.endpoint, asked.check)}" if asked.deep else told


def _cost(cluster: Cluster, asked: argparse.Namespace, now: datetime) -> str:
    return cost.cost(cluster, _way(asked), asked.endpoint, asked.days, now, as_csv=asked.output == "csv")


def _alerts(cluster: Cluster, asked: argparse.Namespace, now: datetime) -> str:
    return alerts.alerts(cluster, now, every=asked.all)


def _ack(cluster: Cluster, asked: argparse.Namespace, now: datetime) -> str:
    return alerts.acknowledge(cluster, asked.endpoint, asked.alert, asked.lasts, asked.comment, now)


def _silence(cluster: Cluster, asked: argparse.Namespace, now: datetime) -> str:
    return alerts.silence(cluster, asked.endpoint, asked.alerts, asked.lasts, asked.comment, now)


def _samples(cluster: Cluster, asked: argparse.Namespace, now: datetime) -> str:
    kept = ("since", "flagged", "status", "slower", "text", "revision", "limit")
    wanted = samples.Wanted(**{name: getattr(asked, name) for name in kept})
    return samples.samples(cluster, _way(asked), asked.endpoint, wanted, now, as_json=asked.output == "json")


def _label(cluster: Cluster, asked: argparse.Namespace, _: datetime) -> str:
    return samples.label(cluster, _way(asked), asked.endpoint, asked.exchange, asked.check, asked.word, asked.comment)


def _preview(cluster: Cluster, asked: argparse.Namespace, now: datetime) -> str:
    return preview.preview(cluster, _way(asked), asked.filename, asked.over, now)


def _completion(*_: object) -> str:
    return HOW


def _console(cluster: Cluster, asked: argparse.Namespace, _: datetime) -> str:
    """Hand over to `modelward console`, which serves the pages on loopback; it does not return."""
    program = shutil.which("modelward")
    if program is None:
        raise PluginError("the console's pages come with the package: pip install modelward, then run this again")
    given = ["console", "-n", cluster.here(), *cluster.flags, "--kubectl", cluster.program]
    given += ["--account", asked.as_account, "--system-namespace", asked.system_namespace]
    given += ["--hub-url", asked.hub_url] if asked.hub_url else []
    sys.stdout.flush()
    os.execv(program, [program, *given])  # noqa: S606 - our own program, and it is to have the terminal


def _way(asked: argparse.Namespace) -> HubWay:
    return HubWay(asked.system_namespace, asked.hub_url, asked.as_account)


def _flags(asked: argparse.Namespace) -> tuple[str, ...]:
    given = (("--context", asked.context), ("--kubeconfig", asked.kubeconfig))
    return tuple(word for flag, value in given if value for word in (flag, value))


_ANSWERS: Mapping[str, Callable[[Cluster, argparse.Namespace, datetime], str]] = {
    "status": _status,
    "cost": _cost,
    "why": _why,
    "top": _top,
    "alerts": _alerts,
    "ack": _ack,
    "silence": _silence,
    "samples": _samples,
    "label": _label,
    "preview": _preview,
    "console": _console,
    "completion": _completion,
}
