"""How log lines read, for every command that runs until it is stopped."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Literal

_ESCAPED = {
    code: chr(code).encode("unicode_escape").decode() for code in (*range(32), *range(127, 160), 0x2028, 0x2029)
}
"""What ends a line or moves the cursor: C0 and C1 controls, and Unicode's line and paragraph separators."""


class TextFormatter(logging.Formatter):
    """One line: time, level, logger, message; control characters in it are escaped, only tracebacks span lines."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        message = record.getMessage().translate(_ESCAPED)
        line = f"{_time(record)} {record.levelname} {record.name} {message}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """One JSON object on one line, the traceback in it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        entry = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def configure_logging(style: Literal["text", "json"], level: str) -> None:
    """Log to standard error in one of two styles; libraries only from WARNING on."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for library in ("kopf", "aiohttp", "asyncio", "kubernetes"):
        logging.getLogger(library).setLevel(logging.WARNING)
    # At each start it warns that signals are not its own to handle, which is as we want it.
    logging.getLogger("kopf._core.reactor.running").setLevel(logging.ERROR)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
