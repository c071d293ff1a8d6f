"""Escapes undone: JSON in a string in JSON, URL and HTML escapes, which a reader or the next program sees through."""

from __future__ import annotations

import html
import re

_ESCAPE = re.compile(
    r"\\{1,16}+(?:[\"'/bfnrt]|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2})|%[2-7][0-9a-fA-F]"
    r"|%(?:[cdCD][0-9a-fA-F]|[eE][0-9a-fA-F]%[89abAB][0-9a-fA-F]|[fF][0-4](?:%[89abAB][0-9a-fA-F]){2})%[89abAB][0-9a-fA-F]"
    r"|&(?:#[0-9]{2,7}|#[xX][0-9a-fA-F]{2,5}|quot|apos|amp|lt|gt|nbsp|commat|num|period|hyphen|colon|lowbar);"
)
_NAMED = {"b": " ", "f": " ", "n": "\n", "r": "\n", "t": "\t"}


_FORM_VALUE = re.compile(
    r"[\w.-]{1,64}=(?P<value>[\w%.,'()-]{1,15}(?:\+[\w%.,'()-]{1,12}){1,8})(?=&[\w.-]|[\s\"'<>]|$)", re.ASCII
)


def without_plus(text: str) -> str:
    """Return the text, of the same length, with spaces for the plus signs between short words in a form's fields."""
    return _FORM_VALUE.sub(_spaced, text) if "+" in text and "&" in text else text


def _spaced(field: re.Match[str]) -> str:
    text, start, end = field.string, field.start(), field.end()
    is_of_a_form = text[start - 1 : start] in ("&", "?") or text[end : end + 1] == "&"
    return field.group().replace("+", " ") if is_of_a_form else field.group()


def unescaped(text: str) -> str:
    """Return the text with its escapes undone, also those that were escaped again (`\\\\n`, `\\\\\\\\u0040`)."""
    return _ESCAPE.sub(lambda found: _meant(found.group()), text) if _may_hold(text) else text


def resized(text: str) -> list[tuple[int, int, int]]:
    """Return where `unescaped` changes the text: start, end, and how many characters it became, in order."""
    if not _may_hold(text):
        return []
    return [(found.start(), found.end(), len(_meant(found.group()))) for found in _ESCAPE.finditer(text)]


def _may_hold(text: str) -> bool:
    return "\\" in text or "%" in text or "&" in text


def _meant(escape: str) -> str:
    if escape[0] == "%":
        return bytes.fromhex(escape.replace("%", "")).decode("utf-8", "replace")
    if escape[0] == "&":
        return html.unescape(escape)
    code = escape.lstrip("\\")
    return _NAMED.get(code, code) if len(code) == 1 else chr(int(code[1:], 16))
