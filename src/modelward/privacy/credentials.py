"""Secrets: keys of well-known formats, bearer headers, private keys, passwords in URLs and in words.

Formats follow the rules of gitleaks (config/gitleaks.toml), but a key may be followed by a full stop, as in prose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from modelward.privacy.span import Span

API_KEY, BEARER_TOKEN, PRIVATE_KEY, PASSWORD, URL_CREDENTIALS = (
    "API_KEY", "BEARER_TOKEN", "PRIVATE_KEY", "PASSWORD", "URL_CREDENTIALS",
)  # fmt: skip

_KEY_FORMATS = (
    r"(?:AKIA|ASIA|ABIA|ACCA|AIDA|AROA)[A-Z0-9]{16}(?![A-Za-z0-9])",  # AWS
    r"gh[pousr]_[A-Za-z0-9]{36,255}",  # GitHub
    r"github_pat_\w{22,255}",
    r"gl(?:pat|ptt|dt|rt|cbt|agent|soat|ft|imt)-[\w-]{20,255}",  # GitLab
    r"sk-[A-Za-z0-9_-]{20,255}",  # OpenAI, Anthropic, OpenRouter, DeepSeek
    r"(?:gsk|r8|pplx|xai|tgp_v1|nvapi|csk|fw)[_-][A-Za-z0-9_-]{24,255}",  # Groq, Replicate, Perplexity, xAI
    r"AIza[\w-]{35}(?![\w-])",  # Google
    r"(?:GOCSPX-[\w-]{28}|ya29\.[\w-]{20,255})",
    r"xox[abeoprs]-[A-Za-z0-9-]{10,255}",  # Slack
    r"xapp-[0-9]-[A-Za-z0-9-]{10,255}",
    r"(?:sk|rk|pk)_(?:live|test|prod)_[A-Za-z0-9]{16,255}",  # Stripe
    r"whsec_[A-Za-z0-9+/=]{24,255}",
    r"hf_[A-Za-z0-9]{30,255}",  # Hugging Face
    r"npm_[A-Za-z0-9]{36}",
    r"pypi-[\w-]{50,255}",
    r"SG\.[\w-]{16,32}\.[\w-]{32,64}",  # SendGrid
    r"(?:SK|AC)[0-9a-f]{32}(?![0-9a-f])",  # Twilio
    r"key-[0-9a-f]{32}(?![0-9a-f])",  # Mailgun
    r"do[opr]_v1_[0-9a-f]{64}",  # DigitalOcean
    r"shp(?:at|ca|pa|ss)_[0-9A-Fa-f]{32}",  # Shopify
    r"dapi[0-9a-f]{32}(?:-[0-9])?",  # Databricks
    r"hv[sbr]\.[\w-]{24,255}",  # Vault
    r"gl(?:sa|c)_[A-Za-z0-9+/=_]{32,255}",  # Grafana
    r"lin_api_[A-Za-z0-9]{40}",
    r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}",
    r"NRAK-[A-Z0-9]{27}",
    r"[0-9]{8,10}:AA[\w-]{33}",  # Telegram
    r"AGE-SECRET-KEY-1[0-9A-Z]{58}",
    r"https://hooks\.slack\.com/services/[\w/+-]{40,60}",
)
_API_KEY = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(_KEY_FORMATS)})", re.ASCII)
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]{10,4096}\.eyJ[\w-]{10,4096}\.[\w-]{10,4096}", re.ASCII)
_BEARER = re.compile(r"(?i)(?<![a-z])(?:bearer|authorization:[ ]?basic)[ \t]{1,4}([\w.~+/=-]{16,4096})", re.ASCII)
_KEY_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_URL = re.compile(r"(?i)(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{1,24}://([^\s:/@\[\]\"']{0,128}:[^\s@\[\]\"']{1,256})@")
_ASSIGNED = re.compile(
    r"(?i)(?<![a-z])(?:pass(?:word|wd|phrase|code)|pwd|pin|secret|credentials?|(?:api|access|secret|private|account|signing|encryption)"
    r"[ _-]?key|(?:access|auth|refresh|api|secret|session|bearer)?[ _-]?token|client[ _-]?secret)[\"'`]?"
    r"(?P<sign>[ \t]{0,3}(?::=|=>|[:=])[ \t]{0,3}|[ \t]{1,3}(?:is|was|to|are)[ \t]{0,3}:?[ \t]{1,3})"
    r"[\"'`]?(?P<value>[^\s\"'`,;<>\[\]{}]{4,256})",
    re.ASCII,
)
_PLACEHOLDER = re.compile(
    r"(?i)\$|\*|x{3}|your|example|changeme|placeholder|redacted|env[.(]|process\.|os\.|none$|null$|true$"
)
_MIN_ASSIGNED = 6


def api_keys(text: str) -> Iterator[Span]:
    """Find keys whose format says what they are."""
    for found in _API_KEY.finditer(text):
        yield Span(API_KEY, found.start(), found.end())


def bearer_tokens(text: str) -> Iterator[Span]:
    """Find JSON web tokens, and what follows `Bearer`."""
    for found in _JWT.finditer(text):
        yield Span(BEARER_TOKEN, found.start(), found.end())
    for found in _BEARER.finditer(text):
        if any(letter.isdigit() for letter in found.group(1)):
            yield Span(BEARER_TOKEN, found.start(1), found.end(1))


def private_keys(text: str) -> Iterator[Span]:
    """Find PEM private keys; one whose end is cut off goes to the end of the text."""
    position = 0
    while begin := _KEY_BEGIN.search(text, position):
        end = _KEY_END.search(text, begin.end())
        position = end.end() if end else len(text)
        yield Span(PRIVATE_KEY, begin.start(), position)


def url_credentials(text: str) -> Iterator[Span]:
    """Find `user:password` in URLs, databases' too."""
    if "://" in text:
        for found in _URL.finditer(text):
            yield Span(URL_CREDENTIALS, found.start(1), found.end(1))


def passwords(text: str) -> Iterator[Span]:
    """Find values that a word announces: `password = ...`, `"api_key": "..."`, "the password is ..."."""
    for found in _ASSIGNED.finditer(text):
        value = found["value"].rstrip(".!?:)")
        if _looks_secret(value, in_prose=found["sign"].strip(" \t:=>") != ""):
            start = found.start("value")
            yield Span(PASSWORD, start, start + len(value))


def _looks_secret(value: str, *, in_prose: bool) -> bool:
    if len(value) < _MIN_ASSIGNED or _PLACEHOLDER.match(value):
        return False
    digit = any(letter.isdigit() for letter in value)
    letter = any(letter.isalpha() for letter in value)
    symbol = any(not character.isalnum() and character not in "-_./'" for character in value)
    return (digit and letter) or (symbol and letter) or (not in_prose and digit)
