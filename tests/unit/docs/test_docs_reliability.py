"""The page on reliability names no test that does not exist, and no promise or fault without one."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
PROOFS = sorted(set(re.findall(r"\[`(test_\w+)`\]\(([^)]+)\)", PAGE)))
PROMISES = re.findall(r"^## \d\. (.+)$", PAGE, re.MULTILINE)
TABLES = [table.splitlines() for table in re.findall(r"(?:^\|.*\n)+", PAGE, re.MULTILINE)]
ROWS = [row for head, _, *rows in TABLES if "held by" in head for row in rows]


@pytest.mark.parametrize(("name", "path"), PROOFS)
def test_every_test_that_is_named_is_in_the_file_that_it_links_to(name: str, path: str) -> None:
    text = (ROOT / "docs" / path).read_text(encoding="utf-8")
    assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE)


def test_each_promise_of_the_readme_has_its_section() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    promised = re.findall(r"^\d\. \*\*(.+?)\*\*", readme, re.MULTILINE)
    assert [promise.replace("`", "").rstrip(".") for promise in promised] == PROMISES


@pytest.mark.parametrize("promise", PROMISES)
def test_each_promise_says_what_is_not_promised(promise: str) -> None:
    text = PAGE.partition(f". {promise}\n")[2].partition("\n## ")[0]
    assert "\nNot promised:" in text


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2:40].partition(" |")[0])
def test_each_row_names_what_holds_it(row: str) -> None:
    proof = row.rstrip("| ").rpartition(" | ")[2]
    assert re.search(r"\[`test_\w+`\]|`tests/[\w/]+`", proof)


@pytest.mark.parametrize("folder", sorted(set(re.findall(r"`(tests/[\w/]+)`", PAGE))))
def test_every_folder_that_is_named_exists(folder: str) -> None:
    assert (ROOT / folder).is_dir()


@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "faults").glob("test_*.py")), ids=lambda path: path.stem)
def test_every_file_of_fault_tests_holds_a_promise_of_the_page(path: Path) -> None:
    tools = {"test_driver"}  # of the tests' own tools
    assert path.stem in tools or f"../tests/faults/{path.name})" in PAGE
