"""What a request asks of the model, derived from its path, in the names of OpenTelemetry's `gen_ai.operation.name`."""

from __future__ import annotations

_BY_PATH_END = (
    (b"/chat/completions", "chat"),
    (b"/responses", "chat"),
    (b"/messages", "chat"),
    (b"/api/chat", "chat"),
    (b"/completions", "text_completion"),
    (b"/completion", "text_completion"),
    (b"/api/generate", "text_completion"),
    (b"/generate", "text_completion"),
    (b"/generate_stream", "text_completion"),
    (b"/embeddings", "embeddings"),
    (b"/embedding", "embeddings"),
    (b"/api/embed", "embeddings"),
    (b"/rerank", "rerank"),
)
_ASKS_NO_MODEL = (
    b"tokenize", b"/count_tokens", b"/moderations", b"apply-template", b"_lora_adapter", b"/api/show", b"/api/pull",
    b"/metrics", b"/health",
)  # fmt: skip


def operation_of(method: bytes, path: bytes) -> str:
    """Return the operation, `other` for an unknown POST, and "" for what asks no model: listings, probes, counting."""
    if method != b"POST":
        return ""
    for end, operation in _BY_PATH_END:
        if path.endswith(end):
            return operation
    return "" if path.endswith(_ASKS_NO_MODEL) else "other"
