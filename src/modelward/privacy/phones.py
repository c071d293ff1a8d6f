"""Phone numbers: international by their prefix, and local ones by the shapes in which countries write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from modelward.privacy.kinds import PHONE
from modelward.privacy.run import Run
from modelward.privacy.span import Span

_INTERNATIONAL = re.compile(r"\+\(?[1-9](?:[ .()/\t-]{0,3}[0-9]){6,14}(?![0-9])(?:[ ]?(?:x|ext\.?)[ ]?[0-9]{1,6})?")
_BROKEN = re.compile(
    r"(?<![\w+])\+\(?[1-9](?:[ .()/-]{0,3}[0-9]){0,6}[ ]?\r?\n[ ]?[0-9](?:[ ()/-]{0,3}[0-9]){2,13}(?![0-9])"
)
"""One that a line breaks before it has enough digits to be one."""
_FEWEST_ABROAD, _MOST_ABROAD = 8, 15
_DECIMAL = re.compile(r"\+[0-9]+\.[0-9]+")
_EXTENSION = re.compile(r"[ ]?(?:x|ext\.?)[ ]?[0-9]{1,6}(?![0-9])")
_UNASSIGNED_AREA = re.compile(r"[2-9]11|[2-8]00|37[0-9]|96[0-9]|[2-9]9[0-9]")
"""North American area codes that are not given out (services, easily recognised codes, expansion)."""
_COUNTRIES_WRITTEN_SOLID = ("1", "31", "32", "33", "34", "39", "41", "43", "44", "45", "46", "47", "48", "49")
_WRITTEN_TRUNK_SHAPES = """
    2-8 2-4-4 2-3-4 2-7 2-4-3 2-3-3-2 2-2-2-2-2 3-6 3-7 3-8 3-3-3 3-3-4 3-4-4 3-4-3 3-3-2-2 3-2-2-2 3-3-3-2 3-4-2
    3-2-2-3 3-2-3-2 3-2-2-2-2 3-3-5 4-5 4-6 4-7 4-8 4-3-3 4-3-4 4-2-3 4-2-4 4-3-2-2 4-4-4 4-3-3-2 4-2-2-2 4-2-2-3
    4-4-3 4-2-2-2-2 4-4-2 4-3-5 5-5 5-6 5-7 5-3-3 5-2-3 5-2-4 5-2-2-2 5-3-4 5-4-2 6-4 6-5 6-6
"""
_TRUNK_SHAPES = frozenset(tuple(map(int, shape.split("-"))) for shape in _WRITTEN_TRUNK_SHAPES.split())
"""Groups of a number that begins with the trunk prefix 0, as Europe, Australia and East Asia write them."""
_NORTH_AMERICAN_SHAPES = ((3, 3, 4), (1, 3, 3, 4))
_LONGEST_STEP = 5
_MOBILE_SOLID = re.compile(r"0[67][0-9]{8}|07[1-9][0-9]{8}|01[567][0-9]{8,9}|04[0-9]{8}")
"""Mobile numbers that people write without a space: France, Britain, Germany, Australia."""


def international_phones(text: str) -> Iterator[Span]:
    """Find phone numbers that begin with + and a country."""
    if "+" not in text:
        return
    for found in _INTERNATIONAL.finditer(text):
        start = found.start()
        joined = start and (text[start - 1].isalnum() or text[start - 1] in "_+")
        if not joined and not _DECIMAL.fullmatch(found.group()):
            yield Span(PHONE, start, found.end())
    for found in _BROKEN.finditer(text):
        if _FEWEST_ABROAD <= sum(map(str.isdigit, found.group())) <= _MOST_ABROAD:
            yield Span(PHONE, found.start(), found.end())


def is_international(text: str, start: int, end: int) -> bool:
    """Say whether the digits between two places are those of a number that begins with + and a country."""
    if start == 0 or text[start - 1] != "+" or (start > 1 and (text[start - 2].isalnum() or text[start - 2] in "_+")):
        return False
    found = _INTERNATIONAL.match(text, start - 1)
    return found is not None and found.end() >= end and not _DECIMAL.fullmatch(found.group())


def whole(run: Run) -> Span:
    """Return a phone number with its opening parenthesis and its extension."""
    opened = run.before == "(" and any(")" in separator for separator in run.separators)
    extension = _EXTENSION.match(run.text, run.end)
    return Span(PHONE, run.start - opened, extension.end() if extension else run.end)


def is_local(run: Run, *, doubted: bool) -> bool:
    """Say whether a run is a phone number without a word; `doubted` where a word says that it is something else."""
    digits = run.digits
    if not 8 <= len(digits) <= 17 or run.is_date:
        return False
    if digits[0] == "0":
        return _behind_zeros(run, doubted) if digits[1] == "0" else _with_trunk_prefix(run, doubted)
    return not doubted and _shaped(run)


def _behind_zeros(run: Run, doubted: bool) -> bool:
    country, size = run.digits[2:], len(run.digits)
    if country[0] == "0" or not 10 <= size <= 17:
        return False
    if run.is_solid:
        return not doubted and size >= 12 and country.startswith(_COUNTRIES_WRITTEN_SOLID)
    return run.shape[0] in range(2, 8) and min(run.shape[1:]) >= 1 and len(run.shape) <= 7


def _with_trunk_prefix(run: Run, doubted: bool) -> bool:
    if run.is_solid:
        return not doubted and _MOBILE_SOLID.fullmatch(run.digits) is not None
    shape = run.shape
    if shape[0] == 1 and len(shape) > 2:  # "(0)151 ...", "0 20 ..."
        shape = (1 + shape[1], *shape[2:])
    if shape not in _TRUNK_SHAPES or not 9 <= len(run.digits) <= 12:
        return run.shape == (2, 3, 2, 2) and run.before == "("
    return not doubted and not _is_counting(run)


def is_north_american(run: Run, *, doubted: bool) -> bool:
    """Say whether a run is written as ten digits in three groups with signs, or spaces, of an area that exists."""
    if run.shape not in _NORTH_AMERICAN_SHAPES:
        return False
    digits = run.digits[-10:]
    if digits[0] in "01" or digits[3] in "01" or (len(run.digits) > 10 and run.digits[0] != "1"):
        return False
    signs = run.before + "".join(run.separators)
    if any(mark in signs for mark in "()-."):
        return True
    return not doubted and set("".join(run.separators)) == {" "} and not _UNASSIGNED_AREA.match(digits)


def _shaped(run: Run) -> bool:
    """Judge numbers without a trunk prefix by shapes that hardly anything else has."""
    shape, first, marks = run.shape, run.digits[0], set(run.separators)
    if not marks <= {" ", "-", ") ", ")", ".", " (", "(", ")-"}:
        return False
    if any(")" in mark for mark in marks):  # Brazil, Russia
        return shape in ((2, 5, 4), (2, 4, 4), (1, 3, 3, 2, 2), (1, 3, 3, 4), (3, 3, 2, 2))
    if len(marks) != 1 and shape not in ((1, 3, 3, 2, 2), (2, 5, 4)):
        return False
    return (
        (shape == (3, 2, 2, 2) and first in "679")  # Spain
        or (shape == (5, 5) and first in "6789")  # India
        or (shape == (3, 4, 4) and first == "1" and run.digits[1] in "3456789")  # China
        or (shape == (1, 3, 3, 2, 2) and first in "78")  # Russia
        or (shape == (2, 5, 4) and run.digits[2] == "9")  # Brazil
    )


def _is_counting(run: Run) -> bool:
    """Say whether the groups are a sequence such as 01 02 03 04 05."""
    groups = [int(group) for group in re.findall("[0-9]+", run.text[run.start : run.end])]
    steps = {later - earlier for earlier, later in pairwise(groups)}
    return len(groups) > 3 and len(steps) == 1 and abs(steps.pop()) <= _LONGEST_STEP
