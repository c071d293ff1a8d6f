"""A log record is one line, whatever is in it."""

import json
import logging
import sys

from modelward.cli.logs import JsonFormatter, TextFormatter


def record(message: str, *args: object, failed: bool = False) -> logging.LogRecord:
    made = logging.LogRecord("modelward.x", logging.INFO, __file__, 1, message, args, None)
    made.created = 1_800_000_000.25
    if failed:
        try:
            raise ValueError("odd")
        except ValueError:
            made.exc_info = sys.exc_info()
    return made


def test_log_lines_are_one_line_whatever_is_in_them() -> None:
    line = TextFormatter().format(record("refused reason=%s", "no\nsuch\nthing\u2028\x1b[2K"))
    assert line == "2027-01-15T08:00:00.250Z INFO modelward.x refused reason=no\\nsuch\\nthing\\u2028\\x1b[2K"


def test_log_lines_in_json_carry_the_traceback() -> None:
    text = JsonFormatter().format(record("broke key=%s", "a/b", failed=True))
    entry = json.loads(text)
    assert "\n" not in text
    assert entry["message"] == "broke key=a/b"
    assert entry["exception"].endswith("ValueError: odd")
    assert TextFormatter().format(record("broke", failed=True)).endswith("ValueError: odd")
