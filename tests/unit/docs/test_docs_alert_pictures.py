"""The page shows what each kind of receiver gets, as it is sent today."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from pydantic.alias_generators import to_camel

from modelward.alerts.receivers.registry import KINDS

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "alerts.md").read_text(encoding="utf-8")


def test_the_pictures_are_of_todays_payloads() -> None:
    command = [sys.executable, str(DOCS / "generate-alert-pictures"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_picture_is_on_the_page_and_every_kind_has_a_section() -> None:
    shown = set(re.findall(r"\(pictures/(alert-\w+\.svg)\)", PAGE))
    assert shown == {path.name for path in (DOCS / "pictures").glob("alert-*.svg")}
    assert [kind.block for kind in KINDS if f"| [`{to_camel(kind.block)}`](#" not in PAGE] == []
