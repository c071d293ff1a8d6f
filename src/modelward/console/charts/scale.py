"""The vertical axis: round numbers from zero."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Axis:
    """Zero to `top` over `height` pixels, with its round numbers; `form` writes one."""

    top: float
    ticks: tuple[float, ...]
    height: float
    form: Callable[[float], str]

    def y(self, value: float) -> float:
        """Return the place of a value, from the top; outside values stand at the ends."""
        return self.height - self.height * min(max(value / self.top, 0.0), 1.0)

    def ys(self, values: Iterable[float | None]) -> list[float]:
        """Return the places of many values, of 0 where one is not known."""
        height, top = self.height, self.top
        return [height - height * min(max((one or 0.0) / top, 0.0), 1.0) for one in values]


def axis(values: Iterable[float | None], height: float, form: Callable[[float], str], most: float = math.inf) -> Axis:
    """Return the axis that holds all values with a little room, and no more than `most`."""
    largest = max((one for one in values if one is not None), default=0.0)
    if largest <= 0:
        return Axis(1.0, (0.0,), height, form)
    step = round_step(largest / 2)
    top = min(largest * 1.08, max(most, largest))
    count = int(top / step + 1e-9)
    return Axis(top, tuple(step * index for index in range(count + 1)), height, form)


def round_step(rough: float) -> float:
    """Return the largest of 1, 2, 2.5, 5 times a power of ten that is no more than a rough step."""
    power = 10.0 ** math.floor(math.log10(rough))
    return max(one * power for one in STEPS if one * power <= rough * (1 + 1e-9))
