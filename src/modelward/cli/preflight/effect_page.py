"""What `modelward preflight` prints: one headline for each object, and below it why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from modelward.cli.preflight.effect import Effect, exit_code
from modelward.reasons.accepted import AcceptedReason

_ACCEPTED = frozenset({AcceptedReason.TARGET_NOT_FOUND, AcceptedReason.TARGET_AMBIGUOUS})
"""The API server takes the object; the operator waits until it can be carried out."""
_COLOUR = {"Nothing": "green", "Creates": "green", "Rolls": "yellow", "Refused": "red"}


def page(effects: Sequence[Effect]) -> RenderableType:
    """Return the effects for people at a terminal."""
    parts: list[RenderableType] = []
    for effect in effects:
        colour = f"bold {_COLOUR[effect.outcome]}"
        named = f"{effect.kind} {effect.namespace}/{effect.name}: "
        parts.append(Text.assemble(named, (headline(effect), colour)))
        why = () if effect.outcome == "Rolls" else (effect.why,)  # there it stands in the headline
        parts += [Padding(Text(line), (0, 0, 0, 4)) for line in (*why, *effect.notes) if line]
    parts.append(Text(summary(effects), "bold"))
    return Group(*parts)


def document(effects: Sequence[Effect]) -> dict[str, Any]:
    """Return the effects for programs; `exitCode` is the command's own."""
    return {
        "exitCode": exit_code(effects),
        "restarts": sum(effect.restarts for effect in effects),
        "effects": [{**asdict(effect), "notes": list(effect.notes)} for effect in effects],
    }


def headline(effect: Effect) -> str:
    """Return what becomes of the pods in a sentence."""
    if effect.outcome == "Refused":
        return f"not carried out, {effect.reason}" if effect.reason in _ACCEPTED else f"refused, {effect.reason}"
    if effect.outcome == "Creates":
        return f"creates {_pods(effect.starts)}, 0 pods restart"
    scaled = (f"; {_pods(effect.starts)} more" if effect.starts else "") + (
        f"; {_pods(effect.stops)} fewer" if effect.stops else ""
    )
    if effect.outcome == "Rolls":
        rolls = "rolls" if effect.restarts == 1 else "roll"
        return f"{_pods(effect.restarts)} {rolls} once, because {effect.why}{scaled}"
    return f"0 pods restart{scaled}"


def summary(effects: Sequence[Effect]) -> str:
    """Return the last line."""
    refused = sum(effect.outcome == "Refused" for effect in effects)
    restarts = sum(effect.restarts for effect in effects)
    words = f"{_pods(restarts)} of model servers would restart"
    return f"{words}, {refused} of {len(effects)} objects refused" if refused else words


def _pods(count: int) -> str:
    return f"{count} pod" if count == 1 else f"{count} pods"
