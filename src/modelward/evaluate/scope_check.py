"""How well a scope tells its own questions from others, found before anything is judged by it.

A scope is sentences that say what an endpoint is for, and examples that a person approved. What counts as near it
differs from scope to scope: a threshold that suits six detailed sentences loses a quarter of the questions that one
vague sentence meant. So the threshold is set for each scope: as a conformal quantile of its examples' own scores
(Vovk, Gammerman, Shafer 2005; leave-one-out), or, without enough of them, in the middle of known questions of others.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EXAMPLE_WEIGHT = 0.9
"""An example says less about the scope than a sentence does."""
RIVAL_WEIGHT = 0.25
"""How much the nearest known question of others takes from a score."""
LEFT_OUT = 5
"""Subjects nearest to the scope that are no rivals, because they may be what the endpoint is for."""
MIN_EXAMPLES = 20
"""Fewer cannot tell how many questions in scope fall out."""
FALL_OUT = 0.03
"""Share of questions in scope that may fall out; with fewer than 66 examples it is one in their number and one."""
WIDTH = 0.05
"""Of the logistic curve from a margin to a score in [0, 1]."""
TEMPLATES = ("I have a question about {}.", "I have a problem with {}.", "How does it work with {}?")
METHOD = (1, EXAMPLE_WEIGHT, RIVAL_WEIGHT, LEFT_OUT, MIN_EXAMPLES, FALL_OUT, TEMPLATES)
"""What a threshold rests on beside its scope; the first number goes up when the arithmetic here changes."""
_PARTS = re.compile(r"\s*(?:,|;|\band\b|\bor\b)\s*", re.IGNORECASE)
MIN_PART_CHARS = 3


@dataclass(frozen=True, slots=True)
class ScopeVectors:
    """Embeddings, float32 [n, d] of unit norm: of sentences, examples and the probes of `subjects`, one each.

    `templates` are those of `template_questions`; without examples `examples` is [0, d].
    """

    sentences: NDArray[np.float32]
    examples: NDArray[np.float32]
    templates: NDArray[np.float32]
    probes: NDArray[np.float32]
    subjects: Sequence[str]


@dataclass(frozen=True, slots=True)
class ScopeCheck:
    """What a check finds: a scope's threshold on the margin, and which questions fall on which side of it.

    `examples_out` and `templates_out` are the positions of those that fall out, although they are in scope. `caught` is
    the share of known questions of others below the threshold, `lost` the share of questions in scope; both are None
    where there are too few examples to tell.
    """

    threshold: float
    examples: int
    examples_out: tuple[int, ...]
    templates: int
    templates_out: tuple[int, ...]
    probes: int
    caught: float | None
    lost: float | None


def scores(threshold: float, margins: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how much on topic each margin is, in [0, 1]: 0.5 at the threshold."""
    import numpy as np

    found: NDArray[np.float32] = 1.0 / (1.0 + np.exp(-(margins - threshold) / WIDTH))
    return found


def margin_of(threshold: float, score: float) -> float:
    """Return the margin that has this score; infinite for 0 and 1."""
    if not 0.0 < score < 1.0:
        return math.inf if score else -math.inf
    return threshold + WIDTH * math.log(score / (1.0 - score))


@dataclass(frozen=True, slots=True)
class Scope:
    """A scope ready to measure questions by; vectors are centred on the mean of the probes, and of unit norm again."""

    centre: NDArray[np.float32]
    sentences: NDArray[np.float32]
    examples: NDArray[np.float32]
    rivals: NDArray[np.float32]
    rival_subjects: tuple[str, ...]

    def margins(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return for each question [n, d] how much nearer it is to the scope than to what others ask."""
        rows = _centred(vectors, self.centre)
        found: NDArray[np.float32] = self._near(rows, rows @ self.examples.T) - RIVAL_WEIGHT * _best(
            rows @ self.rivals.T
        )
        return found

    def _near(self, rows: Any, to_examples: Any) -> Any:
        import numpy as np

        return np.maximum(_best(rows @ self.sentences.T), EXAMPLE_WEIGHT * _best(to_examples))

    def own_margins(self) -> NDArray[np.float32]:
        """Return the margin of each example to the scope without itself."""
        import numpy as np

        to_examples = self.examples @ self.examples.T
        np.fill_diagonal(to_examples, -1.0)
        found: NDArray[np.float32] = self._near(self.examples, to_examples) - RIVAL_WEIGHT * _best(
            self.examples @ self.rivals.T
        )
        return found

    def rival_margins(self) -> NDArray[np.float32]:
        """Return the margin of each rival, as of a question whose own subject is not known."""
        import numpy as np

        subjects = np.array(self.rival_subjects)
        others = np.where(subjects[:, None] == subjects[None, :], -1.0, self.rivals @ self.rivals.T)
        found: NDArray[np.float32] = self._near(self.rivals, self.rivals @ self.examples.T) - RIVAL_WEIGHT * _best(
            others
        )
        return found


def scope_of(vectors: ScopeVectors) -> Scope:
    """Make a scope of its vectors; the subjects nearest to its sentences and examples are no rivals."""
    import numpy as np

    centre = vectors.probes.mean(axis=0)
    sentences, examples, probes = (
        _centred(rows, centre) for rows in (vectors.sentences, vectors.examples, vectors.probes)
    )
    subjects = np.array(vectors.subjects)
    near = np.maximum(_best(probes @ sentences.T), EXAMPLE_WEIGHT * _best(probes @ examples.T))
    nearest = sorted(set(vectors.subjects), key=lambda one: (-float(near[subjects == one].mean()), one))[:LEFT_OUT]
    kept = ~np.isin(subjects, nearest)
    return Scope(centre, sentences, examples, probes[kept], tuple(str(one) for one in subjects[kept]))


def check(vectors: ScopeVectors) -> tuple[Scope, ScopeCheck]:
    """Set the threshold of a scope, and say what it does with questions that are known."""
    import numpy as np

    scope = scope_of(vectors)
    own, rivals = scope.own_margins(), scope.rival_margins()
    middle = float(np.median(rivals))
    count = len(own)
    calibrated = count >= MIN_EXAMPLES
    rank = max(1, int(FALL_OUT * (count + 1)))
    # A threshold below the middle of what others ask would catch less than half of it.
    threshold = max(middle, float(np.sort(own)[rank - 1])) if calibrated else middle
    examples_out = np.flatnonzero(own < threshold)
    templates_out = np.flatnonzero(scope.margins(vectors.templates) < threshold)
    return scope, ScopeCheck(
        threshold,
        count,
        tuple(int(i) for i in examples_out),
        len(vectors.templates),
        tuple(int(i) for i in templates_out),
        len(rivals),
        *(_rates(own, rivals, threshold) if calibrated else (None, None)),
    )


def _rates(own: Any, rivals: Any, threshold: float) -> tuple[float, float]:
    """Return the shares caught and lost; the lost one is the conformal p-value of the threshold."""
    return float((rivals < threshold).mean()), (int((own < threshold).sum()) + 1) / (len(own) + 1)


def rates_at(scope: Scope, threshold: float) -> tuple[float, float] | None:
    """Return the shares caught and lost at another threshold on the margin; None with too few examples."""
    own = scope.own_margins()
    return _rates(own, scope.rival_margins(), threshold) if len(own) >= MIN_EXAMPLES else None


def template_questions(sentences: Sequence[str]) -> list[str]:
    """Return questions that the parts of a scope's sentences make: if they fall out, the sentence is too crowded."""
    return [template.format(part) for part in _parts(sentences) for template in TEMPLATES]


def template_lines(sentences: Sequence[str]) -> list[int]:
    """Return for each of the template questions the position of the first sentence that it is made of."""
    return [place for place in _parts(sentences).values() for _ in TEMPLATES]


def _parts(sentences: Sequence[str]) -> Mapping[str, int]:
    """Return the parts of sentences, each with the position of the first sentence that has it."""
    found: dict[str, int] = {}
    for place, sentence in enumerate(sentences):
        for part in _PARTS.split(sentence.strip(" .")):
            if len(part) >= MIN_PART_CHARS:
                found.setdefault(part, place)
    return found


def _centred(rows: Any, centre: Any) -> Any:
    import numpy as np

    moved = rows - centre
    return moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)


def _best(similarities: Any) -> Any:
    """Return the greatest of each row; -1, the least that a cosine can be, for a row of none."""
    import numpy as np

    return similarities.max(axis=1) if similarities.shape[1] else np.full(len(similarities), -1.0, np.float32)
