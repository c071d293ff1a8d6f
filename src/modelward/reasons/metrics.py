"""Reasons of MetricsAvailable: whether fresh numbers come from all pods."""

from __future__ import annotations

from modelward.engines.registry import ENGINES
from modelward.reasons.reason import Reason, ReasonTable

_SILENT = ", ".join(f"`{name}`" for name, engine in ENGINES.items() if engine.metrics_path is None)


class MetricsReason(ReasonTable, kind="LLMEndpoint", conditions=("MetricsAvailable",)):
    """Why numbers come or do not."""

    FRESH = Reason("Fresh", "every pod gave numbers within 30 s")
    NO_PODS = Reason("NoPods", "there is no pod to read", "see `WorkloadReady`", "look at `WorkloadReady`")
    ENGINE_EXPORTS_NOTHING = Reason(
        "EngineExportsNothing",
        "no metrics can come",
        f"mode `ScrapeOnly` with an engine that has no metrics page ({_SILENT})",
        "`collector.mode: Sidecar` or `Gateway`",
    )
    MISSING = Reason(
        "Missing",
        "no page can be read: none was yet, or it has no metrics, is too large or too slow; the message says which",
        "metrics are turned off in the engine, `engine` is another one, or a release of it renamed its metrics",
        "set `spec.engine` as the message says; turn metrics on (llama.cpp: `--metrics`)",
    )
    STALE = Reason(
        "Stale",
        "there were numbers, and for 30 s there were none",
        "the operator is busy, or was just started",
        "`kubectl logs -n modelward-system deploy/modelward`",
    )
    PARTIAL_SIGNALS = Reason(
        "PartialSignals",
        "pages are read, but pods lack numbers that they gave within the last hour or that their page names",
        "NaN or negative values, a renamed metric, or an engine whose page its collector cannot read any more",
        "look at the metrics page of the pod that the message names; what is not known is `Unknown` in each check",
    )
    PARTIAL_PODS = Reason(
        "PartialPods", "some pods give numbers", "the message says why another does not", "look at that pod"
    )
    SCRAPE_BLOCKED = Reason(
        "ScrapeBlocked",
        "the connection is refused or times out; the message has address and port",
        "a NetworkPolicy, or a mesh that insists on mTLS",
        "let the operator reach port 18081 of the pods (`ScrapeOnly`: the engine's port)",
    )
