"""How long messages took, in a few numbers."""

from __future__ import annotations

from typing import Any


def quantiles(took: list[float], of: int) -> dict[str, Any]:
    """Return median, 95th percentile and the most of some seconds, and how many of all there are."""
    ordered = sorted(took)
    if not ordered:
        return {"told": 0, "of": of}
    at = {q: ordered[min(len(ordered) - 1, round(q * (len(ordered) - 1)))] for q in (0.5, 0.95)}
    found = {"p50_s": round(at[0.5], 2), "p95_s": round(at[0.95], 2), "most_s": round(ordered[-1], 2)}
    return {"told": len(ordered), "of": of, **found}
