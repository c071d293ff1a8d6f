"""Erasing on purpose: an exchange, a conversation, all of an endpoint or of a namespace, wherever the hub has it.

First it is refused from now on and hidden from every reader, then it goes from the disk; results keep their counts
and lose the ids of what was erased.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from modelward.api.evaluation import WindowResult
from modelward.api.exchange import Exchange
from modelward.hub import layout
from modelward.hub.erased import Erased
from modelward.hub.errors import HubError, bad_request
from modelward.hub.layout import ExchangeObject
from modelward.hub.people.labels import PeopleLabels
from modelward.hub.result_form import without_moved
from modelward.hub.results import ResultStore
from modelward.hub.rewriting import rewrite, rewritten
from modelward.hub.rules import Rules
from modelward.hub.scores import ScoreStore
from modelward.hub.store import ExchangeStore
from modelward.privacy.identifiers import conversation_names, exchange_names, is_conversation_key, passing_id

_MOST_NAMED = 10_000
"""So many ids of one erased conversation are remembered, to be kept out of results that come later."""
_LONGEST_NAME = 4_096


@dataclass(frozen=True, slots=True)
class ErasureScope:
    """What to erase: of `endpoint` ("" for all of the namespace) one exchange, one conversation, or everything."""

    namespace: str
    endpoint: str = ""
    exchange: str = ""
    conversation: str = ""

    @property
    def scope(self) -> str:
        """`namespace/name`, or the namespace."""
        return f"{self.namespace}/{self.endpoint}" if self.endpoint else self.namespace

    @property
    def whole_namespace(self) -> bool:
        """Whether everything of the namespace goes."""
        return not (self.endpoint or self.exchange or self.conversation)


@dataclass(frozen=True, slots=True)
class Erasure:
    """How much went: exchanges, and ids of exchanges in results."""

    exchanges: int
    examples: int


def target_from_json(data: Any) -> ErasureScope:
    """Read a target; HubError 400 when it is none."""
    if not isinstance(data, Mapping):
        raise bad_request("an erasure is an object: namespace, endpoint, exchange or conversation")
    parts = {key: data.get(key) or "" for key in ("namespace", "endpoint", "exchange", "conversation")}
    if not all(isinstance(part, str) and len(part) <= _LONGEST_NAME for part in parts.values()):
        raise bad_request("namespace, endpoint, exchange and conversation are short texts")
    target = ErasureScope(**parts)
    if not layout.is_endpoint(f"{target.namespace}/{target.endpoint or 'any'}"):
        raise bad_request("name a namespace, and an endpoint of it or none")
    if target.exchange and (target.conversation or not target.endpoint):
        raise bad_request("an exchange is one of an endpoint; name the endpoint, and no conversation beside it")
    return target


def audited(target: ErasureScope, keys: tuple[bytes, ...]) -> str:
    """Return the target as the audit names it: by what is kept in the hub, never by what a person may have typed."""
    if target.exchange:
        found = next(filter(passing_id, exchange_names(target.exchange, keys)), "(no key)")
        return f"{target.scope} exchange {found}"
    if target.conversation:
        found = next(filter(is_conversation_key, conversation_names(target.conversation, keys)), "(no key)")
        return f"{target.scope} conversation {found}"
    return target.scope


def marks_of(target: ErasureScope, keys: tuple[bytes, ...], until_ms: int) -> Erased:
    """Return what a target is called in the store."""
    if target.exchange:
        return Erased().with_exchanges(exchange_names(target.exchange, keys), until_ms)
    if target.conversation:
        return Erased().with_conversations(conversation_names(target.conversation, keys), until_ms)
    return Erased().with_all(until_ms)


def lasting(marks: Erased) -> Erased:
    """Return what of the marks is written down: nothing that a person may have typed.

    What comes later has such an id hashed when it is let in, as the other marks have.
    """
    return Erased(
        marks.before_ms,
        {name: at_ms for name, at_ms in marks.exchanges.items() if passing_id(name)},
        {name: at_ms for name, at_ms in marks.conversations.items() if is_conversation_key(name)},
    )


async def counted(store: ExchangeStore, target: ErasureScope, keys: tuple[bytes, ...]) -> int:
    """Return how many exchanges are held of a target."""
    marks, total = marks_of(target, keys, _until_ms(store, target)), 0
    for item in _items(store, target):
        if item.last_ms < marks.before_ms:
            total += item.count
        elif data := await store.objects.get(item.path):
            total += len((await asyncio.to_thread(rewritten, data, _keep(marks))).dropped)
    return total


async def erase(
    store: ExchangeStore,
    results: ResultStore,
    scores: ScoreStore,
    labels: PeopleLabels,
    target: ErasureScope,
    keys: tuple[bytes, ...],
    flush: Callable[[], Awaitable[None]],
) -> Erasure:
    """Erase; HubError when the store refuses: then it is hidden all the same, and erased by the next purge."""
    marks = marks_of(target, keys, _until_ms(store, target))
    await _mark(store, target, marks if store.plain_ids else lasting(marks))
    await flush()  # what was let in before is then on the disk
    async with store.tidying:
        gone, dropped = await _delete(store, target, marks)
        await store.objects.delete(await store.damage.expired(lambda item: not _within(item.endpoint, target)))
    if target.conversation:  # its exchanges are named by results that are still to come
        await _mark(store, target, Erased().with_exchanges(dropped[:_MOST_NAMED], store.clock_ms()))
    await scores.erase(lambda endpoint: _within(endpoint, target), marks, dropped)
    await labels.erase(lambda endpoint: _within(endpoint, target), marks, dropped)
    named = None if marks.before_ms else frozenset({*dropped, *marks.exchanges})
    examples = await results.drop_examples(lambda key: _within(key.endpoint, target), named)
    await _keep_rules(store, store.rules)
    return Erasure(gone, examples)


async def _mark(store: ExchangeStore, target: ErasureScope, marks: Erased) -> None:
    rules = store.rules
    both = rules.erased.get(target.scope, Erased()).with_marks(marks)
    endpoints = {item.endpoint for item in _items(store, target)}
    await _keep_rules(
        store, replace(rules, erased={**rules.erased, target.scope: both}, unswept=rules.unswept | endpoints)
    )


async def _keep_rules(store: ExchangeStore, rules: Rules) -> None:
    try:
        await store.keep_rules(rules)
    except HubError as error:
        if error.code != "StoreFull":  # what is erased makes room, and they are stored when they change again
            raise


async def _delete(store: ExchangeStore, target: ErasureScope, marks: Erased) -> tuple[int, list[str]]:
    gone, dropped = 0, list[str]()
    for item in _items(store, target):
        if item.last_ms < marks.before_ms:
            await store.objects.delete([item.path])
            store.index.remove([item])
            gone += item.count
        else:
            ids = await rewrite(store.objects, store.index, item, _keep(marks))
            gone, dropped = gone + len(ids), dropped + list(ids)
    return gone, dropped


def without_erased(result: WindowResult, marks: Iterable[Erased]) -> WindowResult:
    """Return a result without examples that were erased while it was made, and without what moved if any was."""
    marks = tuple(marks)
    if not marks:
        return result
    if any(result.to_ms <= mark.latest_ms for mark in marks):
        result = without_moved(result)
    if any(result.to_ms <= mark.before_ms for mark in marks):
        return replace(result, examples={})
    gone = {name for mark in marks for name in mark.exchanges}
    return replace(
        result,
        examples={
            revision: tuple(row for row in rows if row.id not in gone) for revision, rows in result.examples.items()
        },
    )


def _until_ms(store: ExchangeStore, target: ErasureScope) -> int:
    """Return the time up to which is erased: now, or after the newest, because a collector's clock may be ahead."""
    return max([store.clock_ms(), *(item.last_ms + 1 for item in _items(store, target))])


def _items(store: ExchangeStore, target: ErasureScope) -> list[ExchangeObject]:
    return [item for name in store.index.endpoints() if _within(name, target) for item in store.index.of(name)]


def _within(endpoint: str, target: ErasureScope) -> bool:
    return endpoint == target.scope if target.endpoint else endpoint.startswith(f"{target.namespace}/")


def _keep(marks: Erased) -> Callable[[Exchange], Exchange | None]:
    return lambda exchange: None if marks.holds(exchange) else exchange
