"""The points of a chart: rows of any step, added up into equal spans of time before anything is computed of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from modelward.hub.history.reading import Segment
from modelward.hub.history.record import ENDPOINT, combined

GroupKey: TypeAlias = tuple[str, ...]
"""What a line is of: a revision, a model, a policy with an objective; empty for the endpoint as a whole."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Points at `from_ms + n * step_ms`."""

    from_ms: int
    step_ms: int
    count: int

    @property
    def at_ms(self) -> tuple[int, ...]:
        """When each point begins."""
        return tuple(self.from_ms + n * self.step_ms for n in range(self.count))


def grid_of(from_ms: int, to_ms: int, tier_ms: int, points: int) -> Grid:
    """Return at most so many points over a time, each a whole number of a tier's rows."""
    first = from_ms // tier_ms * tier_ms
    rows = max(1, -(-(to_ms - first) // tier_ms))
    step_ms = -(-rows // max(1, points)) * tier_ms
    return Grid(first, step_ms, -(-rows * tier_ms // step_ms))


@dataclass(slots=True)
class Points:
    """Sums by group, field and point; a field that no row has is absent."""

    grid: Grid
    sums: dict[tuple[GroupKey, str], list[int]] = field(default_factory=dict)

    def of(self, group: GroupKey, name: str) -> list[int]:
        """Return a field of a group, 0 at every point where there is none."""
        return self.sums.get((group, name)) or [0] * self.grid.count

    def groups(self) -> list[GroupKey]:
        """Return all groups but the endpoint's own."""
        return sorted({group for group, _ in self.sums if group})

    def add(self, segments: Iterable[Segment], group_of: Callable[[str], GroupKey | None]) -> None:
        """Add rows; `group_of` a label says where it counts, None for nowhere."""
        groups: dict[str, GroupKey | None] = {ENDPOINT: ()}
        for segment in segments:
            runs = self._runs(segment)
            for (text, name), values in segment.rows.columns.items() if runs else ():
                group = groups[text] if text in groups else groups.setdefault(text, group_of(text))
                if group is not None:
                    self._add_column(group, name, values, runs)

    def _add_column(self, group: GroupKey, name: str, values: list[int], runs: list[tuple[int, int, int]]) -> None:
        sums = self.sums.get((group, name))
        if sums is None:
            sums = self.sums[group, name] = [0] * self.grid.count
        if name.endswith((".min", ".max")):
            for point, start, end in runs:
                for value in values[start:end]:
                    sums[point] = combined(name, sums[point], value)
        else:
            for point, start, end in runs:
                sums[point] += values[start] if end - start == 1 else sum(values[start:end])

    def _runs(self, segment: Segment) -> list[tuple[int, int, int]]:
        """Return for each point which rows of the segment lie in it: from, to."""
        grid, runs = self.grid, list[tuple[int, int, int]]()
        begun = -1
        for number, place in enumerate(segment.rows.at):
            point = (segment.start_ms + place * segment.step_ms - grid.from_ms) // grid.step_ms
            if not 0 <= point < grid.count:
                continue
            if point == begun:
                runs[-1] = (point, runs[-1][1], number + 1)
            else:
                runs.append((point, number, number + 1))
                begun = point
        return runs
