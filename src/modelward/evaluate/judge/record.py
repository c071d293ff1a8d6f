"""What a judge is shown of one exchange."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from modelward.api.exchange import Exchange
from modelward.api.judge import JudgePart
from modelward.privacy.redaction import redact

MAX_CHARS = 6_000
"""Of one text; a longer one loses its middle, because questions and conclusions stand at the ends."""
_TURN_CHARS = 1_500
_TURNS = 10
_CONTEXTS = 8
_CONTEXT_ROLES = frozenset({"tool", "function", "context"})


@dataclass(frozen=True, slots=True)
class JudgedRecord:
    """One exchange as data; `turns` are (role, text) of the conversation before the question."""

    id: str
    question: str = ""
    answer: str = ""
    system: str = ""
    turns: tuple[tuple[str, str], ...] = ()
    context: tuple[str, ...] = ()

    def fields(self, sees: tuple[JudgePart, ...]) -> dict[str, object]:
        """Return the parts that a judge sees, shortened, in an order of our own."""
        every: Mapping[JudgePart, tuple[str, object]] = {
            "System": ("system", shortened(self.system)),
            "Conversation": ("conversation", [[role, shortened(text, _TURN_CHARS)] for role, text in self.turns]),
            "Context": ("context", [shortened(text) for text in self.context]),
            "Question": ("question", shortened(self.question)),
            "Answer": ("answer", shortened(self.answer)),
        }
        return dict(field for part, field in every.items() if part in sees)


def record_of(exchange: Exchange, *, masked: bool = False) -> JudgedRecord:
    """Return an exchange as a judge's record; `masked` hides personal data and secrets that were captured in full."""
    if masked and exchange.content == "Full":
        exchange = _masked(exchange)
    messages = exchange.messages
    asked = max((place for place, one in enumerate(messages) if one.role == "user"), default=len(messages))
    spoken = [(one.role, one.text) for one in messages[:asked] if one.role in ("user", "assistant")]
    return JudgedRecord(
        exchange.id,
        exchange.question,
        exchange.response,
        "\n".join(one.text for one in messages if one.role == "system"),
        tuple(spoken[-_TURNS:]),
        tuple(one.text for one in messages if one.role in _CONTEXT_ROLES)[-_CONTEXTS:],
    )


def _masked(exchange: Exchange) -> Exchange:
    messages = tuple(replace(one, text=redact(one.text).text) for one in exchange.messages)
    return replace(exchange, messages=messages, response=redact(exchange.response).text)


def shortened(text: str, chars: int = MAX_CHARS) -> str:
    """Return the text, or both its ends where it is longer."""
    if len(text) <= chars:
        return text
    head = chars * 2 // 3
    return f"{text[:head]} [...] {text[head - chars :]}"
