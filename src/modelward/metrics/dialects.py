"""An engine's page under the names that all engines share, so that nothing above this file knows an engine by name."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import cache

from modelward.engines.engine import SILENT, Dialect
from modelward.engines.registry import ENGINES, GENERIC, engine_named
from modelward.metrics.exposition import Families, Sample, countable

WAITING = "modelward_engine_requests_waiting"
RUNNING = "modelward_engine_requests_running"
KV_CACHE_USAGE = "modelward_engine_kv_cache_usage_ratio"
REQUESTS = "modelward_engine_requests_total"
PROMPT_TOKENS = "modelward_engine_prompt_tokens_total"
GENERATION_TOKENS = "modelward_engine_generation_tokens_total"
NEUTRAL_NAMES = (WAITING, RUNNING, KV_CACHE_USAGE, REQUESTS, PROMPT_TOKENS, GENERATION_TOKENS)


@cache
def _words(names: Dialect) -> frozenset[str]:
    found = {name for part in fields(names) if isinstance(value := getattr(names, part.name), tuple) for name in value}
    return frozenset(found | {f"{name}_bucket" for name in found})


def speaking() -> Mapping[str, Dialect]:
    """The engines that export something, with what they call it."""
    return {name: engine.dialect for name, engine in ENGINES.items() if engine.dialect != SILENT}


def speakers(families: Families) -> tuple[str, ...]:
    """The engines of whose names the page has at least one."""
    return tuple(engine for engine, names in speaking().items() if not _words(names).isdisjoint(families.samples))


def dialect(engine: str, families: Families) -> Dialect:
    """An engine's names for its page; those of an engine that exports nothing are empty.

    A generic engine is taken for the only one whose names the page has; for none, where it has those of several.
    """
    return engine_named(recognised(engine, families)).dialect


def recognised(engine: str, families: Families) -> str:
    """What a page is taken for: the engine that is declared, a generic one for the only one whose names it has."""
    heard = speakers(families) if engine == GENERIC else ()
    return heard[0] if len(heard) == 1 else engine


def engine_name(declared: str, heard: Iterable[str], before: str) -> str:
    """Return which engine serves an endpoint: the declared one, or what the pages of a generic one were taken for.

    Of pods that differ, as in a roll-out to another engine, most decide. What was recognised `before` stands while no
    page says anything else.
    """
    if declared != GENERIC:
        return declared
    counted = Counter(sorted(name for name in heard if name in speaking()))
    return counted.most_common(1)[0][0] if counted else before or GENERIC


def first(families: Families, names: tuple[str, ...]) -> tuple[Sample, ...]:
    """The series of the first of these names that the page has."""
    return next((found for name in names if (found := families.of(name))), ())


def added_up(values: Iterable[float]) -> float:
    """The sum, NaN as soon as one of the values is none: the others alone would be taken for the whole."""
    found = tuple(values)
    return math.fsum(found) if all(map(countable, found)) else math.nan


def neutral(families: Families, engine: str) -> Mapping[str, float]:
    """An engine's page under the neutral names, summed over models and ranks; what it does not export is absent.

    So is what it gives no number for (NaN, infinite, negative) in any of its series: the rest is not the whole.
    """
    return {name: value for name, value in named(families, engine).items() if not math.isnan(value)}


def named(families: Families, engine: str) -> Mapping[str, float]:
    """The same, with NaN where the engine names a signal and gives no number for it.

    Cache usage is a ratio from 0 to 1, the highest of all ranks: the fullest one is where requests start to wait.
    """
    names = dialect(engine, families)
    sums = {
        WAITING: names.waiting,
        RUNNING: names.running,
        REQUESTS: names.requests,
        PROMPT_TOKENS: names.prompt_tokens,
        GENERATION_TOKENS: names.generation_tokens,
    }
    values = {
        name: added_up(sample.value for sample in found)
        for name, sources in sums.items()
        if (found := first(families, sources))
    }
    usage = first(families, names.kv_cache_usage)
    if usage:
        whole = all(countable(sample.value) for sample in usage)
        values[KV_CACHE_USAGE] = min(1.0, max(sample.value for sample in usage)) if whole else math.nan
    return values
