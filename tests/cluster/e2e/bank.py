"""A bank with many bots: endpoints under one policy, their customers, and the runs that people and accidents make."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml
from customers import Answer, ask_all, reached
from installation import REPOSITORY, Installed, endpoint, questions, scripted

MIN_SAMPLES = 40
FEW = MIN_SAMPLES // 4
EVERY_S = 10
BASE_MODEL, TURNING, REFUSING, QUIET = "base-model", "turning", "refusing", "quiet"
ASKED, LOST = "asked", "lost"
QUESTIONS = [question for question, _ in questions()]
MODES = {TURNING: "answer", REFUSING: "refuse-all", QUIET: "answer", ASKED: "answer", LOST: "answer"}
Status = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Spaces:
    """The namespaces: with scheduled runs, with a policy that is paused and so starts none, and for a loss."""

    scheduled: str
    paused: str
    unlucky: str

    def of(self, endpoint: str) -> str:
        """Return where an endpoint is."""
        return {ASKED: self.paused, LOST: self.unlucky}.get(endpoint, self.scheduled)


@dataclass(frozen=True, slots=True)
class Bank:
    """The bots, and how to look at them."""

    installed: Installed
    spaces: Spaces
    began: datetime

    def open(self) -> None:
        """Make the namespaces and apply all policies and endpoints at once."""
        spaces = self.spaces
        for space in (spaces.scheduled, spaces.paused, spaces.unlucky):
            self.installed.cluster.kubectl("create", "namespace", space)
            # What is lost is made up for after half of `over`, where so little is new.
            over = "2m" if space == spaces.unlucky else "5m"
            self.installed.apply(space, policy(over, paused=space == spaces.paused))
        for space in (spaces.scheduled, spaces.paused, spaces.unlucky):
            # A policy that is known before the pods needs no reload of the collectors.
            self.installed.until("the policy is known", lambda space=space: self._policy_known(space))  # type: ignore[misc]
        self.installed.apply(spaces.scheduled, bot(BASE_MODEL, REAL_MODEL))
        for name, mode in MODES.items():
            self.installed.apply(spaces.of(name), scripted_bot(name, mode))

    def close(self) -> None:
        """Delete everything, without waiting."""
        spaces = self.spaces
        for space in (spaces.scheduled, spaces.paused, spaces.unlucky):
            self.installed.cluster.kubectl("delete", "namespace", space, "--wait=false", "--ignore-not-found")

    def evaluation(self, name: str, endpoint: str) -> Status:
        """Return what status says of one evaluation, empty while it says nothing."""
        found = self.installed.status(endpoint, self.spaces.of(endpoint)).get("evaluations", [])
        return next((dict(one) for one in found if one["name"] == name), {})

    def ask(self, endpoint: str, asked: list[str], at_once: int = 4) -> list[Answer]:
        """Ask as soon as the endpoint is there; every question is answered."""
        space = self.spaces.of(endpoint)
        self.installed.until_condition(endpoint, space, "Ready", "True", 120)
        url = self.installed.url(endpoint, space)
        self.installed.until("its Service leads there", lambda: reached(url) or None)
        answers = ask_all(url, asked, at_once=at_once, timeout_s=120)
        wrong = [(answer.status, answer.text[:300]) for answer in answers if answer.status != 200]
        assert not wrong, wrong
        return answers

    def run_by_hand(self, name: str, *, since: datetime, until: datetime | None = None, suspend: bool = False) -> None:
        """Look back, as a person does, over all of this scenario; results go by window, so no two runs share one."""
        to = until or datetime.now(UTC) + timedelta(seconds=1)
        window = {"from": f"{since:%Y-%m-%dT%H:%M:%SZ}", "to": f"{to:%Y-%m-%dT%H:%M:%SZ}"}
        spec = {"endpoint": ASKED, **window, **({"suspend": True} if suspend else {})}
        about = {"apiVersion": "modelward.dev/v1alpha1", "kind": "EvaluationRun", "metadata": {"name": name}}
        self.installed.apply(self.spaces.paused, {**about, "spec": spec})

    def result(self, run: str, namespace: str) -> Status:
        """Wait for a run's end and return its status."""

        def ended() -> Status | None:
            status: Status = self.installed.get("llmrun", run, namespace).get("status", {})
            return status if status.get("result") else None

        return self.installed.until(f"the end of run {run}", ended, 120)

    def until_it_knows_its_job(self, run: str, namespace: str) -> None:
        """Wait until a run's status names its Job: until then one that is deleted was never made, and is made again."""

        def known() -> str | None:
            return str(self.installed.get("llmrun", run, namespace).get("status", {}).get("job", "")) or None

        self.installed.until(f"the Job in the status of run {run}", known)

    def _policy_known(self, namespace: str) -> bool:
        return bool(self.installed.get("mpol", "banking", namespace).get("status", {}).get("observedGeneration"))


REAL_MODEL = {
    "image": "localhost/banking-bot:dev",
    "args": ["/app/serve.py", "--threads", "1", "--parallel", "2"],
    "port": 8080,
    "resources": {"requests": {"cpu": "100m", "memory": "400Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}},
}


def policy(over: str, *, paused: bool) -> dict[str, Any]:
    """Return the example's own policy with the windows of a test."""
    found: dict[str, Any] = yaml.safe_load((REPOSITORY / "examples" / "banking" / "policy.yaml").read_text())
    found["spec"] |= {"endpointSelector": {"matchLabels": {"watch": "yes"}}, "objectives": [], "paused": paused}
    for one in found["spec"]["evaluations"]:
        one |= {"every": f"{EVERY_S}s", "over": over, "minSamples": MIN_SAMPLES}
    return found


def scripted_bot(name: str, mode: str) -> dict[str, Any]:
    """Return an endpoint whose engine answers by rule."""
    return bot(name, scripted("--mode", mode, cpu="5m"))


def bot(name: str, template: Mapping[str, Any]) -> dict[str, Any]:
    """Return an endpoint that asks for little, for many of them share two processors."""
    resources = {"requests": {"cpu": "5m", "memory": "64Mi"}}
    return endpoint(name, {"template": dict(template)}, engine="llamacpp", collector={"resources": resources})


@dataclass(frozen=True, slots=True)
class Scenarios:
    """What goes on at the same time; each ends with what there is to look at, or with what went wrong."""

    asked: Mapping[str, Future[list[Answer]]]
    looked_back: Future[Status]
    looked_far_back: Future[Status]
    blinded: Future[Status]
    lost_and_made_up_for: Future[tuple[Status, Status]]


def begin(bank: Bank, pool: ThreadPoolExecutor) -> Scenarios:
    """Let the customers ask and the runs begin."""
    asked = {
        BASE_MODEL: pool.submit(bank.ask, BASE_MODEL, QUESTIONS[:60], at_once=2),
        TURNING: pool.submit(bank.ask, TURNING, QUESTIONS),
        REFUSING: pool.submit(bank.ask, REFUSING, QUESTIONS),
        QUIET: pool.submit(bank.ask, QUIET, QUESTIONS[:FEW]),
        ASKED: pool.submit(bank.ask, ASKED, QUESTIONS),
    }
    return Scenarios(
        asked=asked,
        looked_back=pool.submit(look_back, bank, asked[ASKED]),
        looked_far_back=pool.submit(look_far_back, bank, asked[ASKED]),
        blinded=pool.submit(judge_blindly, bank, asked[ASKED]),
        lost_and_made_up_for=pool.submit(lose_a_job, bank),
    )


def look_back(bank: Bank, asked: Future[list[Answer]]) -> Status:
    """Make a run by hand when all have been answered, and return its status."""
    asked.result(150)
    time.sleep(5)  # the collector sends every two seconds
    bank.run_by_hand("look-back", since=bank.began)
    return bank.result("look-back", bank.spaces.paused)


def look_far_back(bank: Bank, asked: Future[list[Answer]]) -> Status:
    """Make a run over a time that ended hours ago, without any requests, and return its status."""
    asked.result(150)
    bank.run_by_hand("long-ago", since=bank.began - timedelta(hours=4), until=bank.began - timedelta(hours=3))
    return bank.result("long-ago", bank.spaces.paused)


def judge_blindly(bank: Bank, asked: Future[list[Answer]]) -> Status:
    """Make a run whose Job finds no embedding model, as after a broken image build, and return its status."""
    asked.result(150)
    time.sleep(5)
    installed, space = bank.installed, bank.spaces.paused
    bank.run_by_hand("blind", since=bank.began - timedelta(seconds=1), suspend=True)

    def made() -> dict[str, Any] | None:
        jobs = installed.items("jobs", space)
        return next((job for job in jobs if job["metadata"]["ownerReferences"][0]["name"] == "blind"), None)

    job = installed.until("its Job", made)
    bank.until_it_knows_its_job("blind", space)
    replace_job(installed, job, space, {"name": "MODELWARD_MINILM", "value": "/no"})
    installed.cluster.kubectl(
        "patch", "llmrun", "blind", "-n", space, "--type=merge", "-p", '{"spec":{"suspend":false}}'
    )
    return bank.result("blind", space)


def replace_job(installed: Installed, job: dict[str, Any], namespace: str, variable: dict[str, str]) -> None:
    """Make a suspended Job anew with one more variable; a Job's template cannot change."""
    metadata = {key: job["metadata"][key] for key in ("name", "labels", "ownerReferences")}
    spec = {key: value for key, value in job["spec"].items() if key not in ("selector", "manualSelector")}
    template = spec["template"]["metadata"]
    template["labels"] = {
        key: value for key, value in template["labels"].items() if "job" not in key and "uid" not in key
    }
    spec["template"]["spec"]["containers"][0].setdefault("env", []).append(variable)
    again = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}
    installed.cluster.kubectl("delete", "job", metadata["name"], "-n", namespace, "--now")
    installed.cluster.kubectl("create", "-n", namespace, "-f", "-", input=json.dumps(again))


def lose_a_job(bank: Bank) -> tuple[Status, Status]:
    """Delete a scheduled run's Job before it is done; return the status of that run and of the next."""
    installed, space = bank.installed, bank.spaces.unlucky
    installed.until_condition(LOST, space, "Ready", "True", 120)
    # A full namespace keeps the Job from finishing before it is deleted.
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "full"}, "spec": {"hard": {"pods": "1"}}}
    installed.apply(space, quota)
    installed.until("the quota counts", lambda: installed.get("quota", "full", space).get("status", {}).get("used"))
    bank.ask(LOST, QUESTIONS[:FEW])
    (job,) = installed.until("the first Job", lambda: installed.items("jobs", space) or None)
    first = job["metadata"]["ownerReferences"][0]["name"]
    bank.until_it_knows_its_job(first, space)
    installed.cluster.kubectl("delete", "job", job["metadata"]["name"], "-n", space, "--now")
    installed.cluster.kubectl("delete", "resourcequota", "full", "-n", space)
    lost = bank.result(first, space)

    def following() -> str | None:
        names = [str(run["metadata"]["name"]) for run in installed.items("llmrun", space)]
        return next((name for name in sorted(names) if name != first), None)

    return lost, bank.result(installed.until("the next run", following), space)
