"""`modelward crd`: the files of definitions are those that the models imply, and what differs is named."""

from pathlib import Path

from modelward.api import crd
from modelward.cli import definitions

ROOT = Path(__file__).parents[3]


def test_the_files_in_the_repository_are_what_the_models_say() -> None:
    assert definitions.check(ROOT / "crds") == []


def test_check_names_what_is_missing_stale_and_not_ours(tmp_path: Path) -> None:
    files = crd.files()
    assert [path.read_text() for path in definitions.write(tmp_path)] == [*files.values()]
    assert definitions.check(tmp_path) == []
    first, second, *_ = files
    (tmp_path / first).unlink()
    (tmp_path / second).write_text("stale")
    (tmp_path / "modelward.dev_guesses.yaml").write_text("old")
    found = definitions.check(tmp_path)
    assert [line.partition(";")[0] for line in found] == [
        f"{first}: missing",
        f"{second}: differs from the models",
        "modelward.dev_guesses.yaml: belongs to no kind",
    ]
