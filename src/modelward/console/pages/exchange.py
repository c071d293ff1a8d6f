"""One exchange: what was said, what was masked, and what each check made of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from modelward.api.exchange_page import ExchangeView, LabelView, ScoreView
from modelward.console.charts.shapes import SvgElement, circle, line, rect
from modelward.console.pages.check import DrawnBar
from modelward.console.pages.masked_text import Piece, pieces
from modelward.console.pages.moment import ShownMoment, moment
from modelward.console.text import day_and_time, duration

_PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class TurnPieces:
    """One message."""

    who: str
    side: str
    pieces: tuple[Piece, ...]
    hit: bool = False


@dataclass(frozen=True, slots=True)
class ShownScore:
    """What one check made of it, and what people said of that."""

    title: str
    state: str
    word: str
    bar: DrawnBar | None
    text: str
    reason: str
    said: str
    said_at: ShownMoment | None
    own: str
    """What the reader said: agree, disagree, or nothing."""
    agree_fault: str
    disagree_fault: str


@dataclass(frozen=True, slots=True)
class Waterfall:
    """When the first token came, and the last."""

    shapes: tuple[SvgElement, ...]
    text: str
    says: str


@dataclass(frozen=True, slots=True)
class ShownExchange:
    """The exchange that is read."""

    id: str
    title: str
    meta: tuple[str, ...]
    flag: str
    turns: tuple[TurnPieces, ...]
    waterfall: Waterfall | None
    masks: tuple[str, ...]
    end: str
    scores: tuple[ShownScore, ...]


def shown_exchange(one: ExchangeView, now_ms: int) -> ShownExchange:
    """Return the exchange that is read."""
    flagged = any(score.flagged for score in one.scores)
    turns = [
        TurnPieces(_who(turn.role), "model" if turn.role == "assistant" else turn.role, pieces(turn.text))
        for turn in one.turns
    ]
    if one.response:
        turns.append(TurnPieces("Model", "model", pieces(one.response), flagged))
    count_of = sum(bool(score.flagged) for score in one.scores)
    return ShownExchange(
        id=one.id,
        title=f"Exchange of {len(turns)} turns" if turns else "Exchange without text",
        meta=_meta(one),
        flag=f"flagged by {count_of} of {len(one.scores)} checks" if flagged else "",
        turns=tuple(turns),
        waterfall=_waterfall(one),
        masks=tuple(f"{mask.count} × {mask.kind.lower()} in the {mask.subject}" for mask in one.masks),
        end=_end(one),
        scores=tuple(_score(score, one.labels, now_ms) for score in one.scores),
    )


def _who(role: str) -> str:
    return {"user": "Caller", "assistant": "Model", "system": "System", "tool": "Tool"}.get(role, role or "–")


def _meta(one: ExchangeView) -> tuple[str, ...]:
    facts = [f"{day_and_time(one.time_ms)} UTC", one.model, f"revision {one.revision}" if one.revision else ""]
    facts += [f"HTTP {one.status}", f"caller {one.caller}" if one.caller else "", one.prompt_template]
    tokens = [f"{one.input_tokens:,} in" if one.input_tokens is not None else ""]
    tokens.append(f"{one.output_tokens:,} out" if one.output_tokens is not None else "")
    facts.append(", ".join(text for text in tokens if text))
    return tuple(text for text in facts if text)


def _end(one: ExchangeView) -> str:
    if one.truncated:
        return "Cut: the policy keeps no more of one message (maxBody)."
    if one.content == "MetadataOnly" or (not one.turns and not one.response):
        return "Only metadata is kept of it: the policy’s capture.content says so."
    return (
        f"End of what was captured; the answer ended by {one.finish_reason}."
        if one.finish_reason
        else "End of what was captured."
    )


def _waterfall(one: ExchangeView) -> Waterfall | None:
    if not one.duration_us:
        return None
    first = one.first_token_us
    total, width = one.duration_us, 260
    until = width * min((first or total) / total, 1)
    shapes = [rect("f4", 0, 2, until, 6)]
    shapes += [rect("f2", until, 2, width - until, 6)] if first is not None else []
    text = f"first token {duration(first / _PPM)} · " if first is not None else ""
    text += f"done {duration(total / _PPM)}"
    return Waterfall(tuple(shapes), text, text)


def _score(one: ScoreView, labels: Sequence[LabelView], now_ms: int) -> ShownScore:
    name = f"{one.policy}/{one.evaluation}"
    of = [label for label in labels if label.name == name]
    own = next((label for label in of if label.own), None)
    last = max(of, key=lambda label: label.time_ms, default=None)
    state, word = ("Warning", "flagged") if one.flagged else ("Passed", "not flagged")
    if one.flagged is None:
        state, word = "Undecided", spoken(one.state) or "not judged"
    said = ""
    if last:
        meant = {True: "at fault", False: "not at fault", None: "can’t say"}[last.fault]
        said = f"{last.author or 'A reviewer'}: {meant}{f' – {last.text}' if last.text else ''}"
    return ShownScore(
        title=name,
        state=state,
        word=word,
        bar=_score_bar(one),
        text=one.label,
        reason=one.reason,
        said=said,
        said_at=moment(last.time_ms, now_ms) if last and last.time_ms else None,
        own=""
        if own is None or own.fault is None or one.flagged is None
        else "agree"
        if own.fault == one.flagged
        else "disagree",
        agree_fault="yes" if one.flagged else "no",
        disagree_fault="no" if one.flagged else "yes",
    )


def spoken(word: str) -> str:
    """Return a word of ours as people write it: NotApplicable → not applicable."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", word).lower()


def _score_bar(one: ScoreView) -> DrawnBar | None:
    if one.value_ppm is None:
        return None
    value = min(max(one.value_ppm / _PPM, 0), 1)
    shapes = (line("trk", 4, 9, 144, 9), circle(f"pt {'F' if one.flagged else 'P'}", 4 + 140 * value, 9, 4.5))
    return DrawnBar(shapes, 148, f"score {value:.2f} of 1")
