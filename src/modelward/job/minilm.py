"""Sentence embeddings on one core without torch: all-MiniLM-L6-v2, int8, through onnxruntime.

`modelward evaluators prepare` builds it once.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MODEL_FILE = "encoder.onnx"
TOKENIZER_FILE = "tokenizer.json"
PROVENANCE_FILE = "provenance.json"
WIDTH = 384
MAX_TOKENS = 256
"""The length that the model was trained for; what follows in a longer text is not seen."""
MAX_CHARS = 8_192
"""Cut before tokenising: 256 tokens are never that long, and a megabyte of text would be tokenised for nothing."""
TOKENISED_AT_ONCE = 64


class MiniLMUnavailableError(RuntimeError):
    """The embedding model is not there or not the published one; the message names the command that builds it."""


def default_directory() -> Path:
    """Return MODELWARD_MINILM, else the user's cache."""
    configured = os.environ.get("MODELWARD_MINILM")
    return Path(configured) if configured else Path.home() / ".cache" / "modelward" / "minilm"


class MiniLM:
    """An embedder that holds one model in memory (23 MB) and runs it on one thread."""

    def __init__(self, directory: Path | None = None) -> None:
        """Load the model; MiniLMUnavailableError when it was not built there."""
        directory = directory or default_directory()
        model, tokenizer = directory / MODEL_FILE, directory / TOKENIZER_FILE
        if not (model.is_file() and tokenizer.is_file()):
            raise MiniLMUnavailableError(
                f"no embedding model in {directory}; make it: modelward evaluators prepare --output {directory}"
            )
        self._session = _session(model)
        self._tokenizer = _tokenizer(tokenizer)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return float32 [n, 384] of unit norm, in the order of `texts`.

        Each text runs alone: padded batches were no faster on one core, and a vector depends on nothing but its text.
        """
        import numpy as np

        vectors = np.zeros((len(texts), WIDTH), np.float32)
        for start in range(0, len(texts), TOKENISED_AT_ONCE):
            some = [text[:MAX_CHARS] for text in texts[start : start + TOKENISED_AT_ONCE]]
            for row, encoded in enumerate(self._tokenizer.encode_batch(some), start):
                vectors[row] = self._session.run(None, {"input_ids": np.array([encoded.ids], np.int64)})[0][0]
        return vectors


@cache
def shared_minilm() -> MiniLM:
    """Return the process's one embedder, so that several evaluators share one copy."""
    return MiniLM()


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    """Embed by the process's one embedder, which is loaded when it is first needed."""
    return shared_minilm().encode(texts)


def _session(model: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # The arena keeps the peak of the longest batch for ever; a Job has a memory limit.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def _tokenizer(path: Path) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.no_padding()
    return tokenizer
