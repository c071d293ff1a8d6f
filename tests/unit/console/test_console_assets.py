"""What others have written is served as they published it, and all script together stays small."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re

from modelward.console import assets
from modelward.console.headers import policy
from modelward.console.render import PageFrame, write
from modelward.console.site.packing import LEVEL
from modelward.console.site.trouble import Trouble

MOST_SCRIPT_BYTES = 45 << 10
VENDOR = assets.FOLDER / "vendor"


def test_vendored_files_are_those_of_the_table_and_no_others() -> None:
    table = (VENDOR / "README.md").read_text(encoding="utf-8")
    named = dict(re.findall(r"\| `([\w.-]+\.js)` \|.*`([0-9a-f]{64})` \|", table))
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.glob("*.js")}
    assert found == named
    assert (VENDOR / "htmx.LICENSE").read_text(encoding="utf-8").startswith("Zero-Clause BSD")


def test_all_script_together_is_at_most_45_kb_packed() -> None:
    loaded = assets.load()
    packed = sum(len(loaded.files[address].packed) for address in loaded.scripts)
    assert 0 < packed <= MOST_SCRIPT_BYTES, packed


def test_an_address_changes_with_its_bytes() -> None:
    loaded = assets.load()
    for address, asset in loaded.files.items():
        assert hashlib.sha256(asset.body).hexdigest().startswith(address.split("/")[2])


def test_templates_never_mark_anything_as_safe_markup() -> None:
    folder = assets.FOLDER.parent
    for path in (folder / "templates").glob("*.html"):
        assert not re.search(r"\|\s*safe\b|autoescape\s+false|Markup", path.read_text(encoding="utf-8")), path
    for path in folder.rglob("*.py"):
        assert not re.search(r"\bMarkup\(|autoescape=False", path.read_text(encoding="utf-8")), path


def test_the_style_sheet_stands_in_the_page_and_is_the_one_that_the_policy_allows() -> None:
    page = write("trouble.html", PageFrame("n"), Trouble("No", ()))
    (inside,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
    assert f"style-src 'self' 'sha256-{digest}';" in policy("n")
    assert "'unsafe-" not in policy("n")
    assert "/*" not in inside
    assert "{% raw" not in inside


def test_a_page_with_its_style_fits_what_a_server_sends_at_first() -> None:
    """Ten packets of 1,460 bytes: one round trip. What is longer waits for another."""
    page = write("trouble.html", PageFrame("n"), Trouble("No", ()))
    assert len(gzip.compress(page.encode(), LEVEL)) <= 9_000
