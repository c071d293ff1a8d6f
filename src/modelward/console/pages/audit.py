"""The page Audit: who read which text, and whether the record is whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from modelward.api.views import AuditPage, AuditRow
from modelward.console.pages.moment import ShownMoment, moment


@dataclass(frozen=True, slots=True)
class ShownAct:
    """One act."""

    at: ShownMoment
    who: str
    verb: str
    object: str
    count: str
    filter: str
    ids: tuple[str, ...]
    allowed: bool
    token: str


@dataclass(frozen=True, slots=True)
class ShownAudit:
    """What the template writes."""

    namespace: str
    namespaces: tuple[str, ...]
    rows: tuple[ShownAct, ...]
    whole: bool
    problem: str
    following: str


def shown_audit(found: AuditPage | None, namespace: str, namespaces: Sequence[str], now_ms: int) -> ShownAudit:
    """Return the page; without a namespace it asks for one."""
    rows = tuple(_act(one, now_ms) for one in found.rows) if found else ()
    following = f"/audit?{urlencode({'ns': namespace, 'cursor': found.cursor})}" if found and found.cursor else ""
    return ShownAudit(
        namespace,
        tuple(namespaces),
        rows,
        found.whole if found else True,
        found.problem if found else "",
        following,
    )


def _act(one: AuditRow, now_ms: int) -> ShownAct:
    return ShownAct(
        at=moment(one.time_ms, now_ms),
        who=f"{one.who}, for {one.by}" if one.by else one.who,
        verb=one.verb,
        object=one.object,
        count=f"{one.count:,}",
        filter=one.filter,
        ids=one.ids,
        allowed=one.allowed,
        token=one.token,
    )
