"""Embeddings of labelled texts, kept in a file by digest, because a bench that is run again embeds the same."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from modelward.job.minilm import WIDTH, MiniLM


class KeptVectors:
    """An embedder that remembers; `file` is an .npz, written by `save`."""

    def __init__(self, file: Path | None = None) -> None:
        self._file, self._model = file, MiniLM()
        self._kept: dict[str, NDArray[np.float32]] = {}
        if file and file.is_file():
            with np.load(file) as data:
                self._kept = dict(zip(data["digests"].tolist(), data["vectors"], strict=True))

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        digests = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32] for text in texts]
        new = {digest: text for digest, text in zip(digests, texts, strict=True) if digest not in self._kept}
        if new:
            self._kept.update(zip(new, self._model.encode(list(new.values())), strict=True))
        return np.stack([self._kept[d] for d in digests]) if texts else np.zeros((0, WIDTH), np.float32)

    def save(self) -> None:
        """Write what is remembered, where a file was named."""
        if self._file:
            np.savez(self._file, digests=np.array(list(self._kept)), vectors=np.array(list(self._kept.values())))
