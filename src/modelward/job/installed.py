"""Which evaluators this process has: our own, and those of installed packages."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from modelward.desired.evaluators import EvaluatorBlock, ResolvedEvaluator
from modelward.desired.finding import Finding
from modelward.evaluate import kinds
from modelward.evaluate.builtin_evaluator import BuiltinEvaluator
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.evaluate.evaluators.topic_scope import TopicConfig
from modelward.evaluate.kinds.builtin import BuiltinKind
from modelward.evaluate.kinds.kind import EvaluatorKind
from modelward.reasons.checks import CheckReason

log = logging.getLogger(__name__)
GROUP = "modelward.evaluators"
"""Of entry points that name a module or a package: every `EVALUATORS` in it counts."""
OWN = EntryPoint("modelward", "modelward.evaluate.evaluators", GROUP)
"""Taken even where the installed metadata does not have it, as that of an editable install made before."""


class UnknownEvaluatorError(ValueError):
    """There is no evaluator of that name, or its configuration is wrong; the message says which."""


@cache
def builtins() -> Mapping[str, BuiltinEvaluator[Any]]:
    """Return the built-in evaluators of this process by name, those of installed packages too, found once."""
    return evaluators(entry_points(group=GROUP))


@cache
def catalogue() -> EvaluatorCatalogue:
    """Return all kinds of evaluators, found once in a process."""
    found: list[EvaluatorKind] = [BuiltinKind(builtins())]
    found += [module.KIND for module in _modules(kinds) if hasattr(module, "KIND")]
    return EvaluatorCatalogue({kind.name: kind for kind in found})


def topic_evaluators() -> frozenset[str]:
    """Return the names of the built-in evaluators that judge by a scope."""
    known = evaluators(entry_points(group=GROUP))
    return frozenset(name for name, one in known.items() if issubclass(one.manifest.config, TopicConfig))


def resolved(block: EvaluatorBlock, known: EvaluatorCatalogue) -> ResolvedEvaluator:
    """Return an evaluator that can score. Raises UnknownEvaluatorError."""
    found = known.resolve(block)
    if not isinstance(found, Finding):
        return found
    names = known.names(block.kind)
    if found.reason == CheckReason.UNKNOWN_EVALUATOR and names:
        raise UnknownEvaluatorError(f"no built-in evaluator {block.name!r}; there are {', '.join(names)}")
    raise UnknownEvaluatorError(f"{block.name}: {found.message}")


def evaluators(points: Iterable[EntryPoint]) -> Mapping[str, BuiltinEvaluator[Any]]:
    """Return the built-in evaluators by name: ours, and those of these entry points that take no name of another."""
    found: dict[str, BuiltinEvaluator[Any]] = {one.manifest.name: one for one in defined_by(OWN)}
    for point in sorted((one for one in points if one.value != OWN.value), key=lambda one: (one.name, one.value)):
        for one in _of_others(point):
            if found.setdefault(one.manifest.name, one) is not one:
                log.error("evaluator=left_out name=%s entry_point=%s cause=NameTaken", one.manifest.name, point.name)
    return found


def _of_others(point: EntryPoint) -> list[BuiltinEvaluator[Any]]:
    """Load what a package adds; one that cannot be loaded costs us its own evaluators only."""
    try:
        return list(defined_by(point))
    except Exception as error:  # noqa: BLE001  # code of others
        log.error("evaluators=left_out entry_point=%s cause=%s", point.name, type(error).__name__)
        return []


def defined_by(point: EntryPoint) -> Iterator[BuiltinEvaluator[Any]]:
    """Yield the evaluators of an entry point's module and of those in it; raises what importing them raises."""
    for module in _modules(import_module(point.value)):
        for one in getattr(module, "EVALUATORS", ()):
            if not isinstance(one, BuiltinEvaluator):
                raise TypeError(f"{module.__name__}.EVALUATORS holds a {type(one).__name__}")
            yield one


def _modules(root: ModuleType) -> Iterator[ModuleType]:
    yield root
    for one in sorted(iter_modules(getattr(root, "__path__", ())), key=lambda one: one.name):
        yield import_module(f"{root.__name__}.{one.name}")
