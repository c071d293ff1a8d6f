"""Embeddings that the evaluators of a window share: the same texts are embedded once."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KEPT_TEXTS = 8_192
"""Questions and answers of a whole window with room to spare: 13 MB of vectors."""


class SharedEmbeddings:
    """Remembers the newest answers of an embedder by what was asked; of texts only a digest stays.

    A whole question is remembered, not each text: padding and quantisation let a text's vector depend a little on
    those embedded with it, and a score must not depend on which evaluator came first.
    """

    def __init__(self, embed: Callable[[Sequence[str]], NDArray[np.float32]], keep: int = KEPT_TEXTS) -> None:
        """Take the embedder, which is called in a thread, and the number of texts of which vectors are kept."""
        self._embed, self._keep = embed, keep
        self._kept: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()

    async def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return what the embedder returns, read-only."""
        key = _digest(texts)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        vectors = await asyncio.to_thread(self._embed, texts)
        vectors.flags.writeable = False
        self._kept[key] = vectors
        while len(self._kept) > 1 and sum(map(len, self._kept.values())) > self._keep:
            self._kept.popitem(last=False)
        return vectors


def _digest(texts: Sequence[str]) -> bytes:
    digest = hashlib.blake2b(digest_size=32)
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.digest()
