"""What a changed policy would have done last week, in words and in a ribbon."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from modelward.api.preview import Preview, PreviewEpisode, PreviewSide
from modelward.console.charts.shapes import SvgElement, label, line, percent, rect
from modelward.console.charts.timeline import Timeline, span_text
from modelward.console.pages.links import LogRow
from modelward.console.pages.moment import moment
from modelward.console.text import plural, share


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a difference: added, removed, or around."""

    sign: str
    text: str


@dataclass(frozen=True, slots=True)
class Ribbon:
    """A week with a block for each time that it would have fired."""

    title: str
    note: str
    shapes: tuple[SvgElement, ...]
    says: str


@dataclass(frozen=True, slots=True)
class ShownPreview:
    """What the change would have done."""

    fired: str
    """Empty where the changed policy cannot be read."""
    now: str
    times: str
    ribbons: tuple[Ribbon, ...]
    episodes: tuple[LogRow, ...]
    problems: tuple[str, ...]
    seen: str
    diff: tuple[DiffLine, ...]
    yaml: str


def shown_preview(found: Preview, old: str, new: str, now_ms: int) -> ShownPreview:
    """Return what the hub found; `old` and `new` are the policies as YAML."""
    week = Timeline(found.from_ms, found.to_ms)
    ribbons = []
    if found.now:
        ribbons.append(_ribbon("Now", found.now, week, "f3"))
    if found.then:
        ribbons.append(_ribbon("Changed", found.then, week, "f1"))
    seen = found.seen_ppm
    return ShownPreview(
        fired=_fired(found.then, found),
        now=_fired(found.now, found),
        times="time" if found.then and found.then.fired == 1 else "times",
        ribbons=tuple(ribbons),
        episodes=tuple(_episode(one, now_ms) for one in found.then.episodes) if found.then else (),
        problems=found.problems,
        seen=""
        if seen is None or seen >= 999_000
        else f"{share(1 - seen / 1e6)} of the time was not watched; nothing is said about it.",
        diff=tuple(_diff(old, new)),
        yaml=new,
    )


def _fired(side: PreviewSide | None, found: Preview) -> str:
    if side is None:
        return ""
    return f"at least {side.fired:,}" if found.cut else f"{side.fired:,}"


def _diff(old: str, new: str) -> list[DiffLine]:
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=1)
    return [
        DiffLine({"+": "p", "-": "m"}.get(one[:1], ""), one)
        for one in lines
        if not one.startswith(("---", "+++", "@@"))
    ]


def _episode(one: PreviewEpisode, now_ms: int) -> LogRow:
    end = one.until_ms or now_ms
    lasted = span_text(end - one.since_ms)
    how = "closed without evidence" if one.closed else "lasted" if one.until_ms else "fires still, for"
    told = f" To {', '.join(one.told)}." if one.told else ""
    return LogRow(
        moment(one.since_ms, now_ms),
        {"Critical": "Unhealthy", "Warning": "Degraded"}.get(one.severity, "Info"),
        f"{one.endpoint} {one.alert}",
        f"{how} {lasted}",
        f"{one.message}{told}",
    )


def _ribbon(title: str, side: PreviewSide, week: Timeline, style: str) -> Ribbon:
    shapes: list[SvgElement] = []
    for tick in week.ticks(8):
        x = percent(tick.share)
        day = tick.text.split(" ")[0]
        shapes += [line("g", x, 0, x, 26), label("", x, 40, day, "start" if tick.share < 0.94 else "end")]
    shapes.append(line("z", 0, 21.5, "100%", 21.5))
    for one in side.episodes:
        start = week.share(one.since_ms)
        end = week.share(one.until_ms if one.until_ms is not None else week.to_ms)
        shapes.append(rect(style, percent(start), 5, percent(max(end - start, 0.007)), 16))
    return Ribbon(title, plural(side.fired, "episode"), tuple(shapes), f"{title}: {plural(side.fired, 'episode')}")
