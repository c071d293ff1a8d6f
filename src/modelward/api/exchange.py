"""The record of one request and its answer, as it travels from a collector through the hub to an evaluator."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Content = Literal["None", "MetadataOnly", "Redacted", "Full"]
CONTENT_ORDER: tuple[Content, ...] = ("None", "MetadataOnly", "Redacted", "Full")
"""From the least to the most revealing; where policies differ the least revealing wins."""

Outcome = Literal["ok", "error", "cancelled"]
_LONGEST_MS = 86_400_000
_INTEGER_LIMIT = 1 << 63


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of the conversation that was sent to the model; `text` is empty unless content was captured."""

    role: str
    text: str


def last_question(messages: Sequence[Message]) -> str:
    """Return the last thing that the user said, empty where nothing was."""
    return next((message.text for message in reversed(messages) if message.role == "user"), "")


@dataclass(frozen=True, slots=True)
class Redaction:
    """How often one kind of personal data or secret was masked, so that it can be judged without raw text.

    `subject` is where it stood; `echoed` is true when an answer only repeats what the prompt held.
    """

    kind: str
    count: int
    subject: Literal["prompt", "response"]
    echoed: bool = False


@dataclass(frozen=True, slots=True)
class Timings:
    """Durations of one exchange in milliseconds; None where there is no such moment (no stream, no token)."""

    duration_ms: float
    first_token_ms: float | None = None
    per_output_token_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the engine counted them in `usage`; None where it said nothing, never a guess."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One sampled request and its answer.

    `id` is the response's own id where it has one, so that feedback can name it; `time_ms` is the Unix time at which
    the request was complete; `outcome` is `error` for every request that failed, and `status` says whose doing it was;
    `conversation` is a keyed hash; `inclusion` the probability (0..1] with which it was sampled. `searched` says
    whether its texts were searched for personal data and secrets: a record by hand without `redactions` was not.
    """

    id: str
    time_ms: int
    endpoint: str
    model: str
    revision: str
    operation: str
    status: int
    outcome: Outcome
    content: Content
    messages: tuple[Message, ...] = ()
    response: str = ""
    finish_reason: str = ""
    usage: Usage = field(default_factory=Usage)
    timings: Timings = field(default_factory=lambda: Timings(0.0))
    caller: str = ""
    prompt_template: str = ""
    conversation: str = ""
    redactions: tuple[Redaction, ...] = ()
    inclusion: float = 1.0
    truncated: bool = False
    searched: bool = True

    @property
    def namespace(self) -> str:
        """Namespace of the endpoint that served it; `endpoint` is `namespace/name`."""
        return self.endpoint.partition("/")[0]

    @property
    def question(self) -> str:
        """The last thing that the user said, which is what topic and refusal checks judge."""
        return last_question(self.messages)


def ended_ms(time_ms: int, duration_ms: float) -> int:
    """Return when an exchange ended, in Unix milliseconds; a duration that cannot be true counts as none.

    Windows go by the end and not by the beginning: an exchange is known only then, so that none falls between two.
    """
    return time_ms + round(duration_ms) if 0 <= duration_ms <= _LONGEST_MS else time_ms


def exchange_to_json(exchange: Exchange) -> dict[str, Any]:
    """Return the plain JSON object of the exchange; the inverse of `exchange_from_json`."""
    data = asdict(exchange)
    if not data.pop("searched"):
        del data["redactions"]
    return data


def exchange_from_json(data: Mapping[str, Any]) -> Exchange:
    """Build an exchange from decoded JSON.

    Unknown keys are ignored, so that an older reader accepts a newer writer. Raises ValueError when something
    required is absent or has the wrong shape, a number that JSON of 64 bits cannot hold included: every exchange that
    was read can be written again.
    """
    try:
        return Exchange(
            id=str(data["id"]),
            time_ms=whole_number(data["time_ms"]),
            endpoint=str(data["endpoint"]),
            model=str(data["model"]),
            revision=str(data.get("revision", "")),
            operation=str(data["operation"]),
            status=whole_number(data["status"]),
            outcome=_one_of(data["outcome"], ("ok", "error", "cancelled")),
            content=_one_of(data["content"], CONTENT_ORDER),
            messages=tuple(Message(str(m["role"]), str(m["text"])) for m in _rows(data, "messages")),
            response=str(data.get("response", "")),
            finish_reason=str(data.get("finish_reason", "")),
            usage=_numbers(Usage, data.get("usage") or {}, whole_number),
            timings=_numbers(Timings, data.get("timings") or {"duration_ms": 0.0}, real_number),
            caller=str(data.get("caller", "")),
            prompt_template=str(data.get("prompt_template", "")),
            conversation=str(data.get("conversation", "")),
            redactions=tuple(_redaction(row) for row in _rows(data, "redactions")),
            inclusion=_probability(data.get("inclusion", 1.0)),
            truncated=bool(data.get("truncated", False)),
            searched="redactions" in data,
        )
    except KeyError as error:
        raise ValueError(f"not an exchange: {error.args[0]} is missing (docs/exchange.md lists the fields)") from error
    except (TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"not an exchange: {type(error).__name__}: {error}") from error


def whole_number(value: Any) -> int:
    """Return a number of decoded JSON as an integer of 64 bits; ValueError, TypeError or OverflowError if not one."""
    number = int(value)
    if not -_INTEGER_LIMIT <= number < _INTEGER_LIMIT:
        raise OverflowError("an integer has more than 64 bits")
    return number


def real_number(value: Any) -> float:
    """Return a number of decoded JSON as a finite float; ValueError, TypeError or OverflowError when it is none."""
    number = float(value)
    if not math.isfinite(number):
        raise OverflowError("a number is not finite")
    return number


def _rows(data: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    return data.get(key) or ()


def _one_of(value: Any, allowed: tuple[Any, ...]) -> Any:
    if value not in allowed:
        raise ValueError(f"not an exchange: {value!r} is none of {', '.join(allowed)}")
    return value


def _probability(value: Any) -> float:
    number = float(value)
    if not 0.0 < number <= 1.0:
        raise ValueError(f"not an exchange: inclusion {number} is not in (0, 1]")
    return number


def _numbers(kind: Any, row: Mapping[str, Any], number: Callable[[Any], Any]) -> Any:
    known = {name: row[name] for name in kind.__dataclass_fields__ if name in row}
    return kind(**{name: None if value is None else number(value) for name, value in known.items()})


def _redaction(row: Mapping[str, Any]) -> Redaction:
    subject = _one_of(row["subject"], ("prompt", "response"))
    return Redaction(str(row["kind"]), whole_number(row["count"]), subject, bool(row.get("echoed", False)))
