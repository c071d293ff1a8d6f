"""Short fields of a record that a caller or a model server fills: they leave the pod even where no text does.

Roles and reasons are taken from the words that the APIs use; a model's name may be any name, but no personal datum.
"""

from __future__ import annotations

import re

from modelward.privacy.redaction import redact

OTHER = "other"
_ROLES = frozenset(
    ("", "system", "developer", "user", "assistant", "model", "tool", "function", "human", "ai", "context", "critic")
)
_REASON_WORDS = """
    stop length tool_calls function_call content_filter end_turn max_tokens stop_sequence tool_use pause_turn
    refusal model_context_window_exceeded eos_token abort error timeout cancelled completed complete incomplete
    failed max_output_tokens load unload eos safety recitation language blocklist prohibited_content spii
    malformed_function_call insufficient_system_resource repetition limit word guardrail_intervened error_toxic
"""
_REASONS = frozenset(_REASON_WORDS.split())
_CALLER_NAME = re.compile(r"[A-Za-z0-9][\w.:/-]{0,62}", re.ASCII)
_MODEL_NAME = re.compile(r"[A-Za-z0-9./@][\w./:@+-]{0,127}", re.ASCII)


def known_role(role: str) -> str:
    """Return the role if an API has it, else "other"."""
    return role if role in _ROLES else OTHER


def known_reason(reason: str) -> str:
    """Return why an answer ended if an API has that word, in its own writing, else "other"."""
    return reason if not reason or reason.lower() in _REASONS else OTHER


def plain_caller_name(name: str) -> str:
    """Return the name that a caller gave itself if it is one word without personal data or a secret, else "other"."""
    return name if _CALLER_NAME.fullmatch(name) and not redact(name).findings else OTHER


def plain_model_name(name: str) -> str:
    """Return a model's name if it is one word without personal data or a secret in it, else "other"; "" stays."""
    if not name or (_MODEL_NAME.fullmatch(name) and not redact(name).findings):
        return name
    return OTHER
