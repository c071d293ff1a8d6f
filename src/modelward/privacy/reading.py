"""A text as a reader sees it, and the way back: detectors search what is read, masks replace what is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from modelward.privacy import characters, escapes
from modelward.privacy.span import Span


@dataclass(frozen=True, slots=True)
class PlainText:
    """`text` is what a reader sees of `written`: escapes undone, then every character in its plain form."""

    written: str
    unescaped: str
    text: str

    def written_spans(self, spans: list[Span]) -> list[Span]:
        """Return the spans of `text` (ordered, none overlapping) as spans of `written`, with whole escapes in them."""
        if self.text is not self.unescaped:
            spans = list(_moved(spans, characters.resized(self.unescaped)))
        if self.unescaped is not self.written:
            spans = list(_moved(spans, escapes.resized(self.written)))
        return spans


def reading_of(written: str) -> PlainText:
    """Return how a text is read."""
    unescaped = escapes.unescaped(escapes.without_plus(written))
    return PlainText(written, unescaped, characters.plain(unescaped))


def _moved(spans: list[Span], resized: Iterable[tuple[int, int, int]]) -> Iterator[Span]:
    """Move spans past each piece whose length changed; one that begins or ends inside such a piece takes all of it."""
    pieces = iter(resized)
    piece = next(pieces, None)
    shift = taken = 0  # `shift`: how far what stands between two pieces lies behind its new place
    for span in spans:
        while piece is not None and piece[0] - shift + piece[2] <= span.start:
            shift += piece[1] - piece[0] - piece[2]
            piece = next(pieces, None)
        start = piece[0] if piece is not None and piece[0] - shift <= span.start else span.start + shift
        while piece is not None and piece[0] - shift + piece[2] < span.end:
            shift += piece[1] - piece[0] - piece[2]
            piece = next(pieces, None)
        end = piece[1] if piece is not None and piece[0] - shift < span.end else span.end + shift
        yield Span(span.kind, max(start, taken), end)
        taken = end
