"""Dates of birth: a date says when a person was born where a word beside it says so."""

from __future__ import annotations

import re
from collections.abc import Iterator

from modelward.privacy.kinds import DATE_OF_BIRTH
from modelward.privacy.label_words import BIRTH_WORD
from modelward.privacy.labels import labels_of
from modelward.privacy.span import Span

_MONTH = (
    r"(?:jan|feb|f[ée]v|m[aäáå]r|a[pvb]r|ma[iyjg]|jui|jun|jul|giu|lug|au?g|ao[uû]|set|se?pt|o[ckut]t|out|nov|d[eéi][ckz]|ene"
    r"|ago|gen)[^\W\d_]{0,8}\.?"
)
_DATE = re.compile(
    r"(?<![0-9])(?:"
    r"(?:19|20)[0-9]{2}(?P<sign>[-/. ])[0-9]{1,2}(?P=sign)[0-9]{1,2}"
    r"|[0-9]{1,2}(?P<mark>[-/ ]|\.[ ]?)[0-9]{1,2}(?P=mark)(?:19|20)?[0-9]{2}"
    rf"|[0-9]{{1,2}}(?:st|nd|rd|th|er|º|\.)?[ -](?:of |de )?{_MONTH}"
    rf"(?:-|,?[ \r\n]{{1,2}})(?:de |del )?(?:(?:19|20)[0-9]{{2}}|[0-9]{{2}})"
    r"|[0-9]{1,2}(?:st|nd|rd|th)?,?[ \r\n]{1,2}(?:19|20)[0-9]{2}"
    r"|(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:19|20)[0-9]{2}年[ ]?[0-9]{1,2}月[ ]?[0-9]{1,2}日"
    r")(?![0-9])",
    re.IGNORECASE,
)
_MONTH_BEFORE = re.compile(rf"(?<![^\W\d_]){_MONTH}[ ]$", re.IGNORECASE)
_LONGEST_MONTH = 12


def birth_dates(text: str) -> Iterator[Span]:
    """Find dates that a word announces as a date of birth."""
    labels = labels_of(text)
    if labels.has(BIRTH_WORD):
        for found in _DATE.finditer(text):
            begin = max(0, found.start() - _LONGEST_MONTH)
            month = _MONTH_BEFORE.search(text[begin : found.start()])
            start = begin + month.start() if month else found.start()
            if labels.of(start, found.end()) == BIRTH_WORD:
                yield Span(DATE_OF_BIRTH, start, found.end())


def is_a_date(cell: str) -> bool:
    """Say whether the cell of a table is a date and nothing else."""
    date = _DATE.search(cell)
    return date is not None and not date.end() < len(cell) and _MONTH_BEFORE.sub("", cell[: date.start()]) == ""
