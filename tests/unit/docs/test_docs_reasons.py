"""Whoever looks up the reason of a condition finds it, and finds none that cannot occur."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from modelward.scaling.need import ScalingReason
from modelward.status.reasons import SECTIONS, reason_of

ROOT = Path(__file__).parents[3]
TABLES = {"reasons.py", "endpoint_reasons.py", "check_reasons.py"}
SOURCES = "\n".join(
    path.read_text(encoding="utf-8") for path in sorted((ROOT / "src").rglob("*.py")) if path.name not in TABLES
)
STATE = re.compile(r'State\(\s*"(\w+)",\s*"\w+",\s*"(\w+)"')
FINDING = re.compile(r'Finding\(\s*"([A-Z]\w+)"')
NAMES = {reason.name for section in SECTIONS for reason in section.reasons}
OF_CONDITION = {
    condition: {reason.name for section in SECTIONS if condition in section.conditions for reason in section.reasons}
    for section in SECTIONS
    for condition in section.conditions
}


def test_the_page_is_what_the_table_says() -> None:
    command = [sys.executable, str(ROOT / "docs" / "generate-reasons"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("condition", "reason"), sorted(set(STATE.findall(SOURCES))))
def test_every_reason_that_a_condition_is_given_is_in_the_table(condition: str, reason: str) -> None:
    given = (
        OF_CONDITION["Accepted"] | OF_CONDITION["WorkloadReady"] if condition == "Ready" else OF_CONDITION[condition]
    )
    assert reason in given


@pytest.mark.parametrize("reason", sorted({*FINDING.findall(SOURCES), *map(str, ScalingReason)}))
def test_every_reason_of_a_finding_or_a_decision_is_in_the_table(reason: str) -> None:
    assert reason in NAMES


@pytest.mark.parametrize("reason", sorted(NAMES))
def test_every_reason_in_the_table_exists(reason: str) -> None:
    assert re.search(rf"\b{reason}\b", SOURCES)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: f"{section.kind}-{section.conditions[0]}")
def test_no_condition_has_a_reason_twice_and_each_has_a_meaning(section: object) -> None:
    reasons = section.reasons  # type: ignore[attr-defined]
    assert len({reason.name for reason in reasons}) == len(reasons)
    assert all(reason.meaning and "|" not in f"{reason}" for reason in reasons)


def test_ready_is_looked_up_where_it_comes_from() -> None:
    for name in ("NameTaken", "Unschedulable"):
        known = reason_of("Ready", name)
        assert known is not None
        assert known.next
    assert reason_of("Ready", "Bypassed") is None
