"""The int8 ONNX graph of all-MiniLM-L6-v2, built from its weights, so that nothing needs torch or a model hub.

BERT encoder as in Devlin et al. 2018 (post-norm, exact GELU), then mean pooling and unit norm as in
sentence-transformers. Every token's activations have a scale of their own, so that no text changes another's vector,
and every operator gives the same bits on x86 with AVX2 and with AVX-512: one value that is rounded the other way is
enough to move a vector by .02. Runs only while an image is built: `onnx` is imported here and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[Any]
OPSET = 18
WEIGHT_LEVELS = 63
"""Seven bits of weight: with eight, CPUs without VNNI saturate, and scores would depend on the machine."""
TOKEN_LEVELS = 127
TOKEN_ZERO = 128
"""Activations are unsigned, because CPUs multiply unsigned by signed bytes; zero is in the middle."""
SMALLEST = 1e-6
"""Of a token's greatest activation, so that a token of zeros divides by no zero."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes that config.json gives."""

    layers: int
    hidden: int
    heads: int
    epsilon: float

    @property
    def head_width(self) -> int:
        """Width of one attention head."""
        return self.hidden // self.heads


@dataclass(slots=True)
class GraphBuilder:
    """Collects nodes and initialisers; every method returns the name of the tensor that it made."""

    weights: Mapping[str, Array]
    shape: Shape
    nodes: list[Any] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)

    def constant(self, name: str, value: Array) -> str:
        """Register an initialiser once under its name."""
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def integers(self, *values: int) -> str:
        """Register an int64 vector, as shapes and axes need it."""
        return self.constant("i" + "_".join(map(str, values)), np.array(values, np.int64))

    def scalar(self, name: str, value: float) -> str:
        """Register a float32 scalar."""
        return self.constant(name, np.array(value, np.float32))

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Append one operator."""
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def linear(self, x: str, *prefixes: str) -> str:
        """Append x @ W.T + b in int8; of several layers with one input, their outputs side by side.

        Weights have one scale for each output, activations one for each token (as in Dettmers et al. 2022, 3.1).
        """
        weights = np.concatenate([self.weights[f"{prefix}.weight"] for prefix in prefixes]).T
        bias = np.concatenate([self.weights[f"{prefix}.bias"] for prefix in prefixes])
        levels, scale = quantised(weights, WEIGHT_LEVELS, axis=0)
        name = prefixes[0]
        token, per_unit = self._token_bytes(x)
        total = self.node(
            "MatMulInteger",
            token,
            self.constant(f"{name}.levels", levels),
            self.constant("token_zero", np.array(TOKEN_ZERO, np.uint8)),
        )
        unscaled = self.node("Div", self.node("Cast", total, to=TensorProto.FLOAT), per_unit)
        product = self.node("Mul", unscaled, self.constant(f"{name}.scale", scale))
        return self.node("Add", product, self.constant(f"{name}.bias", bias))

    def _token_bytes(self, x: str) -> tuple[str, str]:
        """Append the rounding of each token to bytes; return them, and levels per unit of each token."""
        greatest = self.node("ReduceMax", self.node("Abs", x), self.integers(-1), keepdims=1)
        bounded = self.node("Max", greatest, self.scalar("smallest", SMALLEST))
        per_unit = self.node("Div", self.scalar("token_levels", TOKEN_LEVELS), bounded)
        rounded = self.node("Round", self.node("Mul", x, per_unit))
        moved = self.node("Add", rounded, self.scalar("token_middle", TOKEN_ZERO))
        return self.node("Cast", moved, to=TensorProto.UINT8), per_unit

    def norm(self, x: str, prefix: str) -> str:
        """Append layer normalisation over the last axis."""
        names = [self.constant(f"{prefix}.{part}", self.weights[f"{prefix}.{part}"]) for part in ("weight", "bias")]
        return self.node("LayerNormalization", x, *names, axis=-1, epsilon=self.shape.epsilon)

    def gelu(self, x: str) -> str:
        """Append exact GELU, 0.5 x (1 + erf(x / sqrt 2)); opset 18 has no operator of that name."""
        erf = self.node("Erf", self.node("Div", x, self.scalar("sqrt2", math.sqrt(2))))
        half = self.node("Mul", x, self.scalar("half", 0.5))
        return self.node("Mul", half, self.node("Add", erf, self.scalar("one", 1.0)))

    def softmax(self, x: str) -> str:
        """Append softmax over the last axis; ONNX Runtime's own sums in another order with AVX-512."""
        exponents = self.node("Sub", x, self.node("ReduceMax", x, self.integers(-1), keepdims=1))
        powers = self.node("Exp", exponents)
        return self.node("Div", powers, self.node("ReduceSum", powers, self.integers(-1), keepdims=1))


def quantised(values: Array, levels: int, axis: int) -> tuple[Array, Array]:
    """Return int8 in [-levels, levels] and the float32 scales along `axis`, kept as an axis of 1."""
    scale = np.maximum(np.abs(values).max(axis=axis, keepdims=True), SMALLEST) / np.float32(levels)
    return np.rint(values / scale).astype(np.int8), scale.astype(np.float32)


def build_model(weights: Mapping[str, Array], shape: Shape) -> Any:
    """Return the checked ModelProto: input_ids int64 [b, s] → embedding float32 [b, hidden].

    The texts of a batch have one length: there is no mask, because there is no padding.
    """
    graph = GraphBuilder({name.removeprefix("bert."): value for name, value in weights.items()}, shape)
    x = _embeddings(graph)
    for layer in range(shape.layers):
        x = _layer(graph, x, f"encoder.layer.{layer}")
    _pool(graph, x)
    return _assemble(graph)


def _embeddings(graph: GraphBuilder) -> str:
    levels, scale = quantised(graph.weights["embeddings.word_embeddings.weight"], TOKEN_LEVELS, axis=1)
    level = graph.node("Cast", graph.node("Gather", graph.constant("words", levels), "input_ids"), to=TensorProto.FLOAT)
    word = graph.node("Mul", level, graph.node("Gather", graph.constant("words.scale", scale), "input_ids"))
    places = graph.constant("places", graph.weights["embeddings.position_embeddings.weight"])
    segment = graph.constant("segment", graph.weights["embeddings.token_type_embeddings.weight"][:1])
    length = graph.node("Slice", graph.node("Shape", "input_ids"), graph.integers(1), graph.integers(2))
    position = graph.node("Slice", places, graph.integers(0), length, graph.integers(0))
    return graph.norm(graph.node("Add", graph.node("Add", word, segment), position), "embeddings.LayerNorm")


def _layer(graph: GraphBuilder, x: str, prefix: str) -> str:
    attended = graph.linear(_attention(graph, x, f"{prefix}.attention.self"), f"{prefix}.attention.output.dense")
    x = graph.norm(graph.node("Add", attended, x), f"{prefix}.attention.output.LayerNorm")
    wide = graph.gelu(graph.linear(x, f"{prefix}.intermediate.dense"))
    return graph.norm(graph.node("Add", graph.linear(wide, f"{prefix}.output.dense"), x), f"{prefix}.output.LayerNorm")


def _attention(graph: GraphBuilder, x: str, prefix: str) -> str:
    shape = graph.shape
    three = graph.linear(x, *(f"{prefix}.{part}" for part in ("query", "key", "value")))
    split = graph.node("Reshape", three, graph.integers(0, 0, 3 * shape.heads, shape.head_width))
    heads = graph.node("Transpose", split, perm=[0, 2, 1, 3])
    query, key, value = (
        graph.node(
            "Slice", heads, graph.integers(i * shape.heads), graph.integers((i + 1) * shape.heads), graph.integers(1)
        )
        for i in range(3)
    )
    scores = graph.node("MatMul", query, graph.node("Transpose", key, perm=[0, 1, 3, 2]))
    scaled = graph.node("Mul", scores, graph.scalar("scale", 1 / math.sqrt(shape.head_width)))
    context = graph.node("MatMul", graph.softmax(scaled), value)
    merged = graph.node("Transpose", context, perm=[0, 2, 1, 3])
    return graph.node("Reshape", merged, graph.integers(0, 0, shape.hidden))


def _pool(graph: GraphBuilder, x: str) -> None:
    mean = graph.node("ReduceMean", x, graph.integers(1), keepdims=0)
    length = graph.node("ReduceL2", mean, graph.integers(1), keepdims=1)
    graph.nodes.append(helper.make_node("Div", [mean, length], ["embedding"], name="embedding"))


def _assemble(graph: GraphBuilder) -> Any:
    tokens = [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["b", "s"])]
    output = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["b", graph.shape.hidden])
    body = helper.make_graph(graph.nodes, "all-MiniLM-L6-v2", tokens, [output], list(graph.constants.values()))
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = 9
    onnx.checker.check_model(model)
    return model
