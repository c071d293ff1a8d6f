"""Charts of an endpoint's history: outcomes, latencies, tokens, cost, replicas and quality over one time axis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from modelward.console.charts.layers import DrawnLimit, Pen, limit_line
from modelward.console.charts.scale import Axis, axis
from modelward.console.charts.shapes import SvgElement, at, label, path, percent
from modelward.console.charts.strip import PAD, Frame, LegendEntry, Mark, Strip
from modelward.console.charts.timeline import HOUR, MINUTE, Timeline, span_text
from modelward.console.charts.track import EMPTY, Track, TrackColumn
from modelward.console.pages.read_out import ReadColumn
from modelward.console.text import clock, count, duration, money, plain, share


@dataclass(frozen=True, slots=True)
class QualityTrack:
    """The history of one check: columns `value`, `low`, `high` (shares of 1) and `n`."""

    name: str
    evaluator: str
    track: Track
    limits: tuple[DrawnLimit, ...] = ()
    worse: str = "Above"
    cause: bool = False


@dataclass(frozen=True, slots=True)
class EndpointHistory:
    """All that is drawn of one endpoint; a track without rows is not drawn.

    Columns: `outcomes` ok, error, client_error, overload, cancelled (requests); `first_token`, `per_token` p50, p95,
    p99 (seconds); `tokens` input, output; `cost` cost (units of `currency`); `replicas` ready, desired.
    """

    line: Timeline
    outcomes: Track = EMPTY
    first_token: Track = EMPTY
    per_token: Track = EMPTY
    tokens: Track = EMPTY
    cost: Track = EMPTY
    replicas: Track = EMPTY
    quality: tuple[QualityTrack, ...] = ()
    health: tuple[tuple[int, int, str], ...] = ()
    marks: tuple[Mark, ...] = ()
    currency: str = ""
    limits: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    """Of `first_token` and `per_token`: the objective's bound in seconds, and its percentile."""


def strips(found: EndpointHistory, now_ms: int) -> tuple[tuple[Strip, ...], tuple[ReadColumn, ...]]:
    """Return the charts, the one that explains the state first, and the columns that the cursor reads."""
    frame = Frame(found.line, _all_gaps(found), found.marks)
    made = [_lane(found, frame, now_ms)]
    made += [_quality(one, frame) for one in sorted(found.quality, key=lambda one: not one.cause)]
    makers = (_outcomes, _first_token, _per_token, _tokens, _cost, _replicas)
    made += [one for maker in makers if (one := maker(found, frame)) is not None]
    return tuple(strip for strip, _ in made), tuple(column for _, columns in made for column in columns)


_Made = tuple[Strip, tuple[ReadColumn, ...]]


def _all_gaps(found: EndpointHistory) -> tuple[tuple[int, int], ...]:
    tracks = (found.outcomes, found.replicas)
    known = next((track for track in tracks if track.starts_ms), None)
    return known.gaps(found.line) if known else ()


def _lane(found: EndpointHistory, frame: Frame, now_ms: int) -> _Made:
    spans = [f"{state} from {clock(start, now_ms)}" for start, _, state in found.health[-6:]]
    gaps = [f"not watched {clock(a, now_ms)} to {clock(b, now_ms)}" for a, b in frame.gaps[:4]]
    marks = [f"{mark.text} {clock(mark.at_ms, now_ms)}" for mark in found.marks if mark.kind != "Scale"]
    entry = LegendEntry("", "", f"{clock(found.line.to_ms, now_ms)} (newest)", "at")
    unit = f"{span_text(found.line.span_ms)} to {clock(found.line.to_ms, now_ms)}"
    says = "; ".join([*spans, *gaps, *marks[:8]]) or "no state is known of this time"
    return Strip("Health", unit, (entry,), (), frame.lane(found.health), 52, says), ()


def _quality(one: QualityTrack, frame: Frame) -> _Made:
    track = one.track
    value, low, high = (track.column(name) for name in ("value", "low", "high"))
    bounds = [limit.value for limit in one.limits]
    scale = axis([*high, *value, *(bound * 1.6 for bound in bounds)], 88, share, most=1.0)
    pen = Pen(track, frame.line, scale)
    inner = [*limit_line(one.limits, pen, one.worse), *pen.band("fband", low, high), *pen.steps("l1", value)]
    columns = (
        ReadColumn(f"q-{one.name}", one.name, track, value, share),
        ReadColumn(f"i-{one.name}", f"{one.name}, 95 % interval", track, low, share, high),
    )
    legend = [
        LegendEntry("l1", "estimate", columns[0].newest(), columns[0].key, "line"),
        LegendEntry("fband", "95 % interval", columns[1].newest(), columns[1].key),
    ]
    legend += [LegendEntry("ll", "limit", share(bounds[-1]), "", "line")] if bounds else []
    judged = sum(n for n in track.column("n") if n)
    legend.append(LegendEntry("", "judged answers", f"n = {count(judged)}"))
    says = f"{one.name}: {columns[0].newest()}, 95 % interval {columns[1].newest()}"
    drawing = frame.drawing(scale, inner, named=True)
    height = scale.height + PAD + 6
    title = "Quality"
    return Strip(
        title,
        f"{one.name}, {one.evaluator or 'share at fault'}",
        tuple(legend),
        frame.axis(scale),
        drawing,
        height,
        says,
        one.cause,
    ), columns


_OUTCOMES = (
    ("ok", "f3", "served"),
    ("cancelled", "f5", "cut short by caller"),
    ("client_error", "f4", "caller’s error"),
    ("overload", "f2", "refused, no room"),
    ("error", "fb", "server error"),
)


def _outcomes(found: EndpointHistory, frame: Frame) -> _Made | None:
    track = found.outcomes
    if not track.starts_ms:
        return None
    minutes = track.step_ms / MINUTE
    layers = [(key, name, text, _scaled(track, key, 1 / minutes)) for key, name, text in _OUTCOMES]
    total = tuple(
        None if None in row else sum(x for x in row if x) for row in zip(*(one[3] for one in layers), strict=True)
    )
    scale = axis(total, 74, plain)
    inner = Pen(track, frame.line, scale).stack([(name, column) for _, name, _, column in layers])
    columns = tuple(ReadColumn(key, text, track, column, plain) for key, _, text, column in layers)
    legend = [
        LegendEntry(name, text, one.newest(), one.key) for (_, name, text, _), one in zip(layers, columns, strict=True)
    ]
    says = "Outcomes, requests a minute: " + ", ".join(f"{one.head} {one.newest()}" for one in columns)
    return _strip("Outcomes", "requests / min", reversed(legend), scale, frame, inner, says), columns


def _first_token(found: EndpointHistory, frame: Frame) -> _Made | None:
    return _latency("First token", "first_token", found.first_token, found, frame)


def _per_token(found: EndpointHistory, frame: Frame) -> _Made | None:
    return _latency("Per token", "per_token", found.per_token, found, frame)


def _latency(title: str, key: str, track: Track, found: EndpointHistory, frame: Frame) -> _Made | None:
    if not track.starts_ms:
        return None
    bound, percentile = found.limits.get(key, (0.0, 95))
    lines = (("p99", "l3"), ("p95", "l1"), ("p50", "l2"))
    highest = sorted(one for one in track.column("p99") if one is not None)
    usual = highest[int(len(highest) * 0.98)] if highest else None
    scale = axis([usual, max((one for one in track.column("p95") if one), default=None), bound * 1.15], 66, duration)
    pen = Pen(track, frame.line, scale)
    inner = limit_line([DrawnLimit(found.line.from_ms, bound)], pen) if bound else []
    inner += [shape for name, style in lines for shape in pen.curve(style, track.column(name))]
    columns = tuple(
        ReadColumn(f"{key}-{name}", f"{title} {name}", track, track.column(name), duration) for name, _ in lines
    )
    legend = [
        LegendEntry(style, name, one.newest(), one.key, "line")
        for (name, style), one in zip(lines, columns, strict=True)
    ]
    legend += [LegendEntry("ll", f"limit, p{percentile}", duration(bound), "", "line")] if bound else []
    says = f"{title}: " + ", ".join(f"{name} {one.newest()}" for (name, _), one in zip(lines, columns, strict=True))
    return _strip(title, "after merging, never averaged", legend, scale, frame, inner, says), columns


def _tokens(found: EndpointHistory, frame: Frame) -> _Made | None:
    track = found.tokens
    if not track.has("input") and not track.has("output"):
        return None
    minutes = track.step_ms / MINUTE
    layers = [("input", "f3", "in"), ("output", "f2", "out")]
    scaled = {key: _scaled(track, key, 1 / minutes) for key, _, _ in layers}
    total = tuple(None if None in row else sum(x for x in row if x) for row in zip(*scaled.values(), strict=True))
    scale = axis(total, 48, plain)
    inner = Pen(track, frame.line, scale).stack([(style, scaled[key]) for key, style, _ in layers])
    columns = tuple(ReadColumn(f"t-{key}", f"tokens {text}", track, scaled[key], plain) for key, _, text in layers)
    legend = [
        LegendEntry(style, text, one.newest(), one.key) for (_, style, text), one in zip(layers, columns, strict=True)
    ]
    says = "Tokens a minute: " + ", ".join(f"{one.head} {one.newest()}" for one in columns)
    return _strip("Tokens", "per min", reversed(legend), scale, frame, inner, says), columns


def _cost(found: EndpointHistory, frame: Frame) -> _Made | None:
    track = found.cost
    if not track.has("cost"):
        return None
    hourly = _scaled(track, "cost", HOUR / track.step_ms)
    scale = axis(hourly, 44, money)
    inner = Pen(track, frame.line, scale).bars("f3", hourly)
    column = ReadColumn("cost", f"cost, {found.currency} / h", track, hourly, money)
    total = sum(one for one in track.column("cost") if one)
    served = sum(one for one in found.outcomes.column("ok") if one)
    legend = [
        LegendEntry("f3", "per hour", column.newest(), "cost"),
        LegendEntry("", "shown time", f"{money(total)} {found.currency}"),
    ]
    legend += [LegendEntry("", "1,000 answers", f"{money(1000 * total / served)} {found.currency}")] if served else []
    says = f"Cost: {money(total)} {found.currency} in the time shown, {column.newest()} an hour at its end"
    return _strip("Cost", f"{found.currency} / hour, at that minute’s price", legend, scale, frame, inner, says), (
        column,
    )


def _replicas(found: EndpointHistory, frame: Frame) -> _Made | None:
    track = found.replicas
    if not track.has("ready") and not track.has("desired"):
        return None
    ready, desired = track.column("ready"), track.column("desired")
    scale = axis([*ready, *desired, 2], 46, plain)
    pen = Pen(track, frame.line, scale)
    floor = tuple(None if one is None else 0.0 for one in ready)
    inner = [*pen.band("fband", floor, ready), *pen.steps("ld", desired), *pen.steps("l1", ready)]
    over = [
        _decision(mark, frame, scale.height)
        for mark in found.marks
        if mark.kind == "Scale" and found.line.holds(mark.at_ms)
    ]
    columns = (
        ReadColumn("ready", "replicas ready", track, ready, plain),
        ReadColumn("desired", "replicas desired", track, desired, plain),
    )
    legend = [
        LegendEntry("l1", "ready", columns[0].newest(), "ready", "line"),
        LegendEntry("ld", "desired", columns[1].newest(), "desired", "line"),
    ]
    legend += [LegendEntry("", "decisions", str(len(over)))] if over else []
    says = f"Replicas: {columns[0].newest()} ready of {columns[1].newest()}; {len(over)} decisions, listed below"
    height = scale.height + PAD + 6
    drawing = frame.drawing(scale, inner, over)
    return Strip("Replicas", "each decision below", tuple(legend), frame.axis(scale), drawing, height, says), columns


def _decision(mark: Mark, frame: Frame, bottom: float) -> SvgElement:
    """Return a triangle that stands on the baseline and tells its decision."""
    down = mark.text.startswith("down")
    sign = path("up", "M0 5 5-4H-5Z" if down else "M0-5 5 4H-5Z")
    told = SvgElement(sign.tag, sign.attributes, inside=(SvgElement("title", {}, mark.text),))
    share_of_line = frame.line.share(mark.at_ms)
    short = mark.text.split(":")[0].removeprefix("down ").removeprefix("up ")
    anchor, dx = ("end", -9) if share_of_line > 0.94 else ("start", 9)
    return at(percent(share_of_line), PAD + bottom - 9, [told, label("evt", dx, 4, short, anchor)])


def _scaled(track: Track, name: str, factor: float) -> TrackColumn:
    """Return a column of counts as rates; what was not counted of a watched row is zero, of another it is not known."""
    values = track.column(name)
    return tuple(None if not seen else (value or 0.0) * factor for value, seen in zip(values, track.seen, strict=True))


def _strip(
    title: str,
    unit: str,
    legend: Iterable[LegendEntry],
    scale: Axis,
    frame: Frame,
    inner: Sequence[SvgElement],
    says: str,
) -> Strip:
    height = scale.height + PAD + 6
    return Strip(title, unit, tuple(legend), frame.axis(scale), frame.drawing(scale, inner), height, says)
