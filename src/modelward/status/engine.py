"""Which engine serves an endpoint: the declared one, or what a generic one is recognised as by its metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from modelward.engines.registry import GENERIC
from modelward.metrics.dialects import speaking
from modelward.metrics.snapshot import Snapshot


def engine_name(declared: str, pages: Iterable[Snapshot], before: str) -> str:
    """Return the engine's name, `generic` where it is not recognised.

    Of pods that differ, as in a roll-out to another engine, most decide. What was recognised `before` stands while no
    page says anything else.
    """
    if declared != GENERIC:
        return declared
    heard = Counter(sorted(page.engine for page in pages if page.engine in speaking()))
    return heard.most_common(1)[0][0] if heard else before or GENERIC
