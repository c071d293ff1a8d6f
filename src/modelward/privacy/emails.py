"""E-mail addresses, with international names and domains, and written out with (at) and [dot]."""

from __future__ import annotations

import re
from collections.abc import Iterator

from modelward.privacy.kinds import EMAIL
from modelward.privacy.span import Span

_LABEL = r"[^\W_](?:[\w-]{0,62})"
_DOMAIN = rf"(?:{_LABEL}\.){{1,8}}(?:xn--[A-Za-z0-9-]{{2,59}}|[^\W\d_]{{2,24}})(?![\w])"
_EMAIL = re.compile(rf"(?<![\w.%+'-])[\w.%+'-]++@{_DOMAIN}|\"[^\"\n@]{{1,64}}\"@{_DOMAIN}")
_WRITTEN_OUT = re.compile(
    r"(?i)(?<![\w.%+-])[\w.%+-]++[ ]?[\[({<][ ]?(?:at|@|arroba)[ ]?[\])}>][ ]?"
    r"[\w-]{1,63}(?:(?:\.|[ ]?[\[({<][ ]?(?:dot|punkt|punto|point|\.)[ ]?[\])}>][ ]?)[\w-]{1,63}){1,4}"
)
_SPOKEN = re.compile(
    r"(?<![\w.%+-])[\w.%+-]{2,64}+[ ]at[ ](?:[\w-]{1,63}[ ]dot[ ]){1,3}"
    r"(?:com|org|net|edu|gov|io|de|uk|fr|es|co|ai|dev|eu)\b"
)
_NOT_A_PERSON = re.compile(r"(?i)[^@]*@(?:[0-9]x\.(?:png|jpe?g|gif|webp|svg|avif)|v?[0-9]+\.[0-9])|(?:git|hg|svn)@")


def emails(text: str) -> Iterator[Span]:
    """Find addresses; accounts of version control, picture names such as `a@2x.png` and versions are none."""
    if "@" in text:
        for found in _EMAIL.finditer(text):
            lead = len(found.group()) - len(found.group().lstrip("'.%-"))
            if not _NOT_A_PERSON.match(found.group()):
                yield Span(EMAIL, found.start() + lead, found.end())
    lowered = text.lower()
    if " dot " in lowered:
        for found in _SPOKEN.finditer(lowered if len(lowered) == len(text) else text):
            yield Span(EMAIL, found.start(), found.end())
    if "at]" in lowered or "at)" in lowered or "at}" in lowered or "at ]" in lowered or "arroba" in lowered:
        for found in _WRITTEN_OUT.finditer(text):
            yield Span(EMAIL, found.start(), found.end())
