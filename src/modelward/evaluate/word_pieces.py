"""Which words a text holds, hashed into buckets: an embedding blurs the wording that gives an attack away.

Feature hashing as in Weinberger et al. 2009, without signs; a vocabulary would be larger than the head itself.
"""

from __future__ import annotations

import re
from itertools import pairwise
from zlib import crc32

BUCKETS = 4096
MAX_CHARS = 2_000
"""What follows is not read; a passage is far shorter."""
PIECE_CHARS = 4
_TOKEN = re.compile(r"\w+|[^\w\s]")


def buckets(text: str) -> list[int]:
    """Return the distinct buckets of a text in rising order: its words, pairs of words, and pieces of 4 characters.

    Takes time linear in the text, of which MAX_CHARS are read.
    """
    tokens = _TOKEN.findall(text[:MAX_CHARS].lower())
    words = [token for token in tokens if token[0].isalnum()]
    line = f" {' '.join(tokens)} "
    pieces = {f"1{word}" for word in words}
    pieces |= {f"2{first} {second}" for first, second in pairwise(words)}
    pieces |= {f"c{line[start : start + PIECE_CHARS]}" for start in range(len(line) - PIECE_CHARS + 1)}
    return sorted({crc32(piece.encode("utf-8", "surrogatepass")) % BUCKETS for piece in pieces})
