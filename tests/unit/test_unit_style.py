"""Unit tests wait for events and not for time; tests use what is public and assert; what is public says why it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
_CLOCKS = ("time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter")
TREES = {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
OTHERS = {
    str(path.relative_to(ROOT.parent)): ast.parse(path.read_text(encoding="utf-8"))
    for folder in ("chart", "cluster", "faults", "helpers")
    for path in sorted((ROOT.parent / folder).rglob("*.py"))
}
"""Tests on real servers, whose time is that of other processes."""

SLEEPS: Mapping[str, str] = {
    "collector/test_collector_once.py": "the kernel tells the age of a segment by its own clock",
    "collector/test_collector_processes.py": "a model server and a client in other threads take their time",
    "hub/test_hub_connections.py": "a client that does not read outlasts the hub's patience, on real sockets",
}
"""Files that may wait for time, and why. Others use `tests/helpers`: virtual time, `until`, `a_moment`."""

CLOCKS: Mapping[str, str] = {
    "collector/test_collector_leaving.py": "the supervisor shares its deadline with other processes by the real clock",
    "collector/test_collector_processes.py": "processes of their own drain by the real clock",
    "hub/test_hub_auth.py": "tokens are signed for the present",
    "hub/secured_hub.py": "tokens are signed for the present",
    "hub/test_hub_processes.py": "a hub in a process of its own takes only what is of the present",
    "hub/test_hub_roundtrip.py": "a hub in a process of its own takes only what is of the present",
    "kube/test_kube_transport.py": "at least the pause that a server asked for has passed, however slow the machine",
}
"""Files that may read the real clock, and why."""

SOURCE = ROOT.parents[1] / "src" / "modelward"

PRIVATE: Mapping[str, frozenset[str]] = {
    "cluster/test_hints.py": frozenset({"_write"}),
    "cluster/test_hints_rights.py": frozenset({"_write"}),
    "faults/test_clock_jumps_hub.py": frozenset({"_renew", "_try"}),
    "collector/test_collector_answer_end.py": frozenset({"_pieces"}),
    "collector/test_collector_blind_pump.py": frozenset({"_CONNECT_SECONDS", "_begin", "_watch_listener"}),
    "collector/test_collector_capture.py": frozenset({"_channel", "_held", "_in_case"}),
    "collector/test_collector_leaving.py": frozenset(
        {
            "_THREADS",
            "_admin",
            "_channel",
            "_leaving",
            "_options",
            "_proxy",
            "_server",
            "_tick",
            "_worker_channel",
        }
    ),
    "collector/test_collector_model_labels.py": frozenset({"_asked", "_keys"}),
    "collector/test_collector_reachability.py": frozenset({"_probe"}),
    "collector/test_collector_shipping.py": frozenset({"_key_due", "_not_before", "_spool"}),
    "hub/test_hub_bounds.py": frozenset({"_shares"}),
    "hub/test_hub_connections.py": frozenset({"_bytes", "_of", "_open", "_requests"}),
    "hub/test_hub_damage.py": frozenset({"_value"}),
    "hub/test_hub_text_end.py": frozenset({"_shares"}),
    "hub/test_hub_turns.py": frozenset({"_namespaces", "_own"}),
    "privacy/test_privacy_held_out.py": frozenset({"_behind"}),
    "operator/plan_bench.py": frozenset({"_now"}),
    "operator/test_operator_orphans.py": frozenset({"_template"}),
    "operator/test_operator_result_memory.py": frozenset({"_bytes"}),
    "operator/test_operator_sweep.py": frozenset({"_reconcile"}),
    "operator/test_operator_waking.py": frozenset(
        {
            "_leading",
            "_lookups",
            "_objects",
            "_pending",
            "_queue",
            "_schedule",
            "_store",
            "_waking",
            "_wake",
            "_wake_all",
        }
    ),
}
"""What tests still take from the inside of an object. This list only shrinks: ask for what the object shows instead."""


def test_tests_wait_for_events_and_not_for_time() -> None:
    waiting = {file for file, tree in TREES.items() if any(_sleeps(tree))}
    assert waiting - SLEEPS.keys() == set()
    assert SLEEPS.keys() - waiting == set(), "these wait for no time any more: take them off the list"


def test_tests_read_no_clock_but_their_own() -> None:
    reading = {file for file, tree in TREES.items() if any(_called(tree, *_CLOCKS))}
    assert reading - CLOCKS.keys() == set()
    assert CLOCKS.keys() - reading == set(), "these read no clock any more: take them off the list"


def test_tests_give_what_answers_the_time_that_a_loaded_machine_takes() -> None:
    """HANGS_S and PATIENCE_S say which of two it is; a number of one's own is soon too small for a good answer."""
    short = [f"{file}:{line}" for file, tree in TREES.items() for line in _hasty(tree)]
    assert short == []


def test_tests_use_what_an_object_shows() -> None:
    found = {file: names for file, tree in (TREES | OTHERS).items() if (names := frozenset(_private(tree)))}
    more = {file: names - PRIVATE.get(file, frozenset()) for file, names in found.items()}
    assert {file: names for file, names in more.items() if names} == {}, "use what the object shows"
    assert found == PRIVATE, "these are used no more: take them off the list"


def test_every_test_asserts_something() -> None:
    tests = [
        (path.name, node)
        for path in sorted(ROOT.parent.rglob("test_*.py"))
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    ]
    assert len(tests) > 1_000
    assert [f"{file}::{test.name}" for file, test in tests if not any(map(_asserts, ast.walk(test)))] == []


def test_all_that_is_public_has_a_docstring() -> None:
    files = sorted(SOURCE.rglob("*.py"))
    assert len(files) > 300
    silent = {
        str(path.relative_to(SOURCE)): names
        for path in files
        if (names := list(_undocumented(ast.parse(path.read_text(encoding="utf-8")), "module")))
    }
    assert silent == {}, "say why it exists, its units and its errors"


def _undocumented(node: ast.Module | ast.ClassDef, name: str) -> Iterator[str]:
    """Yield the public modules, classes, functions and methods without a docstring; an empty module needs none."""
    if node.body and ast.get_docstring(node) is None:
        yield name
    for inner in node.body:
        if isinstance(inner, ast.ClassDef) and not _hidden(inner.name):
            yield from _undocumented(inner, inner.name)
        elif isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) and not inner.name.startswith("_"):
            yield from () if ast.get_docstring(inner) else (f"{name}.{inner.name}",)


def _sleeps(tree: ast.Module) -> Iterator[int]:
    """Yield the lines that wait for time; in virtual time none does."""
    if any(isinstance(node, ast.ImportFrom) and node.module == "virtual_time" for node in tree.body):
        return
    for node in _called(tree, "time.sleep", "asyncio.sleep"):
        yield from () if ast.unparse(node.args[0]) == "0" else (node.lineno,)


def _hasty(tree: ast.Module) -> Iterator[int]:
    """Yield the lines that give less than a second to answer."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "timeout_s" and isinstance(node.value, ast.Constant):
            seconds = node.value.value
            yield from (node.value.lineno,) if isinstance(seconds, int | float) and seconds < 1 else ()


def _called(tree: ast.Module, *names: str) -> Iterator[ast.Call]:
    """Yield the calls of functions by their full names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in names:
            yield node


def _private(tree: ast.Module) -> Iterator[str]:
    """Yield private names of others: attributes but for those of `self` and `cls`, imports, and what is patched."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _hidden(node.attr):
            yield from () if ast.unparse(node.value) in ("self", "cls", "super()") else (node.attr,)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("modelward"):
            yield from (alias.name for alias in node.names if _hidden(alias.name))
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("monkeypatch.setattr"):
            words = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            yield from (word.rpartition(".")[2] for word in words[:1] if _hidden(word.rpartition(".")[2]))


def _hidden(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def _asserts(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func).rpartition(".")[2]
        return called in ("raises", "fail", "warns", "expect") or called.startswith("assert_")
    return isinstance(node, ast.Assert)
