"""The graph computes what the architecture says, and weights that are not the published ones are not used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from modelward.job import minilm_build
from modelward.job.minilm import MiniLMUnavailableError

pytest.importorskip("onnx")
from modelward.job.minilm_graph import Shape, build_model

TINY = Shape(layers=2, hidden=16, heads=2, epsilon=1e-12)


def random_weights() -> dict[str, NDArray[np.float32]]:
    generator = np.random.default_rng(7)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (50, 16),
        "embeddings.position_embeddings.weight": (12, 16),
        "embeddings.token_type_embeddings.weight": (2, 16),
    }
    linear = ["attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"]
    for layer in (f"encoder.layer.{i}" for i in range(TINY.layers)):
        shapes |= {f"{layer}.{name}.weight": (16, 16) for name in linear}
        shapes |= {f"{layer}.{name}.bias": (16,) for name in linear}
        shapes |= {f"{layer}.intermediate.dense.weight": (32, 16), f"{layer}.intermediate.dense.bias": (32,)}
        shapes |= {f"{layer}.output.dense.weight": (16, 32), f"{layer}.output.dense.bias": (16,)}
        shapes |= {
            f"{layer}.{n}.LayerNorm.{p}": (16,) for n in ("attention.output", "output") for p in ("weight", "bias")
        }
    shapes |= {f"embeddings.LayerNorm.{p}": (16,) for p in ("weight", "bias")}
    return {name: generator.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def run(tokens: list[list[int]], mask: list[list[int]]) -> Any:
    model = build_model({f"bert.{name}": value for name, value in random_weights().items()}, TINY)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feed = {"input_ids": np.array(tokens, np.int64), "attention_mask": np.array(mask, np.int64)}
    return session.run(None, feed)[0]


def test_padding_changes_nothing_and_order_does() -> None:
    vectors = run([[3, 9, 4, 0, 0], [3, 9, 4, 7, 7], [9, 3, 4, 0, 0]], [[1, 1, 1, 0, 0]] * 3)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.allclose(vectors[0], vectors[1], atol=1e-5)
    assert not np.allclose(vectors[0], vectors[2], atol=1e-2)
    assert np.allclose(run([[3, 9, 4]], [[1, 1, 1]])[0], vectors[0], atol=1e-5)


def test_weights_that_are_not_the_published_ones_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"something else")
    monkeypatch.setattr(minilm_build, "installed_model", lambda: tmp_path)
    with pytest.raises(MiniLMUnavailableError, match="not the published"):
        minilm_build.build(tmp_path / "out")
