"""What is known of a scope before anything is judged by it: its threshold, and how many of its own questions fall out.

A Job finds it once per scope, the hub keeps it, and the operator reports it. It has numbers and positions in the
configuration, and no text of either the configuration or an exchange.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from modelward.api.exchange import real_number, whole_number

FORM = 1
"""Of the JSON; another one is not read, and the scope is checked again."""
MAX_LINES = 64
MAX_EXAMPLES = 200
_KEY = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class ScopeFacts:
    """A scope's threshold on the margin, and what it does with questions that are known.

    Questions in scope are the `examples` and `templates` made of the parts of lines. `examples_out` and `lines_out` are
    positions in the configuration: of examples that fall out, and of lines with a template that does; `templates_out`
    counts such templates. `caught` is the share of `probes`, known questions of others, below the threshold, `lost`
    the share of questions in scope; None where there are too few examples to tell.
    """

    threshold: float
    examples: int
    examples_out: tuple[int, ...]
    templates: int
    templates_out: int
    lines_out: tuple[int, ...]
    probes: int
    caught: float | None
    lost: float | None

    @property
    def questions(self) -> int:
        """How many questions in scope were tried."""
        return self.examples + self.templates

    @property
    def fallen(self) -> int:
        """How many of them fall out."""
        return len(self.examples_out) + self.templates_out


def is_scope_key(text: str) -> bool:
    """Return whether a text may be the key of a scope: 32 hexadecimal digits, and so safe as a path."""
    return _KEY.fullmatch(text) is not None


def scope_facts_to_json(facts: ScopeFacts) -> dict[str, Any]:
    """Return the facts as JSON of at most about 2 kB; the inverse of `scope_facts_from_json`."""
    return {"form": FORM, **asdict(facts)}


def scope_facts_from_json(data: Mapping[str, Any]) -> ScopeFacts:
    """Build facts from decoded JSON; unknown keys are ignored. ValueError when they are none, or of another form."""
    try:
        if whole_number(data["form"]) != FORM:
            raise ValueError(f"facts of a scope have form {FORM}")
        facts = ScopeFacts(
            threshold=real_number(data["threshold"]),
            examples=_count(data["examples"]),
            examples_out=_positions(data["examples_out"], MAX_EXAMPLES),
            templates=_count(data["templates"]),
            templates_out=_count(data["templates_out"]),
            lines_out=_positions(data["lines_out"], MAX_LINES),
            probes=_count(data["probes"]),
            caught=_share(data["caught"]),
            lost=_share(data["lost"]),
        )
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"no facts of a scope: {type(error).__name__}: {error}") from error
    if len(facts.examples_out) > facts.examples or facts.templates_out > facts.templates:
        raise ValueError("more questions fall out than there are")
    if (facts.caught is None) != (facts.lost is None) or not math.isfinite(facts.threshold):
        raise ValueError("a threshold is finite, and shares are known together")
    return facts


def _count(value: Any) -> int:
    if (number := whole_number(value)) < 0:
        raise ValueError("counts are not negative")
    return number


def _positions(values: Any, below: int) -> tuple[int, ...]:
    found = tuple(sorted({whole_number(one) for one in list(values)[:below]}))
    if found and not 0 <= found[0] <= found[-1] < below:
        raise ValueError(f"positions are from 0 to {below - 1}")
    return found


def _share(value: Any) -> float | None:
    if value is None:
        return None
    if not 0 <= (share := real_number(value)) <= 1:
        raise ValueError("shares are from 0 to 1")
    return share
