"""Names that others gave: ids of exchanges and conversations, which may hold what a person typed.

An id passes as it is when it is random in the way in which an engine makes ids. Otherwise it becomes a keyed hash, so
that whoever knows the id still finds its exchange, and whoever reads the hash learns nothing from it.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterable
from typing import Literal

from modelward.privacy.redaction import redact

MAX_ID_CHARACTERS = 128
_PREFIXES = (
    "chatcmpl", "cmpl", "embd", "pool", "score", "rerank", "classify", "resp", "msg", "msg_bdrk", "msg_vrtx", "gen",
)  # fmt: skip
"""vLLM, SGLang, TensorRT-LLM, llama.cpp and OpenAI; Anthropic with Bedrock and Vertex; OpenRouter."""
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_SHAPE = re.compile(
    rf"(?:(?:{'|'.join(_PREFIXES)})[-_])?(?P<random>{_UUID.pattern}|[0-9A-Za-z]{{16,50}})(?:-\d{{1,3}})?"
)
_HEX = re.compile(r"[0-9a-f]{16}|[0-9a-f]{32}|[0-9a-f]{48}|[0-9a-f]{50}")
_BASE62 = re.compile(r"[0-9A-Za-z]{22,50}")
_KEY = re.compile(r"[0-9a-f]{32}")
_OURS = re.compile(r"mw-[0-9a-f]{24}|mwh-[0-9a-f]{32}")
_SHORTEST_SENT = 4
"""A shorter value that a client sent is in many ids by chance."""

Purpose = Literal["exchange", "conversation"]


def passing_id(name: str, sent: Iterable[str] = ()) -> bool:
    """Return whether an id may leave as it is: an engine made it, and nothing in it came from the client.

    `sent` are values that the client sent and of which engines make ids: vLLM of `X-Request-Id`, SGLang of `rid`.
    """
    shape = _SHAPE.fullmatch(name)
    drawn = shape is not None and _random(shape["random"]) and not redact(name).findings
    if not drawn and not _OURS.fullmatch(name):
        return False
    folded = name.casefold()
    return not any(len(value) >= _SHORTEST_SENT and _meet(value.casefold(), folded) for value in sent)


def id_core(name: str) -> str:
    """Return the drawn part of an id that has an engine's shape; empty where it has none."""
    shape = _SHAPE.fullmatch(name)
    return shape["random"] if shape else ""


def hashed(name: str, key: bytes, purpose: Purpose) -> str:
    """Return the keyed hash of a name: 32 hexadecimal digits, different ones for each purpose."""
    text = name.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=16, key=key[:64], person=purpose.encode()).hexdigest()


def exchange_id(name: str, key: bytes, sent: Iterable[str] = ()) -> str:
    """Return the id under which an exchange is kept: the engine's own, or `mwh-` and the keyed hash of it."""
    return name if passing_id(name, sent) else f"mwh-{hashed(name, key, 'exchange')}"


def exchange_names(name: str, keys: Iterable[bytes]) -> tuple[str, ...]:
    """Return all ids under which an exchange may be kept that a person calls `name`."""
    return (name, *(f"mwh-{hashed(name, key, 'exchange')}" for key in keys))


def conversation_names(name: str, keys: Iterable[bytes]) -> tuple[str, ...]:
    """Return all keys under which a conversation may be kept that a person calls `name`, or by its key."""
    return (name, *(hashed(name, key, "conversation") for key in keys))


def is_conversation_key(name: str) -> bool:
    """Return whether a conversation is named by a key, as it is kept, and not by what a client sent."""
    return _KEY.fullmatch(name) is not None


def _meet(sent: str, name: str) -> bool:
    return sent in name or (len(name) >= _SHORTEST_SENT and name in sent)


def _random(text: str) -> bool:
    """Return whether characters look drawn: they change between small, large and digits as chance does."""
    if _HEX.fullmatch(text):
        return _changes(text) * 4 >= len(text)
    if _UUID.fullmatch(text):
        return True
    if not _BASE62.fullmatch(text):
        return False
    return _changes(text) * 20 >= 9 * len(text) and any(c.isdigit() for c in text)


def _changes(text: str) -> int:
    kinds = ["d" if c.isdigit() else "u" if c.isupper() else "l" for c in text]
    return sum(a != b for a, b in itertools.pairwise(kinds))
