"""Read a metrics page that an engine or a collector serves, whatever state that page is in.

The grammar is Prometheus text 0.0.4 and the part of OpenMetrics 1.0 that pages carry in practice
(https://prometheus.io/docs/instrumenting/exposition_formats/): timestamps and exemplars are read over,
NaN and infinities are kept as they are, and comments of any kind are skipped.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_SERIES = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)[ \t]*(\{)?")
# Each quantifier is followed by a character it cannot match itself, so that no input makes the match backtrack.
_LABEL = re.compile(r'[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"([^"\\]*(?:\\.[^"\\]*)*)"[ \t]*([,}])')
_LABELS_END = re.compile(r"[ \t]*\}")
_ESCAPE = re.compile(r"\\(.)")
_UNESCAPED = {"n": "\n", '"': '"', "\\": "\\"}
_QUOTED_CHARS = 60
_NUMBER_CHARS = 64
_MAX_LABELS = 64
_LARGEST = 1e15


class ParseError(ValueError):
    """A page that cannot be trusted as a whole: names the line (from 1) and what is wrong with it."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line


class PageTooLargeError(ParseError):
    """A page beyond the bounds in bytes or series, which the reader's memory is not spent on."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of a page: its labels and the value read."""

    labels: Mapping[str, str]
    value: float


def countable(value: float) -> bool:
    """Return whether a value can be a count, a level or a duration: finite, not negative, and of a plausible size.

    Beyond 1e15 a float soon no longer counts one by one, and sums of such values overflow.
    """
    return math.isfinite(value) and 0 <= value <= _LARGEST


def cut_short(page: bytes) -> bool:
    """Return whether a page ends in the middle of a line; a page sent without its length may have been cut there."""
    return bool(page) and not page.endswith((b"\n", b"# EOF"))


@dataclass(frozen=True, slots=True)
class Families:
    """A page by sample name, so that `foo_total` is found whether its TYPE line says `foo` or `foo_total`."""

    samples: Mapping[str, tuple[Sample, ...]] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)

    def of(self, name: str) -> tuple[Sample, ...]:
        """All series of a sample name; a histogram's are under its name with `_bucket`, `_sum`, `_count`."""
        return self.samples.get(name, ())

    def __contains__(self, name: str) -> bool:
        return name in self.samples or name in self.kinds


def parse(text: bytes, *, max_bytes: int = 2_000_000, max_series: int = 20_000) -> Families:
    """Read a whole page in time linear in its bytes.

    Raises PageTooLargeError beyond the bounds and ParseError at the first line that is not in the format, or that
    gives a series a second value: a page that is half garbage is no evidence of anything.
    """
    if len(text) > max_bytes:
        raise PageTooLargeError(1, f"page of {len(text)} bytes, at most {max_bytes} are read")
    # By name and labels as they are written: who writes a page writes the labels of a series in one order.
    samples: dict[str, dict[str, Sample]] = {}
    kinds: dict[str, str] = {}
    series = 0
    for number, line in _lines(text):
        if line[0] == "#":
            if line.startswith("# EOF"):
                break
            _note_kind(line, kinds)
            continue
        series += 1
        if series > max_series:
            raise PageTooLargeError(number, f"more than {max_series} series")
        name, written, sample = _sample(number, line)
        known = samples.setdefault(name, {}).setdefault(written, sample)
        if known is not sample and not _same(known.value, sample.value):
            raise ParseError(number, f"a second value for {_quote(line)}")
    return Families({name: tuple(found.values()) for name, found in samples.items()}, kinds)


def _lines(text: bytes) -> Iterator[tuple[int, str]]:
    # A label may hold bytes that are no UTF-8; one odd model name must not cost the whole page.
    for number, raw in enumerate(text.decode("utf-8", "replace").removeprefix("\ufeff").split("\n"), start=1):
        line = raw.strip(" \t\r")
        if line:
            yield number, line


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


def _note_kind(line: str, kinds: dict[str, str]) -> None:
    words = line.split(None, 3)
    if len(words) == 4 and words[1] == "TYPE":
        kinds[words[2]] = words[3].strip()


def _sample(number: int, line: str) -> tuple[str, str, Sample]:
    head = _SERIES.match(line)
    if head is None:
        raise ParseError(number, f"no metric name in {_quote(line)}")
    labels: dict[str, str] = {}
    position = head.end()
    if head.group(2):
        position = _read_labels(number, line, position, labels)
    rest = line[position:].split(None, 1)
    if not rest or (position == len(head.group(1)) and line[position : position + 1] not in (" ", "\t")):
        raise ParseError(number, f"no value in {_quote(line)}")
    return head.group(1), line[head.end() : position], Sample(labels, _number(number, rest[0]))


def _read_labels(number: int, line: str, position: int, labels: dict[str, str]) -> int:
    while True:
        end = _LABELS_END.match(line, position)
        if end is not None:
            return end.end()
        label = _LABEL.match(line, position)
        if label is None:
            raise ParseError(number, f"labels cannot be read at {_quote(line[position:])}")
        if len(labels) >= _MAX_LABELS:
            raise PageTooLargeError(number, f"more than {_MAX_LABELS} labels in {_quote(line)}")
        name, value, closing = label.groups()
        labels[name] = _unescape(value) if "\\" in value else value
        position = label.end()
        if closing == "}":
            return position


def _unescape(value: str) -> str:
    return _ESCAPE.sub(lambda match: _UNESCAPED.get(match.group(1), match.group(0)), value)


def _number(number: int, word: str) -> float:
    # Python reads 1_000 as a number, the format does not; and no page needs a number of thousands of digits.
    if "_" in word or len(word) > _NUMBER_CHARS:
        raise ParseError(number, f"{_quote(word)} is no number")
    try:
        return float(word)
    except ValueError:
        raise ParseError(number, f"{_quote(word)} is no number") from None


def _quote(text: str) -> str:
    return repr(text if len(text) <= _QUOTED_CHARS else text[:_QUOTED_CHARS] + "…")
