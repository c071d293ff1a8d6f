"""A healthy fleet is quiet: the simulation of bench/verdicts, whole."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

BENCH = Path(__file__).parents[3] / "bench" / "verdicts"


def test_healthy_endpoints_do_not_alert_for_thirty_days() -> None:
    sys.path.insert(0, str(BENCH))
    try:
        found = importlib.import_module("sim_alerts").fleet(300, 30)
    finally:
        sys.path.remove(str(BENCH))
    assert found["Critical"] <= 1
    assert found["Warning"] <= 10
