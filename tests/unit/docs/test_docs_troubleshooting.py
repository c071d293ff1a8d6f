"""Whoever looks up the reason of a condition finds it, and finds none that cannot occur."""

import re
from pathlib import Path

import pytest

from modelward.scaling.need import Reason

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "src").rglob("*.py")))
STATE = re.compile(r'State\(\s*"\w+",\s*"\w+",\s*"(\w+)"')
FINDING = re.compile(r'Finding\(\s*"([A-Z]\w+)"')
NOT_SHOWN = {"EndpointsSelected", "RawPayloadsForbidden"}
"""A condition that is as it should be, and a finding that no condition shows."""

REASONS = sorted({*STATE.findall(SOURCES), *FINDING.findall(SOURCES), *map(str, Reason)} - NOT_SHOWN)
LISTED = sorted(
    {name for line in re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE) for name in re.findall(r"`([A-Z]\w+)`", line)}
)


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_is_explained(reason: str) -> None:
    assert f"`{reason}`" in PAGE


@pytest.mark.parametrize("reason", LISTED)
def test_every_reason_that_is_explained_exists(reason: str) -> None:
    assert re.search(rf"\b{reason}\b", SOURCES)
