"""Whoever looks up the reason of a condition finds it, and finds none that cannot occur."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelward.reasons.reason import Reason, ReasonTable
from modelward.reasons.tables import TABLES, reason_of

ROOT = Path(__file__).parents[3]
SOURCES = tuple(path for path in sorted((ROOT / "src").rglob("*.py")) if path.parent.name != "reasons")
BY_NAME = {table.__name__: table for table in TABLES}


TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}


def constant(node: ast.AST) -> object:
    """Return what `Table.NAME` is in the code; None for any other node."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in BY_NAME:
        return getattr(BY_NAME[node.value.id], node.attr)
    return None


def calls(name: str) -> Iterator[tuple[Path, ast.Call]]:
    """Yield every call of a function or class by its plain name."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                yield path, node


REFERRED = [found for tree in TREES.values() for node in ast.walk(tree) if (found := constant(node)) is not None]
USED = {id(one) for one in REFERRED if isinstance(one, Reason)}
WORDS = {one.name for one in REFERRED if isinstance(one, Reason)}
TRANSLATED = {table.__name__ for table in TABLES if table.named in REFERRED}
"""Tables from which a reason is also taken by a word that another table has, or that status or the hub kept."""
GIVEN = [
    (call.args[0].value, reason)
    for _, call in calls("ConditionState")
    if isinstance(call.args[0], ast.Constant)
    for argument in call.args[2:3]
    for node in ast.walk(argument)
    if isinstance(reason := constant(node), Reason)
]


def test_the_page_is_what_the_tables_say() -> None:
    command = [sys.executable, str(ROOT / "docs" / "generate-reasons"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_table_is_on_the_page() -> None:
    assert set(TABLES) == set(ReasonTable.__subclasses__())


def test_reasons_are_made_in_the_tables_alone() -> None:
    assert [f"{path}:{call.lineno}" for path, call in calls("Reason")] == []


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_every_reason_of_a_table_is_used(table: type[ReasonTable]) -> None:
    words = WORDS if table.__name__ in TRANSLATED else set()
    assert [reason.name for reason in table.reasons if id(reason) not in USED and reason not in words] == []


def test_a_condition_is_given_reasons_of_its_own_table() -> None:
    assert len(GIVEN) >= 40
    assert [(kind, reason) for kind, reason in GIVEN if not any(_has(table, kind, reason) for table in TABLES)] == []


def _has(table: type[ReasonTable], kind: object, reason: Reason) -> bool:
    """Return whether a table is of the condition and has this very constant."""
    own = kind in table.conditions or (kind == "Ready" and table.__name__ in ("AcceptedReason", "WorkloadReason"))
    return own and any(one is reason for one in table.reasons)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_no_condition_has_a_reason_twice_and_each_has_a_meaning(table: type[ReasonTable]) -> None:
    assert len(set(table.reasons)) == len(table.reasons)
    assert all(reason.meaning for reason in table.reasons)
    assert not any("|" in text for one in table.reasons for text in (one.name, one.meaning, one.cause, one.next))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_a_constant_is_called_as_its_reason(table: type[ReasonTable]) -> None:
    called = {name: constant for name, constant in vars(table).items() if isinstance(constant, Reason)}
    assert all(name.replace("_", "") == constant.upper() for name, constant in called.items())


def test_a_reason_is_the_word_that_objects_hold() -> None:
    known = reason_of("CollectorReady", "AwaitingReload")
    assert known is not None
    assert known == known.name == "AwaitingReload"
    assert (type(known.name), f"{known}", repr(known)) == (str, "AwaitingReload", "'AwaitingReload'")


def test_a_word_of_another_release_is_kept_and_has_no_texts() -> None:
    stored = BY_NAME["CheckReason"].named("NotInventedYet")
    assert (stored.name, stored.meaning, stored.cause, stored.next) == ("NotInventedYet", "", "", "")
    assert BY_NAME["CheckReason"].named("NoTraffic") is BY_NAME["CheckReason"].reasons[7]


def test_ready_is_looked_up_where_it_comes_from() -> None:
    for name in ("NameTaken", "Unschedulable"):
        known = reason_of("Ready", name)
        assert known is not None
        assert known.next
    assert reason_of("Ready", "Bypassed") is None
