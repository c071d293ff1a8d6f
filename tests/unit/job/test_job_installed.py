"""Evaluators are found where they are installed, and one package's fault is not another's."""

from __future__ import annotations

import sys
import tomllib
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest

from modelward.desired.evaluators import EvaluatorBlock, ResolvedEvaluator
from modelward.evaluate import kinds
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.evaluate.kinds.builtin import BuiltinKind
from modelward.job.installed import GROUP, OWN, catalogue, defined_by, evaluators

ROOT = Path(__file__).parents[3]
OURS = {one.manifest.name for one in defined_by(OWN)}
SOURCE = """
from dataclasses import replace
from modelward.evaluate.builtin_evaluator import BuiltinEvaluator
from modelward.evaluate.evaluators.pii import PII_IN_ANSWER, score
EVALUATORS = (BuiltinEvaluator(replace(PII_IN_ANSWER, name="{name}"), score),)
"""


def package(folder: Path, name: str, text: str) -> None:
    """Install a package of one module that is registered."""
    (folder / f"{name}.py").write_text(text)
    about = folder / f"{name}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {name}\n")


def test_our_own_are_registered_as_those_of_any_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"][GROUP] == {OWN.name: OWN.value}
    assert set(catalogue().names("builtin")) == OURS > {"OffTopicAnswered", "OnTopicRefused", "PII"}
    assert set(evaluators([OWN])) == set(evaluators([])) == OURS, "with metadata from before the entry point too"


def test_an_installed_package_adds_its_evaluators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package(tmp_path, "plugin_vibes", SOURCE.format(name="Vibes"))
    monkeypatch.syspath_prepend(tmp_path)
    found = evaluators(entry_points(group=GROUP))
    assert set(found) == {*OURS, "Vibes"}
    known = EvaluatorCatalogue({"builtin": BuiltinKind(found)})
    assert isinstance(known.resolve(EvaluatorBlock("builtin", "Vibes")), ResolvedEvaluator)


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("plugin_raises", "raise RuntimeError('no such library')"),
        ("plugin_wrong", "EVALUATORS = ('PII',)"),
        ("plugin_number", "EVALUATORS = 7"),
        ("plugin_thief", SOURCE.format(name="PII")),
        ("plugin_empty", ""),
    ],
)
def test_a_package_that_is_broken_costs_its_own_evaluators_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, text: str
) -> None:
    package(tmp_path, module, text)
    package(tmp_path, "plugin_sound", SOURCE.format(name="Sound"))
    monkeypatch.syspath_prepend(tmp_path)
    found = evaluators(entry_points(group=GROUP))
    assert set(found) == {*OURS, "Sound"}
    assert found["PII"] is evaluators([])["PII"], "a name that is taken stays with who has it"


def test_a_kind_is_found_by_its_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy = ROOT / "tests" / "unit" / "evaluate" / "toy_kind.py"
    (tmp_path / "toy_kind.py").write_text(toy.read_text())
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(tmp_path)])
    try:
        found = catalogue.__wrapped__()
    finally:
        sys.modules.pop(f"{kinds.__name__}.toy_kind", None)
    assert set(found.kinds) == {*catalogue().kinds, "toy"}
    block = EvaluatorBlock("toy", "words", {"url": "http://judge/", "word": "secret"})
    assert isinstance(found.resolve(block), ResolvedEvaluator)


def test_a_package_that_is_registered_and_gone_is_left_out() -> None:
    assert set(evaluators([EntryPoint("gone", "no_such_module", GROUP)])) == OURS
