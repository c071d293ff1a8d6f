"""GitHub: an issue for each incident, found again by a mark in its body, and closed when the incident is over.

Limits: a title of 256 characters, a body of 65,536. Text stands in code spans, in which GitHub reads no mention, link,
reference or HTML.
"""

from __future__ import annotations

import json
from typing import Any

from modelward.alerts.message import AlertFact, AlertMessage
from modelward.alerts.receiver import (
    Addressee,
    Answered,
    HttpCall,
    Outgoing,
    ReceiverReply,
    SecretTemplate,
    Told,
    Undelivered,
)
from modelward.alerts.receivers.json_call import bearer, json_bytes
from modelward.alerts.receivers.kind import ReceiverKind
from modelward.alerts.receivers.replies import Replies, first_failure, undelivered
from modelward.alerts.receivers.text import footer, headline, left_out, lines, name_of
from modelward.api.alert_receivers import GitIssueReceiver
from modelward.api.quantity import timestamp

API = "https://api.github.com"
TITLE_CHARACTERS, BODY_CHARACTERS = 256, 60_000
ALERTS = 10
PAGE, PAGES = 20, 5
"""Issues that are read in search of ours: the newest of those that changed since the incident began."""
CLOCKS_APART_MS = 3_600_000
"""Clocks may differ by so much."""
_HINTS = {
    401: "the token is not valid",
    403: "the token may not write issues of this repository",
    404: "there is no such repository, or the token may not see it",
    410: "issues are turned off in this repository",
    422: "GitHub does not take this issue",
}


class GitHubIssues:
    """Finds the issue, opens or updates it, then comments; each step follows from the replies to those before."""

    def requests(self, message: AlertMessage, to: Addressee, replies: Replies = ()) -> tuple[Outgoing, ...]:
        """Return the next step: a page to search, the issue to write, or the comment on it."""
        if first_failure(replies):
            return ()
        issue = _block(to)
        pages, written = _split(to, replies)
        if not to.ref and not _found(message, pages) and not written and _more(pages):
            return (_page(issue, message, len(pages) + 1),)
        number = to.ref or _found(message, pages)
        if not written:
            return (_write(issue, message, number),)
        if len(written) == 1 and (number or message.kind == "Test"):
            return (_after(issue, message, number or _number(written[0])),)
        return ()

    def read(self, message: AlertMessage, to: Addressee, replies: Replies) -> Answered:
        """Return the issue's number."""
        if failed := first_failure(replies):
            hint = "too many requests" if failed.retry_after_s is not None else _HINTS.get(failed.status, "")
            return undelivered(failed, hint)
        pages, written = _split(to, replies)
        number = to.ref or _found(message, pages) or _number(written[0]) if written else ""
        return Told(number) if number else Undelivered("the answer is not GitHub's")


def _block(to: Addressee) -> GitIssueReceiver:
    if to.receiver.git_issue is None:
        raise ValueError(f"{to.receiver.name} is no receiver of issues")
    return to.receiver.git_issue


def _split(to: Addressee, replies: Replies) -> tuple[list[list[Any]], list[Any]]:
    """Return the pages that were searched, and what was written: pages are lists, an issue and a comment are not."""
    read = [_json(reply) for reply in replies]
    pages = [] if to.ref else [one for one in read if isinstance(one, list)]
    return pages, [one for one in read if not isinstance(one, list)]


def _json(reply: ReceiverReply) -> Any:
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError):
        return None


def _more(pages: list[list[Any]]) -> bool:
    return not pages or (len(pages) < PAGES and len(pages[-1]) == PAGE)


def mark(message: AlertMessage) -> str:
    """Return the line, unseen by people, by which the incident's issue is found."""
    return f"<!-- modelward:{message.key} -->"


def _found(message: AlertMessage, pages: list[list[Any]]) -> str:
    issues = [one for page in pages for one in page if isinstance(one, dict)]
    # Our mark is the last line of the body, so an issue that quotes it is not ours.
    ours = (one for one in issues if str(one.get("body") or "").rstrip().endswith(mark(message)))
    return next((number for one in ours if (number := _number(one))), "")


def _number(issue: Any) -> str:
    number = issue.get("number") if isinstance(issue, dict) else None
    return str(number) if isinstance(number, int) and number > 0 else ""


def _page(issue: GitIssueReceiver, message: AlertMessage, page: int) -> HttpCall:
    since = timestamp(min((fact.since_ms for fact in message.alerts), default=message.sent_ms) - CLOCKS_APART_MS)
    query = f"state=all&sort=created&direction=desc&per_page={PAGE}&page={page}&since={since}"
    return HttpCall("GET", (f"{_issues(issue)}?{query}",), _headers(issue))


def _write(issue: GitIssueReceiver, message: AlertMessage, number: str) -> HttpCall:
    """Open the issue, or change its title and body, and its state where the incident is over or begins again."""
    title = headline(message, TITLE_CHARACTERS)
    if not number:
        return _call(issue, "POST", _issues(issue), {"title": title, "body": body(message)})
    reason = "completed" if message.kind == "Resolved" else "not_planned"
    state = {"state": "closed", "state_reason": reason} if message.over else {"state": "open"}
    return _call(issue, "PATCH", f"{_issues(issue)}/{number}", {"title": title, "body": body(message), **state})


def _after(issue: GitIssueReceiver, message: AlertMessage, number: str) -> HttpCall:
    """Comment, because people are not notified of an edit; a test closes what it opened."""
    if message.kind == "Test":
        closed = {"state": "closed", "state_reason": "completed"}
        return _call(issue, "PATCH", f"{_issues(issue)}/{number}", closed)
    return _call(issue, "POST", f"{_issues(issue)}/{number}/comments", {"body": body(message)})


def _issues(issue: GitIssueReceiver) -> str:
    return f"{(issue.api_url or API).rstrip('/')}/repos/{issue.repository}/issues"


def _call(issue: GitIssueReceiver, method: Any, url: str, content: dict[str, Any]) -> HttpCall:
    headers = (*_headers(issue), ("Content-Type", ("application/json; charset=utf-8",)))
    return HttpCall(method, (url,), headers, json_bytes(content))


def _headers(issue: GitIssueReceiver) -> tuple[tuple[str, SecretTemplate], ...]:
    accepted: tuple[tuple[str, SecretTemplate], ...] = (
        ("Accept", ("application/vnd.github+json",)),
        ("X-GitHub-Api-Version", ("2022-11-28",)),
    )
    return (*accepted, *bearer(issue.token_from))


def body(message: AlertMessage) -> str:
    """Return the body: what people read, then the mark."""
    shown = message.alerts[:ALERTS]
    parts = [f"**{_code(headline(message))}**", *(_alert(fact, message.sent_ms) for fact in shown)]
    parts += [left_out(message, len(shown)), f"[Open in the console]({message.url})" if message.url else ""]
    parts += [f"<sub>{_code(footer(message))}</sub>"]
    return "\n\n".join(part for part in parts if part)[:BODY_CHARACTERS] + f"\n\n{mark(message)}"


def _alert(fact: AlertFact, sent_ms: int) -> str:
    rows = [f"- {line.label}: {_code(line.value)}" for line in lines(fact, sent_ms)]
    link = [f"- [Open in the console]({fact.url})"] if fact.url else []
    return "\n".join([f"### {_code(name_of(fact))}", *rows, *link])


def _code(text: str) -> str:
    """Return a code span; a backtick, which would end it, becomes an apostrophe."""
    return f"`{text.replace('`', chr(39))}`"


GITHUB = ReceiverKind("git_issue", GitHubIssues())
