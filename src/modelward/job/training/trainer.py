"""Training a head from its recipe, and the file that it becomes: the same rows give the same bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelward.evaluate.heads import FOLDER, PACKAGE
from modelward.evaluate.manifest import MINILM_SHA256
from modelward.job.training.design import design
from modelward.job.training.labelled_sets import SETS, MissingSetError, Row, digest
from modelward.job.training.logistic import fitted
from modelward.job.training.recipes import RECIPES, Part, Recipe

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Embed = Callable[[Sequence[str]], "NDArray[np.float32]"]
WEIGHT_DIGITS = 4
"""Of a weight in the file; what a solver leaves of the optimum is far below."""


@dataclass(frozen=True, slots=True)
class Trained:
    """Weights [384, and one for each column], bias, what was used, and the weights of word pieces where there are."""

    weights: tuple[float, ...]
    bias: float
    trained_on: tuple[Mapping[str, Any], ...]
    pieces: tuple[float, ...] = ()

    def document(self, name: str, ridge: float) -> str:
        """Return the head's file."""
        head = {
            "name": name,
            "embedder": MINILM_SHA256,
            "ridge": ridge,
            "trainedOn": self.trained_on,
            "bias": self.bias,
            "weights": self.weights,
        } | ({"pieces": self.pieces} if self.pieces else {})
        return json.dumps(head, ensure_ascii=False) + "\n"


def chosen(part: Part, data: Path) -> list[tuple[Row, float]]:
    """Return the rows that a part takes, with their targets. Raises MissingSetError."""
    rows = ((row, part.target(row)) for row in SETS[part.set].rows(data)[:: part.every])
    return [(row, target) for row, target in rows if target is not None]


def train(recipe: Recipe, data: Path, embed: Embed) -> Trained:
    """Return the head of a recipe. Raises MissingSetError."""
    import numpy as np

    texts: list[str] = []
    questions: list[str] = []
    targets: list[float] = []
    weights: list[float] = []
    used = []
    for part in recipe.parts:
        rows = chosen(part, data)
        for row, target in rows:
            pieces = part.cut(row.text)
            texts += pieces
            questions += [row.question] * len(pieces)
            targets += [target] * len(pieces)
            weights += [part.weight / max(1, len(pieces))] * len(pieces)
        used.append(_used(part, rows))
    columns = np.array([recipe.columns(*one) for one in zip(texts, questions, strict=True)], np.float32)
    vectors = np.hstack([embed(texts), columns])
    matrix = design(vectors, texts if recipe.pieces else ())
    point = fitted(matrix, np.array(targets), np.array(weights), recipe.ridge)
    numbers = tuple(round(float(value), WEIGHT_DIGITS) + 0.0 for value in point)
    width = vectors.shape[1]
    return Trained(numbers[:width], numbers[-1], tuple(used), numbers[width:-1])


def _used(part: Part, rows: Sequence[tuple[Row, float]]) -> Mapping[str, Any]:
    return {
        "set": part.set,
        "licence": SETS[part.set].licence,
        "rows": len(rows),
        "positives": sum(target > 0.5 for _, target in rows),
        "sha256": digest(row for row, _ in rows),
    }


class UnknownHeadError(ValueError):
    """There is no recipe for a head of that name; the message names those that there are."""


def write_heads(data: Path, names: Sequence[str], output: Path | None = None) -> Iterator[Path]:
    """Train the heads of these names (all, where there are none) and yield each file that was written."""
    from modelward.job.minilm import embed

    if unknown := [name for name in names if name not in RECIPES]:
        raise UnknownHeadError(f"there is no head {', '.join(unknown)}; known are {', '.join(RECIPES)}")
    _expect_sets(names or tuple(RECIPES), data)
    folder = output or Path(str(resources.files(PACKAGE) / FOLDER))
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or tuple(RECIPES):
        recipe = RECIPES[name]
        path = folder / f"{name}.json"
        path.write_text(train(recipe, data, embed).document(name, recipe.ridge), encoding="utf-8")
        yield path


def _expect_sets(names: Sequence[str], data: Path) -> None:
    """Raise MissingSetError that names every set which is not there, before any head takes its minutes."""
    missing: list[str] = []
    for name in dict.fromkeys(part.set for head in names for part in RECIPES[head].parts):
        try:
            SETS[name].rows(data)
        except MissingSetError as error:
            missing.append(str(error))
    if missing:
        raise MissingSetError("\n".join(missing))
