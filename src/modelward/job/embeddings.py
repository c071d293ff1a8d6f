"""Embeddings that the evaluators of a window share: the same texts are embedded once."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KEPT_TEXTS = 8_192
"""Questions and answers of a whole window with room to spare: 13 MB of vectors."""


class SharedEmbeddings:
    """Remembers the newest vectors of an embedder; of texts only a digest stays.

    A vector depends on nothing but its text, so it does not matter which evaluator asked first.
    """

    def __init__(self, embed: Callable[[Sequence[str]], NDArray[np.float32]], keep: int = KEPT_TEXTS) -> None:
        """Take the embedder, which is called in a thread, and the number of texts of which vectors are kept."""
        self._embed, self._keep = embed, keep
        self._kept: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()

    async def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return what the embedder returns, read-only; each text is embedded once."""
        import numpy as np

        keys = [_digest(text) for text in texts]
        found = {key: self._kept[key] for key in keys if key in self._kept}
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if new or not keys:
            embedded = await asyncio.to_thread(self._embed, list(new.values()))
            if not keys:
                return embedded
            found.update(zip(new, embedded, strict=True))
        self._keep_newest(found)
        vectors = np.stack([found[key] for key in keys])
        vectors.flags.writeable = False
        return vectors

    def _keep_newest(self, found: Mapping[bytes, NDArray[np.float32]]) -> None:
        for key, vector in found.items():
            self._kept[key] = vector
            self._kept.move_to_end(key)
        while len(self._kept) > self._keep:
            self._kept.popitem(last=False)


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=32).digest()
