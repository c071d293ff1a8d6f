"""The ONNX graph of all-MiniLM-L6-v2, built from its weights, so that nothing needs torch or a model hub.

BERT encoder as in Devlin et al. 2018 (post-norm, exact GELU), then mean pooling and unit norm as in
sentence-transformers. Runs only while an image is built: `onnx` is imported here and nowhere else.
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
MASKED = -10_000.0
"""Added to the attention scores of padding; low enough to vanish in float32, as in the original BERT code."""


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

    def linear(self, x: str, prefix: str) -> str:
        """Append x @ W.T + b."""
        weight = self.constant(f"{prefix}.weight.T", self.weights[f"{prefix}.weight"].T)
        bias = self.constant(f"{prefix}.bias", self.weights[f"{prefix}.bias"])
        return self.node("Add", self.node("MatMul", x, weight), bias)

    def norm(self, x: str, prefix: str) -> str:
        """Append layer normalisation over the last axis."""
        names = [self.constant(f"{prefix}.{part}", self.weights[f"{prefix}.{part}"]) for part in ("weight", "bias")]
        return self.node("LayerNormalization", x, *names, axis=-1, epsilon=self.shape.epsilon)

    def gelu(self, x: str) -> str:
        """Append exact GELU, 0.5 x (1 + erf(x / sqrt 2)); opset 18 has no operator of that name."""
        erf = self.node("Erf", self.node("Div", x, self.scalar("sqrt2", math.sqrt(2))))
        half = self.node("Mul", x, self.scalar("half", 0.5))
        return self.node("Mul", half, self.node("Add", erf, self.scalar("one", 1.0)))


def build_model(weights: Mapping[str, Array], shape: Shape) -> Any:
    """Return the checked ModelProto: input_ids, attention_mask int64 [b, s] → embedding float32 [b, hidden]."""
    graph = GraphBuilder({name.removeprefix("bert."): value for name, value in weights.items()}, shape)
    mask = graph.node("Cast", "attention_mask", to=TensorProto.FLOAT)
    bias = _attention_bias(graph, mask)
    x = _embeddings(graph)
    for layer in range(shape.layers):
        x = _layer(graph, x, bias, f"encoder.layer.{layer}")
    _pool(graph, x, mask)
    return _assemble(graph)


def _embeddings(graph: GraphBuilder) -> str:
    words = graph.constant("words", graph.weights["embeddings.word_embeddings.weight"])
    places = graph.constant("places", graph.weights["embeddings.position_embeddings.weight"])
    segment = graph.constant("segment", graph.weights["embeddings.token_type_embeddings.weight"][:1])
    length = graph.node("Slice", graph.node("Shape", "input_ids"), graph.integers(1), graph.integers(2))
    position = graph.node("Slice", places, graph.integers(0), length, graph.integers(0))
    token = graph.node("Add", graph.node("Gather", words, "input_ids"), segment)
    return graph.norm(graph.node("Add", token, position), "embeddings.LayerNorm")


def _attention_bias(graph: GraphBuilder, mask: str) -> str:
    padding = graph.node("Sub", graph.scalar("one", 1.0), mask)
    scores = graph.node("Mul", padding, graph.scalar("masked", MASKED))
    return graph.node("Unsqueeze", scores, graph.integers(1, 2))


def _layer(graph: GraphBuilder, x: str, bias: str, prefix: str) -> str:
    attended = graph.linear(_attention(graph, x, bias, f"{prefix}.attention.self"), f"{prefix}.attention.output.dense")
    x = graph.norm(graph.node("Add", attended, x), f"{prefix}.attention.output.LayerNorm")
    wide = graph.gelu(graph.linear(x, f"{prefix}.intermediate.dense"))
    return graph.norm(graph.node("Add", graph.linear(wide, f"{prefix}.output.dense"), x), f"{prefix}.output.LayerNorm")


def _attention(graph: GraphBuilder, x: str, bias: str, prefix: str) -> str:
    shape = graph.shape
    split = graph.integers(0, 0, shape.heads, shape.head_width)
    query, key, value = (
        graph.node("Reshape", graph.linear(x, f"{prefix}.{part}"), split) for part in ("query", "key", "value")
    )
    query = graph.node("Transpose", query, perm=[0, 2, 1, 3])
    key = graph.node("Transpose", key, perm=[0, 2, 3, 1])
    value = graph.node("Transpose", value, perm=[0, 2, 1, 3])
    scale = graph.scalar("scale", 1 / math.sqrt(shape.head_width))
    scores = graph.node("Add", graph.node("Mul", graph.node("MatMul", query, key), scale), bias)
    context = graph.node("MatMul", graph.node("Softmax", scores, axis=-1), value)
    merged = graph.node("Transpose", context, perm=[0, 2, 1, 3])
    return graph.node("Reshape", merged, graph.integers(0, 0, shape.hidden))


def _pool(graph: GraphBuilder, x: str, mask: str) -> None:
    weights = graph.node("Unsqueeze", mask, graph.integers(2))
    total = graph.node("ReduceSum", graph.node("Mul", x, weights), graph.integers(1), keepdims=0)
    mean = graph.node("Div", total, graph.node("ReduceSum", weights, graph.integers(1), keepdims=0))
    length = graph.node("ReduceL2", mean, graph.integers(1), keepdims=1)
    graph.nodes.append(helper.make_node("Div", [mean, length], ["embedding"], name="embedding"))


def _assemble(graph: GraphBuilder) -> Any:
    tokens = [helper.make_tensor_value_info(n, TensorProto.INT64, ["b", "s"]) for n in ("input_ids", "attention_mask")]
    output = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["b", graph.shape.hidden])
    body = helper.make_graph(graph.nodes, "all-MiniLM-L6-v2", tokens, [output], list(graph.constants.values()))
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = 9
    onnx.checker.check_model(model)
    return model
