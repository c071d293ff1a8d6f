"""What people say of exchanges: one word of each person, exchange and check, erased with the exchange."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import orjson

from modelward.api.calibration import OwnLabels
from modelward.api.exchange import whole_number
from modelward.api.exchange_page import LabelView
from modelward.api.views import Agreement
from modelward.hub import layout
from modelward.hub.damage import Damage
from modelward.hub.erased import Erased
from modelward.hub.errors import HubError
from modelward.hub.objects import ObjectStore
from modelward.hub.rules import Rule
from modelward.hub.scores import WITH_TEXT

MOST_OF_ENDPOINT, MOST_OF_NAMESPACE = 2_000, 10_000
"""Beyond either the oldest make way: of the endpoint, or of the namespace a label is refused."""
KEEP_MS = 400 * 24 * layout.HOUR_MS
_UNREADABLE = (KeyError, TypeError, AttributeError, ValueError, OverflowError, RecursionError)
_Key = tuple[str, str, str]
"""Exchange, name and author."""


@dataclass(frozen=True, slots=True)
class StoredLabel:
    """One person's word; `name` is `policy/evaluation`, `flagged` what the check had said when the person did."""

    id: str
    name: str
    author: str
    fault: bool
    at_ms: int
    exchange_ms: int
    conversation: str = ""
    flagged: bool | None = None
    text: str = ""

    @property
    def key(self) -> _Key:
        """By which a later word takes the place of an earlier one."""
        return self.id, self.name, self.author


@dataclass(slots=True)
class PeopleLabels:
    """All labels, in memory and as one object for each endpoint (`namespace/name`)."""

    objects: ObjectStore
    damage: Damage
    rule_of: Callable[[str], Rule]
    clock_ms: Callable[[], int]
    version: int = 0
    """Grows with each change."""
    _held: dict[str, dict[_Key, StoredLabel]] = field(default_factory=lambda: defaultdict(dict))
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def load(self) -> None:
        """Read all; what is damaged is set aside."""
        self._held.clear()
        for path in [path async for path, _ in self.objects.paths(layout.LABELS_PREFIX)]:
            endpoint = layout.labels_endpoint(path)
            if endpoint is None:
                continue
            try:
                rows = orjson.loads(await self.objects.get(path) or b"")["labels"]
                self._held[endpoint] = {one.key: one for one in map(_label_from_json, rows)}
            except _UNREADABLE:
                self.damage.found("labels", path)
                await self.damage.set_aside(path)
        self.version += 1

    async def put(self, endpoint: str, label: StoredLabel) -> None:
        """Store a word; HubError when the store refuses. Again is no harm."""
        async with self._writing:
            own = dict(self._held.get(endpoint, {}))
            own.pop(label.key, None)
            own[label.key] = label
            namespace = layout.namespace_of(endpoint)
            others = sum(len(rows) for name, rows in self._held.items() if name.startswith(f"{namespace}/"))
            if others - len(self._held.get(endpoint, {})) + len(own) > MOST_OF_NAMESPACE:
                told = f"a namespace has {MOST_OF_NAMESPACE} labels at most; erase old ones"
                raise HubError(507, "TooManyLabels", told)
            await self._write(endpoint, dict(list(own.items())[-MOST_OF_ENDPOINT:]))

    async def take_back(self, endpoint: str, key: _Key) -> None:
        """Delete a word."""
        async with self._writing:
            own = dict(self._held.get(endpoint, {}))
            if own.pop(key, None) is not None:
                await self._write(endpoint, own)

    def of(self, endpoint: str, exchange_id: str, reader: str) -> Iterable[LabelView]:
        """Return the words on one exchange, as they may be shown."""
        rule = self.rule_of(endpoint)
        for one in self._held.get(endpoint, {}).values():
            if one.id == exchange_id:
                text = one.text if rule.allowed(one.exchange_ms) in WITH_TEXT else ""
                yield LabelView(
                    name=one.name, fault=one.fault, text=text, author=one.author, time_ms=one.at_ms,
                    own=one.author == reader,
                )  # fmt: skip

    def counted(self, endpoint: str) -> dict[tuple[str, str], OwnLabels]:
        """Return by policy and evaluation what people found; an exchange of which they differ counts as none."""
        words: dict[tuple[str, str], set[tuple[bool, bool]]] = defaultdict(set)
        for one in self._held.get(endpoint, {}).values():
            if one.flagged is not None:
                words[one.name, one.id].add((one.flagged, one.fault))
        found: dict[tuple[str, str], OwnLabels] = defaultdict(OwnLabels)
        for (name, _), said in words.items():
            if len({fault for _, fault in said}) == 1:
                policy, _, evaluation = name.partition("/")
                found[policy, evaluation] = _with(found[policy, evaluation], *max(said))
        return dict(found)

    def agreed(self, endpoint: str) -> Mapping[tuple[str, str], Agreement]:
        """Return how often people agreed with each evaluation."""
        return {
            check: Agreement(
                flags=own.flagged, flags_agreed=own.flagged_faulty, others=own.others,
                others_agreed=own.others - own.others_faulty,
            )
            for check, own in self.counted(endpoint).items()
        }  # fmt: skip

    def endpoints(self) -> list[str]:
        """Return the endpoints of which there is any."""
        return sorted(self._held)

    async def erase(self, within: Callable[[str], bool], marks: Erased, ids: Collection[str]) -> None:
        """Delete the labels of exchanges that were erased."""
        gone = {*ids, *marks.exchanges}
        async with self._writing:
            for endpoint in [name for name in self._held if within(name)]:
                rows = self._held[endpoint]
                left = {key: one for key, one in rows.items() if one.id not in gone and not _erased(one, marks)}
                if len(left) < len(rows):
                    await self._write(endpoint, left)

    async def drop_forbidden(self) -> None:
        """Delete what no rule lets be kept, and words where text may not be kept."""
        now_ms = self.clock_ms()
        async with self._writing:
            for endpoint, rows in list(self._held.items()):
                left = {one.key: one for one in self._left(endpoint, rows.values(), now_ms)}
                if left != rows:
                    await self._write(endpoint, left)

    def _left(self, endpoint: str, rows: Iterable[StoredLabel], now_ms: int) -> Iterable[StoredLabel]:
        rule = self.rule_of(endpoint)
        for one in rows:
            allowed = rule.allowed(one.exchange_ms)
            if allowed == "None" or abs(now_ms - one.at_ms) > KEEP_MS:
                continue
            aged = one.exchange_ms < rule.nothing_before_ms(now_ms)
            yield replace(one, text="", conversation="") if aged or allowed not in WITH_TEXT else one

    async def _write(self, endpoint: str, rows: dict[_Key, StoredLabel]) -> None:
        path = layout.labels_path(endpoint)
        if rows:
            await self.objects.put(path, orjson.dumps({"labels": [asdict(one) for one in rows.values()]}))
            self._held[endpoint] = rows
        else:
            await self.objects.delete([path])
            self._held.pop(endpoint, None)
        self.version += 1


def _with(own: OwnLabels, flagged: bool, fault: bool) -> OwnLabels:
    if flagged:
        return replace(own, flagged=own.flagged + 1, flagged_faulty=own.flagged_faulty + fault)
    return replace(own, others=own.others + 1, others_faulty=own.others_faulty + fault)


def _erased(label: StoredLabel, mark: Erased) -> bool:
    if label.exchange_ms < mark.before_ms or label.id in mark.exchanges:
        return True
    return bool(label.conversation) and label.exchange_ms < mark.conversations.get(label.conversation, 0)


def _label_from_json(row: Mapping[str, Any]) -> StoredLabel:
    flagged = row.get("flagged")
    return StoredLabel(
        str(row["id"]), str(row["name"]), str(row["author"]), row["fault"] is True, whole_number(row["at_ms"]),
        whole_number(row["exchange_ms"]), str(row.get("conversation", "")),
        None if flagged is None else flagged is True, str(row.get("text", "")),
    )  # fmt: skip
