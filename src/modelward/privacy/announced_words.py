"""Numbers of passports and licences right behind their word, in any form of capitals and digits."""

from __future__ import annotations

import re
from collections.abc import Iterator

from modelward.privacy.kinds import NATIONAL_ID
from modelward.privacy.labels import labels_of
from modelward.privacy.span import Span

_BETWEEN = (
    r"[^\W\d_]{0,12}(?:[ ](?:de|d'|of|von|[^\W\d_]{2,12})){0,4}"
    r"(?:[ _-]?(?:number|nummer|num|no|nr|n[°º]|id|code|card)[.]?)?"
    r"[\"'`*_:=|>()#., \t\r\n-]{1,12}"
    r"(?:(?:is|ist|lautet|es|est|était|was|war|era)[ ](?:le |la |el |die |the )?)?[\"'`*(]{0,3}"
)
_ANNOUNCED = re.compile(rf"(?i:{_BETWEEN})(?P<value>(?=[A-Z-]{{0,12}}[0-9])[A-Z0-9](?:-?[A-Z0-9]){{5,21}}+)(?![\w])")


def announced_words(text: str) -> Iterator[Span]:
    """Find words of capitals and digits that a word for a state's number announces."""
    for end in labels_of(text).national_ends:
        found = _ANNOUNCED.match(text, end)
        if found and any(map(str.isdigit, found["value"])):
            yield Span(NATIONAL_ID, *found.span("value"))
