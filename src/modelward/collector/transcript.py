"""What was asked and what was answered, read from the bodies of the APIs that model servers speak."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import zstandard

from modelward.api.exchange import Message

MAX_DECODED_BYTES = 16 * 1024 * 1024
_MAX_ZSTD_WINDOW = 8 * 1024 * 1024
"""What RFC 9659 allows content codings; a frame that asks for more would make the decoder hold it."""
_PIECE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Question:
    """A request as a conversation; `conversation` is the id that it names, "" if none."""

    messages: tuple[Message, ...] = ()
    conversation: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response's text (choice 0, tool calls as `name(arguments)`), its id and why it ended."""

    id: str = ""
    text: str = ""
    finish_reason: str = ""


def decoded(body: bytes, encoding: str) -> bytes:
    """Undo a content coding, of a body that may be cut short; raises ValueError where that is not possible."""
    if encoding in ("", "identity") or not body:
        return body
    try:
        if encoding in ("gzip", "x-gzip", "deflate"):
            return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(body, MAX_DECODED_BYTES)
        if encoding == "zstd":
            return _zstd_decoded(body)
    except (zlib.error, gzip.BadGzipFile, zstandard.ZstdError) as error:
        raise ValueError(f"not {encoding}: {error}") from error
    raise ValueError(f"content coding {encoding!r} is not known")


def _zstd_decoded(body: bytes) -> bytes:
    """Decode at most MAX_DECODED_BYTES, of which no more than that is ever held, as far as the frame goes."""
    reader = zstandard.ZstdDecompressor(max_window_size=_MAX_ZSTD_WINDOW).stream_reader(body, read_across_frames=False)
    pieces: list[bytes] = []
    room = MAX_DECODED_BYTES
    while room > 0 and (piece := reader.read(min(room, _PIECE_BYTES))):
        pieces.append(piece)
        room -= len(piece)
    return b"".join(pieces)


def question_in(body: bytes) -> Question:
    """Read a request: chat messages, a prompt, or an input; raises ValueError if it is not a JSON object."""
    data = orjson.loads(body)
    if not isinstance(data, dict):
        raise ValueError("not a JSON object")
    messages: list[Message] = []
    if system := data.get("system") or data.get("instructions"):
        messages.append(Message("system", _text(system)))
    turns = (turn for turn in _list(data.get("messages")) if isinstance(turn, dict))
    messages += [Message(str(turn.get("role", "")), _text(turn.get("content"))) for turn in turns]
    for name in ("prompt", "input", "inputs", "query"):
        if not data.get("messages") and data.get(name):
            messages += _from_input(data[name])
            break
    return Question(tuple(messages), _conversation(data), str(data.get("model") or ""))


def answer_in(body: bytes, content_type: str) -> Answer:
    """Read a response, streamed or whole, as far as it came; raises ValueError if it is neither."""
    if content_type.startswith("text/event-stream") or body.startswith((b"data:", b"event:")):
        return _assembled(_events(body))
    if content_type.startswith(("application/x-ndjson", "application/jsonl")):
        return _assembled(_objects(body.split(b"\n")))
    if "json" in content_type or body[:1] in (b"{", b"["):
        data = orjson.loads(body)
        return _assembled(iter(data if isinstance(data, list) else [data]))
    return Answer()


def _events(body: bytes) -> Iterator[dict[str, Any]]:
    yield from _objects(line[5:].strip() for line in body.splitlines() if line.startswith(b"data:"))


def _objects(lines: Any) -> Iterator[dict[str, Any]]:
    for line in lines:
        if line[:1] == b"{":
            try:
                yield orjson.loads(line)
            except orjson.JSONDecodeError:
                continue  # a cut or malformed event; what came before and after it still counts


def _assembled(parts: Iterator[Any]) -> Answer:
    identity = reason = ""
    texts: list[str] = []
    tools: dict[int, list[str]] = {}
    for part in parts:
        if not isinstance(part, dict):
            continue
        whole = part.get("response") if isinstance(part.get("response"), dict) else part.get("message")
        named = whole if isinstance(whole, dict) else {}
        identity = identity or str(part.get("id") or named.get("id") or "")
        texts += _pieces(part)
        choice = _first(part.get("choices"))
        _gather_tools(choice, tools)
        reason = str(choice.get("finish_reason") or _stop_reason(part) or part.get("done_reason") or reason)
    calls = [f"{name}({arguments})" for name, arguments in tools.values()]
    return Answer(identity[:256], "\n".join(["".join(texts), *calls]) if calls else "".join(texts), reason)


def _stop_reason(part: dict[str, Any]) -> Any:
    """Return why the Messages API stopped; a stream reports it in a delta."""
    delta = part.get("delta")
    return part.get("stop_reason") or (delta.get("stop_reason") if isinstance(delta, dict) else None)


def _pieces(part: dict[str, Any]) -> Iterator[str]:
    choice = _first(part.get("choices"))
    if choice:
        said = choice.get("delta") or choice.get("message") or {}
        yield _text(said.get("content")) or _text(said.get("refusal")) or _text(choice.get("text"))
    elif isinstance(part.get("delta"), str) and str(part.get("type", "")).endswith("text.delta"):  # Responses API
        yield part["delta"]
    elif isinstance(part.get("delta"), dict):  # Messages API
        yield _text(part["delta"].get("text"))
    elif isinstance(part.get("message"), dict) and "type" not in part:  # Ollama chat
        yield _text(part["message"].get("content"))
    elif isinstance(part.get("token"), dict):  # TGI stream
        yield "" if part["token"].get("special") else _text(part["token"].get("text"))
    elif "type" not in part or part.get("type") == "message":
        yield _text(part.get("response") if isinstance(part.get("response"), str) else None) or _text(
            part.get("content") or part.get("generated_text") or part.get("output")
        )


def _gather_tools(choice: dict[str, Any], tools: dict[int, list[str]]) -> None:
    said = choice.get("delta") or choice.get("message") or {}
    for position, call in enumerate(_list(said.get("tool_calls"))):
        if isinstance(call, dict) and isinstance(call.get("function"), dict):
            entry = tools.setdefault(int(call.get("index") or position), ["", ""])
            entry[0] += str(call["function"].get("name") or "")
            entry[1] += str(call["function"].get("arguments") or "")


def _from_input(value: Any) -> list[Message]:
    if isinstance(value, str):
        return [Message("user", value)]
    turns = [turn for turn in _list(value) if isinstance(turn, dict) and "role" in turn]
    if turns:
        return [Message(str(turn["role"]), _text(turn.get("content"))) for turn in turns]
    return [Message("user", text) for text in _list(value) if isinstance(text, str)]


def _text(content: Any) -> str:
    """Return the text of a content that is a string or a list of parts; pictures and sounds have none."""
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        return _text(content.get("text") or content.get("content"))
    return "\n".join(text for part in _list(content) if (text := _text(part)))


def _conversation(data: dict[str, Any]) -> str:
    places = [data, data.get("metadata"), data.get("extra_body")]
    for place in places:
        for name in ("conversation_id", "session_id", "thread_id"):
            if isinstance(place, dict) and isinstance(place.get(name), str):
                return str(place[name])
    return ""


def _first(value: Any) -> dict[str, Any]:
    return value[0] if isinstance(value, list) and value and isinstance(value[0], dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
