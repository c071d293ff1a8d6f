"""The content of mounted Secrets: read for each message, so that a rotated one is in use at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from modelward.alerts.receiver import SecretTemplate, SecretText
from modelward.desired.pod_additions import SECRETS_DIRECTORY

MAX_BYTES = 4_096


class SecretError(Exception):
    """A key is not there, or what it holds cannot be used; the message names the key and never what it holds."""

    def __init__(self, word: str, at: SecretText) -> None:
        """Keep the word for it."""
        super().__init__(f"{word} (key {at.key} of Secret {at.secret})")


@dataclass(frozen=True, slots=True)
class SecretFiles:
    """Each Secret is a folder, each key a file in it."""

    directory: Path = Path(SECRETS_DIRECTORY)

    def value(self, at: SecretText) -> str:
        """Return one value without spaces around it. Raises SecretError."""
        path = self.directory / at.secret / at.key
        if ".." in (at.secret, at.key) or "/" in f"{at.secret}{at.key}":
            raise SecretError("SecretNotFound", at)
        try:
            with path.open("rb") as file:
                raw = file.read(MAX_BYTES + 1)
        except OSError:
            raise SecretError("SecretNotFound", at) from None
        return _usable(raw, at)

    def filled(self, template: SecretTemplate) -> str:
        """Return text with the secrets in their places. Raises SecretError."""
        return "".join(part if isinstance(part, str) else self.value(part) for part in template)


def _usable(raw: bytes, at: SecretText) -> str:
    """Refuse what is empty, larger than any token, or would break a header or a URL."""
    try:
        text = raw.decode().strip()
    except UnicodeDecodeError:
        raise SecretError("SecretUnusable", at) from None
    if not text or len(raw) > MAX_BYTES or not text.isprintable() or " " in text:
        raise SecretError("SecretUnusable", at)
    return text
