"""`modelward evaluate` scores files by all evaluators in one pass, tells what it could not read, and sums up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import zstandard
from typer.testing import CliRunner, Result

from modelward.api.exchange import Exchange, Message, Redaction, exchange_to_json
from modelward.cli.app import app

BASE = Exchange(
    "e0", 1, "retail/chat", "m", "r", "chat", 200, "ok", "Redacted", (Message("user", "Where?"),), "Under Cards."
)
LEAK = (Redaction("IBAN", 1, "response"),)
PII = "{builtin: PII}"
STRICT = "{kind: Evaluator, metadata: {name: strict}, spec: {builtin: PII, config: {ignoreEchoed: false}}}"
POLICY = """
kind: MonitoringPolicy
metadata: {name: watch}
spec:
  endpointSelector: {}
  evaluations:
  - {name: leaks, check: {builtin: PII}, failAbove: 1%, minSamples: 50}
  - {name: echoes, evaluatorRef: {name: strict}, failAbove: 90%, minSamples: 50}
"""


def lines(*numbers: int, leaks: Sequence[int] = (), **changes: Any) -> bytes:
    """Return exchanges as lines; those among `leaks` hold an account number in the answer."""
    found = [replace(BASE, id=f"e{n}", redactions=LEAK if n in leaks else (), **changes) for n in numbers]
    return b"".join(json.dumps(exchange_to_json(one)).encode() + b"\n" for one in found)


def evaluated(folder: Path, *texts: str, options: Sequence[str] = (), stdin: bytes | None = None) -> Result:
    """Run evaluators of these texts over `folder/in`, or standard input, into `folder/out.jsonl`."""
    for number, text in enumerate(texts):
        (folder / f"evaluator{number}.yaml").write_text(text)
    evaluators = [part for n in range(len(texts)) for part in ("--evaluator", str(folder / f"evaluator{n}.yaml"))]
    source = "-" if stdin is not None else str(folder / "in")
    given = ["evaluate", *evaluators, "--input", source, "--output", str(folder / "out.jsonl"), *options]
    return CliRunner().invoke(app, given, input=stdin, env={"COLUMNS": "300"})


def scores(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]


def test_each_exchange_is_scored_by_each_evaluator_in_order(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(lines(*range(300), leaks=[7]))
    done = evaluated(tmp_path, PII, STRICT)
    assert done.exit_code == 0, done.output
    rows = scores(tmp_path)
    assert [(row["id"], row["evaluator"]) for row in rows[:4]] == [
        ("e0", "PII"), ("e0", "strict"), ("e1", "PII"), ("e1", "strict"),
    ]  # fmt: skip
    assert [row["id"] for row in rows] == [f"e{n}" for n in range(300) for _ in range(2)]
    assert {(row["id"], row["label"]) for row in rows if row["flagged"]} == {("e7", "leaked-IBAN")}
    table = [line.split() for line in done.stdout.splitlines() if line.startswith(("PII", "strict"))]
    assert [row[:4] for row in table] == [
        ["PII", "300", "0.33%", "(0.06-1.9)"],
        ["strict", "300", "0.33%", "(0.06-1.9)"],
    ]


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_and_a_pipe_are_read_like_a_file(tmp_path: Path, packed: bool) -> None:
    def written(text: bytes) -> bytes:
        return zstandard.compress(text) if packed else text

    (tmp_path / "in" / "2026112701").mkdir(parents=True)
    (tmp_path / "in" / "a.jsonl").write_bytes(written(lines(1, 2)))
    (tmp_path / "in" / "2026112701" / "b.zst").write_bytes(written(lines(3)))
    assert evaluated(tmp_path, PII).exit_code == 0
    assert [row["id"] for row in scores(tmp_path)] == ["e3", "e1", "e2"]
    assert evaluated(tmp_path, PII, stdin=written(lines(4, 5))).exit_code == 0
    assert [row["id"] for row in scores(tmp_path)] == ["e4", "e5"]


def test_what_is_no_exchange_is_told_by_its_number_and_the_others_are_scored(tmp_path: Path) -> None:
    broken = lines(2).replace(b'"outcome": "ok"', b'"outcome": "fine"')
    (tmp_path / "in").write_bytes(lines(1) + b"no json\n" + broken + lines(3) + b"{}\n" * 40)
    done = evaluated(tmp_path, PII)
    assert done.exit_code == 1
    assert [row["id"] for row in scores(tmp_path)] == ["e1", "e3"]
    told = done.stderr.splitlines()
    assert told[0].startswith(f"{tmp_path}/in:2: no JSON: ")
    assert told[1] == f"{tmp_path}/in:3: not an exchange: 'fine' is none of ok, error, cancelled"
    assert len(told) == 21
    assert told[-1].startswith(f"22 more bad lines, the last: {tmp_path}/in:44: not an exchange: id is missing")
    assert "2 exchanges, 42 bad lines" in done.stdout


def test_a_policy_is_judged_by_its_own_limits(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(lines(*range(100), leaks=range(20)))
    done = evaluated(tmp_path, POLICY, f"{STRICT}\n---\n{{kind: Evaluator, metadata: {{name: other}}, spec: {PII}}}")
    assert done.exit_code == 0, done.output
    assert {row["evaluator"] for row in scores(tmp_path)} == {"other", "watch/leaks", "watch/echoes"}
    assert "watch/leaks: Failed, AboveLimit: 20% (13-29) > 1%, n=100" in done.stdout
    assert "watch/echoes: Passed, BelowLimit: 20% (13-29) < 90%, n=100" in done.stdout


def test_what_compares_windows_passes_no_file(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(lines(*range(200)))
    policy = POLICY.replace("{builtin: PII}", "{builtin: NumericDrift, config: {number: Duration}}")
    done = evaluated(tmp_path, policy, STRICT)
    assert "it compares a window with what the hub keeps" in done.stdout
    assert "watch/leaks: Passed" not in done.stdout


def test_what_was_not_judged_is_counted_apart(tmp_path: Path) -> None:
    written = lines(1) + lines(2, outcome="error") + lines(3, content="MetadataOnly", messages=(), response="")
    (tmp_path / "in").write_bytes(written)
    done = evaluated(tmp_path, PII)
    assert done.exit_code == 0
    (row,) = [line.split() for line in done.stdout.splitlines() if line.startswith("PII ")]
    assert (row[1], row[-3:]) == ("1", ["1", "1", "0"])
    assert "PII, not applicable: error 1" in done.stdout
    assert "PII, not captured: not-redacted 1" in done.stdout


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("builtin: Nope", "no built-in evaluator 'Nope'"),
        ("{builtin: PII, config: {kind: []}}", "there is no setting kind"),
        ("[]", "neither an Evaluator, a MonitoringPolicy nor"),
        ("spec: {}", "neither an Evaluator"),
        ("a: [", "not YAML"),
        ("", "empty"),
        ("{kind: Evaluator, spec: {builtins: PII}}", "spec.builtin"),
        (POLICY, "there is no Evaluator strict"),
        (f"{PII}\n---\n{PII}", "two evaluators are named PII"),
        ("{kind: MonitoringPolicy, spec: {endpointSelector: {}}}", "no evaluator in these files"),
    ],
)
def test_a_file_that_is_no_evaluator_is_refused_and_nothing_is_written(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "in").write_bytes(lines(1))
    done = evaluated(tmp_path, text)
    assert done.exit_code == 2
    assert told in done.stderr
    assert not (tmp_path / "out.jsonl").exists()


def test_scores_are_not_written_over_what_is_read(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "out.jsonl").write_bytes(lines(1))
    (tmp_path / "out.jsonl").symlink_to(tmp_path / "in" / "out.jsonl")
    done = evaluated(tmp_path, PII)
    assert (done.exit_code, "is among what is read" in done.stderr) == (2, True)
    assert (tmp_path / "in" / "out.jsonl").read_bytes() == lines(1)
    (tmp_path / "in" / "out.jsonl").unlink()
    done = evaluated(tmp_path, PII)
    assert (done.exit_code, "no .jsonl, .ndjson, .zst file in" in done.stderr) == (2, True)


def test_scores_can_be_piped_on_because_the_summary_goes_elsewhere(tmp_path: Path) -> None:
    done = evaluated(tmp_path, PII, options=["--output", "-"], stdin=lines(1, 2))
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == ["e1", "e2"]
    assert "2 exchanges, 0 bad lines" in done.stderr
