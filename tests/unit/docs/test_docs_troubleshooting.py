"""The page names no reason, condition or command that does not exist."""

import re
from pathlib import Path
from typing import get_args

import pytest

from modelward.api.evaluationrun import RunResult
from modelward.cli.app import app
from modelward.reasons.tables import TABLES

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
KNOWN = {*get_args(RunResult), *(word for table in TABLES for word in (*table.conditions, *table.reasons))}
TABLED = sorted(
    {name for line in re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE) for name in re.findall(r"`([A-Z]\w+)`", line)}
)
COMMANDS = sorted(set(re.findall(r"(?:^|`|-- )modelward (\w+)", PAGE, re.MULTILINE)))


@pytest.mark.parametrize("name", TABLED)
def test_every_word_that_is_explained_exists(name: str) -> None:
    assert name in KNOWN


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_exists(command: str) -> None:
    assert command in {known.name or known.callback.__name__ for known in app.registered_commands if known.callback}


def test_reasons_are_looked_up_on_their_own_page() -> None:
    assert "(reasons.md)" in PAGE
    assert (ROOT / "docs" / "reasons.md").is_file()


@pytest.mark.parametrize("anchor", re.findall(r"\]\(#([\w-]+)\)", PAGE))
def test_every_link_within_the_page_leads_somewhere(anchor: str) -> None:
    titles = re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    assert anchor in {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
