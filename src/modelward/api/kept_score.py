"""One exchange's score as the hub keeps it: so that nothing is paid for twice, and for what others have scored.

Scores lie in sets. A set is all that one version of an evaluator with one configuration has scored of an endpoint, or
all that one source outside calls by one name.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from modelward.api.exchange import Exchange, real_number, whole_number

KeptState = Literal["Scored", "NotApplicable", "Abstained"]
"""What failed is not kept: it is scored again."""
MAX_EXPLANATION = 300
_SHOWN = "0" * 8
_SET = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")


@dataclass(frozen=True, slots=True)
class KeptScore:
    """A score by the id of its exchange, which began at `time_ms`; `record` is a digest of what was judged.

    Of a score from outside `time_ms` is when it came, and `flagged` may be left open for a threshold to decide.
    """

    id: str
    time_ms: int
    state: KeptState = "Scored"
    flagged: bool | None = None
    value: float | None = None
    number: float | None = None
    label: str = ""
    record: str = ""
    conversation: str = ""
    by: str = ""
    """How and by which model it was judged, where one was asked."""
    explanation: str = ""
    """Why a judge, container or webhook decided, redacted: kept and shown where text of the exchange may be."""


def evaluator_set(kind: str, name: str, version: str, config: Mapping[str, Any]) -> str:
    """Return the set of an evaluator: another version or another configuration has another one."""
    return _digest(["evaluator", kind, name, version, json.dumps(dict(config), sort_keys=True, default=str)])


def shown_set(policy: str, evaluation: str) -> str:
    """Return the set of what an evaluation made of exchanges, for people to see: the first to make way for others."""
    return _SHOWN + _digest(["shown", policy, evaluation])[len(_SHOWN) :]


def is_shown_set(text: str) -> bool:
    """Return whether a set is only for people to see; no other begins like it, but by a chance of one in 4 billion."""
    return text.startswith(_SHOWN)


def imported_set(source: str, name: str) -> str:
    """Return the set of what a source outside calls by a name."""
    return _digest(["imported", source, name])


def record_digest(exchange: Exchange) -> str:
    """Return what tells one state of a record from another: a policy that shows less of it begins anew."""
    texts = [[message.role, message.text] for message in exchange.messages]
    return _digest([exchange.content, texts, exchange.response, exchange.truncated])[:16]


def is_score_set(text: str) -> bool:
    """Return whether a text names a set."""
    return _SET.fullmatch(text) is not None


def is_score_name(text: Any) -> bool:
    """Return whether a text may name a source, or what it scores."""
    return isinstance(text, str) and _NAME.fullmatch(text) is not None


def kept_score_to_json(score: KeptScore) -> dict[str, Any]:
    """Return the JSON object without what is empty; the inverse of `kept_score_from_json`."""
    return {name: value for name, value in asdict(score).items() if value not in (None, "") and value != "Scored"}


def kept_score_from_json(row: Mapping[str, Any]) -> KeptScore:
    """Read a score; KeyError, TypeError, ValueError, AttributeError or OverflowError when it is none."""
    value, number, flagged = row.get("value"), row.get("number"), row.get("flagged")
    state: Any = row.get("state", "Scored")
    found = KeptScore(
        str(row["id"]),
        whole_number(row["time_ms"]),
        state,
        None if flagged is None else flagged is True,
        None if value is None else real_number(value),
        None if number is None else real_number(number),
        str(row.get("label", "")),
        str(row.get("record", "")),
        str(row.get("conversation", "")),
        str(row.get("by", "")),
        str(row.get("explanation", ""))[:MAX_EXPLANATION],
    )
    if found.value is not None and not 0.0 <= found.value <= 1.0:
        raise ValueError("a value lies in 0 to 1")
    if state not in get_args(KeptState) or not isinstance(flagged, bool | None):
        raise ValueError("state is Scored, NotApplicable or Abstained, and flagged true or false")
    if not found.id or found.time_ms < 0:
        raise ValueError("a score has the id of an exchange, and a time")
    return found


def _digest(parts: Any) -> str:
    text = json.dumps(parts, separators=(",", ":")).encode("utf-8", "replace")
    return hashlib.blake2b(text, digest_size=16).hexdigest()
