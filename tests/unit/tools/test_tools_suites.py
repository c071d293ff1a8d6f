"""What `make test` runs: a failure is never lost, and slowness is told without failing."""

from __future__ import annotations

import importlib.util
import re
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

_OWN_PROCESSES = re.compile(r"^(?:import|from) (?:operators|measured_operator|idle)\b", re.MULTILINE)
"""The helpers that start an operator as a process of its own, whose time is the machine's."""
_FILE = Path(__file__).resolve().parents[3] / "tools" / "suites"


@pytest.fixture(scope="module")
def suites() -> ModuleType:
    loader = SourceFileLoader("suites", str(_FILE))
    spec = importlib.util.spec_from_loader("suites", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["suites"] = module
    loader.exec_module(module)
    return module


def test_a_suite_that_fails_fails_its_lane_and_stops_what_comes_after_it(
    suites: ModuleType, capfd: pytest.CaptureFixture[str]
) -> None:
    good, bad = [sys.executable, "-c", "print('said')"], [sys.executable, "-c", "raise SystemExit(3)"]
    lane = suites.Lane([suites.Suite("a", 9, [good, bad, good]), suites.Suite("b", 9, [good])], beside=True)
    lane.start()
    assert not lane.wait()
    assert [suite.failed for suite in lane.suites] == [True, False]
    assert lane.suites[1].took_s is None
    assert capfd.readouterr().out == "a       | said\n"


def test_a_lane_of_suites_that_pass_passes(suites: ModuleType) -> None:
    lane = suites.Lane([suites.Suite("a", 9, [[sys.executable, "-c", ""]])])
    lane.start()
    assert lane.wait()


def test_the_table_marks_what_is_over_its_budget_and_what_failed(suites: ModuleType) -> None:
    ran = [suites.Suite("quick", 10, [], 9.0), suites.Suite("slow", 10, [], 11.0), suites.Suite("next", 10, [])]
    text, kept = suites.table(ran, 20.0)
    assert not kept
    assert [line.split()[0] for line in text.splitlines() if "over its budget" in line] == ["slow"]
    assert suites.table(ran[:1], 20.0)[1]
    assert not suites.table(ran[:1], suites.ALL_BUDGET_S + 1.0)[1]
    ran[0].failed = True
    assert "FAILED" in suites.table(ran, 20.0)[0]


@pytest.mark.parametrize(("arguments", "stopped"), [(["--ci"], True), ([], False)])
def test_a_failure_in_continuous_integration_leaves_no_cluster_running(
    suites: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str], stopped: bool
) -> None:
    bad = suites.Suite("bad", 9, [[sys.executable, "-c", "raise SystemExit(3)"]])
    mark = tmp_path / "stopped"
    monkeypatch.setattr(suites, "lanes", lambda **_: [[suites.Lane([bad])]])
    monkeypatch.setattr(suites, "DEVCLUSTER", (sys.executable, "-c", f"open({str(mark)!r}, 'w').close()"))
    monkeypatch.setattr(sys, "argv", ["suites", *arguments])
    assert suites.main() == 1
    assert mark.exists() == stopped


def test_continuous_integration_leaves_out_no_suite_of_the_tree(suites: ModuleType) -> None:
    stages = suites.lanes(ci=True)
    commands = [
        list(command) for stage in stages for lane in stage for suite in lane.suites for command in suite.commands
    ]
    named = {word for command in commands for word in command if word.startswith("tests/")}
    folders = {path.name for path in (_FILE.parent.parent / "tests").iterdir() if next(path.rglob("test_*.py"), None)}
    assert {f"tests/{name}" for name in folders - {"unit"}} <= named
    assert "tests/cluster/e2e" in named
    assert ["make", "check"] in commands


def test_fault_tests_of_operators_as_processes_are_those_that_keep_time_and_run_once(suites: ModuleType) -> None:
    root = _FILE.parent.parent
    files = sorted((root / "tests" / "faults").glob("test_*.py"))
    real = {str(file.relative_to(root)) for file in files if _OWN_PROCESSES.search(file.read_text())}
    assert real == set(suites.KEEP_TIME)
    by_name = {suite.name: suite for stage in suites.lanes(ci=True) for lane in stage for suite in lane.suites}
    (others,), (timed,) = by_name["faults"].commands, by_name["timed"].commands
    assert {f"--ignore={file}" for file in real} == {word for word in others if word.startswith("--ignore")}
    assert real == {word for word in timed if word.startswith("tests/")}
