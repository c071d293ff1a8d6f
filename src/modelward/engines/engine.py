"""What there is to know of a model server, so that nothing else knows an engine by name."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Dialect:
    """One engine's names: per signal the sample names to try in turn, empty where the engine has no such signal.

    Where an engine renamed a metric, both names are listed, the newer first: the first one on the page counts. A
    counter may be a histogram's `_sum` or `_count`. `failures` is the counter whose `outcome_label` says how a request
    ended badly: as one of `cancelled_outcomes`, `client_error_outcomes` or `overload_outcomes`, or as an error (any
    other one where `error_outcomes` is None). An engine without names for the callers' errors does not count them.
    """

    waiting: tuple[str, ...] = ()
    running: tuple[str, ...] = ()
    kv_cache_usage: tuple[str, ...] = ()
    requests: tuple[str, ...] = ()
    prompt_tokens: tuple[str, ...] = ()
    generation_tokens: tuple[str, ...] = ()
    time_to_first_token: tuple[str, ...] = ()
    time_per_output_token: tuple[str, ...] = ()
    duration: tuple[str, ...] = ()
    model_label: str = "model_name"
    failures: tuple[str, ...] = ()
    outcome_label: str = ""
    error_outcomes: frozenset[str] | None = None
    cancelled_outcomes: frozenset[str] = field(default_factory=frozenset)
    client_error_outcomes: frozenset[str] = field(default_factory=frozenset)
    overload_outcomes: frozenset[str] = field(default_factory=frozenset)


SILENT = Dialect()
"""Of an engine that exports nothing, or nothing that is known."""


@dataclass(frozen=True, slots=True)
class Engine:
    """One value of `spec.engine`.

    `title` is how its makers write it; `metrics_path` is None where it has no metrics page; without `health_path` a
    pod that we run is ready as soon as its port accepts connections.
    """

    name: str
    title: str
    dialect: Dialect = SILENT
    metrics_path: str | None = None
    health_path: str | None = None
