"""With the timing that ships a fault is told to a platform's receiver within 90 s, whenever in a round it begins."""

from __future__ import annotations

import pytest
from alert_clockwork import told_after_s

PROMISED_S = 90.0


@pytest.mark.parametrize("phase_s", [0, 5, 10, 14])
async def test_a_fault_is_told_within_90_seconds(phase_s: int) -> None:
    took_s = await told_after_s(phase_s)
    assert took_s is not None
    assert 30.0 <= took_s <= PROMISED_S, "it waits for others of its group, and no longer than is promised"
