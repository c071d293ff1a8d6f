"""The roads of a test message: from here, in the operator's pod, or by a Job in a team's namespace."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from modelward.alerts.receiver import Addressee, Answered, Told
from modelward.cli.alerts.advice import told_line
from modelward.cli.alerts.specimen import trial
from modelward.cli.alerts.team import TeamError, team_test
from modelward.cli.alerts.written import WrittenError, receiver_in
from modelward.cli.cluster.installation import MOUNTED
from modelward.cli.logs import configure_logging
from modelward.clock import now_ms
from modelward.job.delivery.courier import courier
from modelward.operator.notify.port import platform_port, written_hosts
from modelward.operator.runtime.settings import Settings, SettingsError, load


class RoadError(Exception):
    """Nothing was sent; the message says why."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a test: lines for a person, and the exit code."""

    text: str
    code: int


def from_file(file: Path, name: str, secrets: Path | None) -> Tried:
    """Send from this machine to a receiver of a file, with Secrets of a folder."""
    try:
        written = receiver_in(file, name)
    except WrittenError as error:
        raise RoadError(str(error)) from error
    if written.receiver.shared:
        raise RoadError(f"{name} is the platform's receiver {written.receiver.shared}: give the chart's values")
    if secrets is None:
        raise RoadError("give --secrets DIRECTORY, a folder for each Secret and a file for each key")
    hosts = (*written.hosts, *written_hosts(written.receiver))
    sent = courier(hosts, secrets).deliver(trial(name, "here", now_ms()), Addressee(written.receiver))
    return _tried(name, asyncio.run(sent))


def in_cluster(name: str, policy: str, namespace: str, kubeconfig: str | None) -> Tried:
    """Send to a policy's receiver by a Job, to the platform's from the operator's pod."""
    if policy:
        try:
            found = asyncio.run(team_test(policy, name, namespace, kubeconfig))
        except TeamError as error:
            raise RoadError(str(error)) from error
        if not isinstance(found, str):
            return _tried(name, found)
        name = found  # the policy refers to one of the platform's
    return _here(name) if MOUNTED.exists() else _in_operator(name, namespace, kubeconfig)


def _here(name: str) -> Tried:
    """Send as the operator does, in its pod."""
    configure_logging("text", "WARNING")
    try:
        settings: Settings = load(MOUNTED, os.environ)
    except SettingsError as error:
        raise RoadError(str(error)) from error
    receiver = settings.alerts.by_name.get(name)
    if receiver is None:
        known = ", ".join(settings.alerts.by_name) or "none"
        raise RoadError(f"the Helm value alerts.receivers has no {name}; it has {known}")
    port = platform_port(settings.alerts, settings.pod.env)
    message = trial(name, settings.namespace, now_ms())
    return _tried(name, asyncio.run(port.deliver(message, Addressee(receiver))))


def _in_operator(name: str, namespace: str, kubeconfig: str | None) -> Tried:
    """Run the same command in the operator's pod, with the rights of the person who runs this."""
    command = ["kubectl", *(["--kubeconfig", kubeconfig] if kubeconfig else []), "exec", "-n", namespace]
    command += ["deploy/modelward", "-c", "operator", "--", "modelward", "alerts", "test", name]
    if shutil.which("kubectl") is None:
        raise RoadError(f"kubectl is not here; run: {' '.join(command)}")
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    return Tried((done.stdout + done.stderr).strip(), done.returncode)


def _tried(name: str, answered: Answered) -> Tried:
    return Tried(told_line(name, answered), 0 if isinstance(answered, Told) else 1)
