"""Text of others as one line that no text can leave: a JSON string, marked as data, without a token of any template."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

MARK = "^"
"""Stands between words instead of a space, so that a model tells data from instructions (2403.14720)."""
_SPECIAL = re.compile(r"<(?=[^\s^=])|\[(?=/?[A-Z_]+\])")
"""Where a token of a chat template may begin: `<|im_end|>`, `</s>`, `<start_of_turn>`, `[INST]`."""
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""Line ends, controls and invisible characters, and halves of characters, which UTF-8 cannot carry."""


def data_line(fields: Mapping[str, object]) -> str:
    """Return strings and lists of strings as one line of JSON; `read_back` is the inverse.

    Keys are ours: words without spaces.
    """
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    text = text.replace(MARK, _escaped(MARK)).replace(" ", MARK)
    return _UNSAFE.sub(_escape, _SPECIAL.sub(_escape, text))


def read_back(line: str) -> object:
    """Return the fields of a line."""
    return json.loads(line.replace(MARK, " "))


def _escape(found: re.Match[str]) -> str:
    return _escaped(found[0])


def _escaped(character: str) -> str:
    return f"\\u{ord(character):04x}"
