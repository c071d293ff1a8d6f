"""What several tests of the collector need."""

from __future__ import annotations

import pytest

from modelward.collector import downstream, exchange_observer, upstream


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock by which exchanges are measured, in seconds: a list of one number that the test moves."""
    now = [1_000.0]
    for module in (downstream, exchange_observer, upstream):
        monkeypatch.setattr(module, "clock", lambda: now[0])
    return now
