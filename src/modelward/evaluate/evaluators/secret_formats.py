"""Formats of secrets beyond those that the collector masks: seen in text that it did not search, or left as it was."""

from __future__ import annotations

import re

MAX_CHARS = 400_000
"""Of a text; what follows is not searched."""
_FORMATS = (
    r"ABSK[A-Za-z0-9+/]{80,280}",  # Amazon Bedrock
    r"dt0[a-z][0-9]{2}\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{64}",  # Dynatrace
    r"[0-9]{15,16}(?:\||%)[\w-]{27,40}",  # Facebook apps
    r"SG\.[\w=.-]{50,100}",  # SendGrid
    r"SK[0-9a-fA-F]{32}(?![0-9a-zA-Z])",  # Twilio
    r"fio-u-[\w=-]{60,80}|dnkey-[\w=-]{26}-[\w=-]{52}|duffel_(?:test|live)_[\w=-]{40,60}",
    r"pscale_(?:tkn|pw|oauth)_[\w=.-]{32,80}|[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,80}|EAAA[\w-]{22,80}",
    r"[sp]at\.[\w-]{22}\.[0-9A-Za-z]{24}\.[0-9A-Za-z]{20}",  # Harness
    r"(?:sc|ext|scauth|authress)_[a-z0-9]{5,30}\.[a-z0-9]{4,6}\.acc[_-][\w-]{10,40}\.[\w+/=-]{30,130}",  # Authress
    r"ey[A-Za-z0-9]{17,4000}\.ey[\w/\\-]{17,4000}\.[\w/\\-]{10,4000}",  # JSON web tokens, escaped ones too
    r"ZXlK[A-Za-z0-9+/_=\s\\-]{60,4000}",  # the same in base64
    r"xoxe\.?xox[bp]-[0-9]-[A-Z0-9]{160,170}",  # Slack
    r"[0-9]{5,16}:A[\w-]{34}(?![\w-])",  # Telegram
    r"_gitlab_session=[0-9a-z]{32}",
    r"\w{1,63}\.webhook\.office\.com/webhookb2/[\w@/.-]{60,300}",  # Teams
)
_KNOWN = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(_FORMATS)})", re.ASCII)
_PEM = re.compile(r"-----BEGIN[ A-Z0-9_-]{0,100}PRIVATE KEY", re.IGNORECASE)
_NUGET = re.compile(r"<add key=\"(?:ClearText)?Password\"\s{0,8}value=\"[^\"\n]{8,200}\"", re.IGNORECASE)
_CURL = re.compile(
    r"(?<!\w)curl(?!\w)[^|;]{0,400}?\s(?:"
    r"(?:-H|--header)[ =]{0,5}[\"'](?:Authorization|X-[\w-]{0,30}(?:Key|Token)|(?:Api-?)?Key|Token):[ ]?"
    r"(?:(?:Basic|Bearer|Token)[ ])?[\w=~@.+/-]{8,}"
    r"|(?:-u|--user)[ =]{0,5}[\"']?[^\"'\s:][^\"':\n]{2,80}:[^\"'\s]{3,80})",
    re.IGNORECASE,
)
_MANIFEST = re.compile(
    r"^[ \t]{0,20}[\w.-]{1,80}:[ \t]{1,4}[\"']?[A-Za-z0-9+/]{10,4000}={0,2}[\"']?[ \t]*$", re.MULTILINE
)
_SEPARATOR = r"[\w .-]{0,20}[\s\"']{0,3}(?:=>|\?=|:{1,3}=|\|\||[=>:,])[`\"'\s=]{0,5}"
_SERVICE = re.compile(
    rf"(?<![a-z])(?:airtable|atlassian|bintray|confluence|confluent|cohere|dropbox|etsy|jira|linked[_-]?in|looker|new-york-times"
    rf"|nytimes|plaid|sumo|telegr|twitch|twitter|contribsys__com){_SEPARATOR}([a-z0-9_=:-]{{14,256}})(?![\w-])",
    re.IGNORECASE,
)  # fmt: skip
_NAMED = re.compile(
    rf"(?<![a-z])(?:access|auth|api|credentials?|creds|key|passw(?:or)?d|secret|token){_SEPARATOR}([\w.=+/-]{{16,150}})(?![\w-])",
    re.IGNORECASE,
)
_CHANGE = re.compile(r"(?<=[a-zA-Z])(?=[0-9])|(?<=[0-9])(?=[a-zA-Z])")
_HASH = re.compile(
    r"[0-9a-fA-F]+|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|sha[0-9]{1,3}[-:].*", re.IGNORECASE
)
_FEWEST_CHANGES = 4


def holds_secret(text: str) -> bool:
    """Return whether a text holds a secret of one of these formats, or a random word that a name of keys announces."""
    text = text[:MAX_CHARS]
    if _KNOWN.search(text) or _PEM.search(text) or _NUGET.search(text) or ("curl" in text and _CURL.search(text)):
        return True
    if _is_manifest(text):
        return True
    return any(_is_random(one[1]) for pattern in (_SERVICE, _NAMED) for one in pattern.finditer(text))


def _is_manifest(text: str) -> bool:
    """Say whether a text is a Secret of Kubernetes with a value in it."""
    low = text.lower()
    return "kind" in low and "secret" in low and "data:" in low and _MANIFEST.search(text) is not None


def _is_random(word: str) -> bool:
    """Say whether letters and digits take turns in a word as in no name, and it is no hash."""
    return len(_CHANGE.findall(word)) >= _FEWEST_CHANGES and _HASH.fullmatch(word) is None
