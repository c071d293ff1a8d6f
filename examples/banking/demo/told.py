"""A chapter: who is told, how a person takes care of it, and where to see it all."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from terminal import command, console, picture, say, wait

from cluster import ROOT, Cluster

ALERT = "Check/stays-on-topic"
SCREENSHOT = ROOT / "demo-console.png"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_ENDPOINTS = "llmendpoints.modelward.dev"
_TOLD_S = 120
_PAGE_S = 60


def declare(cluster: Cluster, namespace: str) -> None:
    """Apply the receiver: a web server that keeps what is posted to it."""
    cluster.kubectl("apply", "-n", namespace, "-f", str(ROOT / "examples" / "banking" / "demo" / "inbox.yaml"))


def show(cluster: Cluster, name: str, namespace: str) -> None:
    """Show what arrived, acknowledge it as a person would, and tell the console's address."""
    message = wait(
        "an alert to arrive", lambda: _arrived(cluster, namespace), _TOLD_S, f"kubectl get mpol -n {namespace} -o yaml"
    )
    say("What the receiver got (numbers, intervals, what to do next; never text of an exchange):")
    picture(json.dumps(message, indent=1)[:1_800])
    _plugin("why", name, "-n", namespace)
    _plugin("ack", name, ALERT, "-n", namespace, "--comment", "the prompt is being mended")
    wait(
        "the acknowledgement",
        lambda: _acknowledged(cluster, name, namespace),
        _TOLD_S,
        f"kubectl get llmsil -n {namespace}",
    )
    _plugin("alerts", "-n", namespace)
    say("The console shows it all, with each read of text on record:")
    command(f"modelward console -n {namespace}")
    _picture(namespace)


def _arrived(cluster: Cluster, namespace: str) -> Mapping[str, Any] | None:
    service = cluster.get("service", "inbox", namespace)
    with urllib.request.urlopen(f"http://{service['spec']['clusterIP']}:8080", timeout=10) as answer:
        kept = json.loads(answer.read())
    return next((one for one in kept if ALERT in json.dumps(one)), None)


def _acknowledged(cluster: Cluster, name: str, namespace: str) -> bool | None:
    alerts = cluster.get(_ENDPOINTS, name, namespace).get("status", {}).get("alerts", [])
    return any(one["name"] == ALERT and one.get("by") for one in alerts) or None


def _plugin(*words: str) -> None:
    """Run `kubectl modelward …` by the devcluster's kubectl."""
    command(f"kubectl modelward {' '.join(word if ' ' not in word else repr(word) for word in words)}")
    with TemporaryDirectory(prefix="modelward-demo-") as folder:
        asked = [sys.executable, "-m", "modelward.kubectl", *words, "--kubectl", _kubectl(folder)]
        done = subprocess.run(asked, capture_output=True, text=True, check=False, env={**os.environ, "NO_COLOR": "1"})
    picture(done.stdout or done.stderr)
    if done.returncode:
        console.print(
            f"[yellow]not as promised:[/yellow] kubectl modelward {words[0]} ended with {done.returncode}", markup=True
        )


def _kubectl(folder: str) -> str:
    """Return a program that is the devcluster's kubectl."""
    program = Path(folder) / "kubectl"
    devcluster = ROOT / "devcluster"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{devcluster}" kubectl "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return str(program)


def _picture(namespace: str) -> None:
    """Take a picture of the endpoint's page where a browser is installed; the demo goes on without."""
    browser = next((found for one in BROWSERS if (found := shutil.which(one))), None)
    if browser is None:
        say("(With Chromium installed the demo takes a picture of it.)")
        return
    with TemporaryDirectory(prefix="modelward-demo-") as folder:
        pages = [sys.executable, "-c", "from modelward.cli.app import main; main()", "console", "-n", namespace,
                 "--no-browser", "--kubectl", _kubectl(folder)]  # fmt: skip
        with subprocess.Popen(pages, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as serving:
            try:
                found = re.search(r"http://\S+", serving.stdout.readline() if serving.stdout else "")
                taken = found is not None and _taken(browser, found[0], folder)
            finally:
                serving.terminate()
    say(f"[green]A picture of it: {SCREENSHOT.name}[/green]" if taken else "(No picture of it could be taken.)")


def _taken(browser: str, address: str, folder: str) -> bool:
    asked = [browser, "--headless=new", "--no-sandbox", "--hide-scrollbars", f"--user-data-dir={folder}/profile",
             "--window-size=1280,1400", f"--screenshot={SCREENSHOT}", address]  # fmt: skip
    try:
        subprocess.run(asked, capture_output=True, check=False, timeout=_PAGE_S)
    except subprocess.TimeoutExpired:
        return False
    return SCREENSHOT.exists()
