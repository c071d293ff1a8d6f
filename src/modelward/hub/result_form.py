"""What a result may say: numbers, names and labels, but no free text, because it goes on into status."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from modelward.api.evaluation import Example, WindowResult
from modelward.api.window_answer import MAX_MOVED, Moved, WindowTest
from modelward.hub.errors import bad_request
from modelward.privacy.redaction import redact

REVISIONS = 100
EXAMPLES = 10
OTHER = "other"
_LABEL = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}|")
_WORD = re.compile(r"[A-Za-z0-9_.:/@+-]{0,253}")
_ID = re.compile(r"[!-~]{1,256}")
TESTS = 10
_PART = re.compile(r"(?:[^\W_]|[.+-]){1,64}")
"""A topic's words, a word or a range of numbers: letters of any script and digits, joined by signs of numbers."""
_PART_ID, _SKETCH = re.compile(r"[a-z0-9-]{0,32}"), re.compile(r"[A-Za-z0-9+/=]{0,100}")


def bounded(result: WindowResult) -> WindowResult:
    """Return the result with examples that may be shown; HubError 400 when a name in it is none.

    A label that is none becomes `other`, since it may come from an exchange that a client shaped; an id that no engine
    gives is left out. Both cost their own example only.
    """
    facts = result.evaluator
    tested = [word for test in result.tests for word in (test.revision, test.reason)]
    words = (result.run, result.reason, facts.name, facts.version, *result.revisions, *result.examples, *tested)
    if not all(_WORD.fullmatch(word) for word in words):
        raise bad_request("run, reason, evaluator and revisions are names of at most 253 letters, digits and _.:/@+-")
    if len(result.revisions) > REVISIONS:
        raise bad_request(f"more than {REVISIONS} revisions in one window")
    tests = tuple(replace(test, moved=_parts(test), cause=_cause(test)) for test in result.tests[:TESTS])
    return replace(result, examples={name: _examples(rows) for name, rows in result.examples.items()}, tests=tests)


def plain_label(label: str) -> str:
    """Return a label that came from outside: itself where it is a word without personal data, else `other`."""
    return label if _LABEL.fullmatch(label) and not redact(label).findings else OTHER


def without_moved(result: WindowResult) -> WindowResult:
    """Return the result without the names of what moved, which are made of texts; the numbers stay."""
    return replace(result, tests=tuple(replace(test, moved=()) for test in result.tests))


def _parts(test: WindowTest) -> tuple[Moved, ...]:
    return tuple(
        one
        for one in test.moved[:MAX_MOVED]
        if _PART.fullmatch(one.label) and _PART_ID.fullmatch(one.id) and _SKETCH.fullmatch(one.sketch)
    )


def _cause(test: WindowTest) -> str:
    return test.cause if _LABEL.fullmatch(test.cause) else OTHER


def _examples(rows: Iterable[Example]) -> tuple[Example, ...]:
    named = [row for row in rows if _ID.fullmatch(row.id)][:EXAMPLES]
    return tuple(row if _LABEL.fullmatch(row.label) else Example(row.id, OTHER) for row in named)
