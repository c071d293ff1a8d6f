"""Objects of the cluster as models, each version read once: an endpoint is read far more often than it changes."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from modelward.api.base import Model
from modelward.kube.kinds import Kind, Object, name_of, namespace_of
from modelward.kube.store import Store

log = logging.getLogger(__name__)

_KEPT = 50_000
"""Objects that are remembered until evicted; the one that was read longest ago goes first.

More than are ever stored: a round over more objects than are kept would find none of them.
"""
_MOST_NAMED = 10_000
"""Sets of field names that are shared; each name of it is one that a schema has."""

M = TypeVar("M", bound=Model)
_Name = tuple[str, str, str]

_read: OrderedDict[_Name, tuple[Object, Model | None]] = OrderedDict()
"""By kind and name: the very object that was read: the store gives the same one until it changes."""

_field_names: dict[frozenset[str], set[str]] = {}
"""Names of fields that are set in some model; models are frozen, so that none of these sets ever changes."""


def read(kind: type[M], obj: Object) -> M:
    """Return an object as a model. Raises ValidationError.

    What cannot be read of its status is left out: another release may have written it, and it must not keep the spec
    from being carried out.
    """
    known = _known(kind, obj)
    if known is not None and known[1] is not None:
        return cast(M, known[1])
    model = _validated(kind, obj)
    _remember(kind, obj, model)
    return model


def _validated(kind: type[M], obj: Object) -> M:
    return with_shared_field_names(_valid(kind, obj))


def with_shared_field_names(model: M) -> M:
    """Return the model, whose parts name what was set in them by sets that all models share.

    pydantic makes a set for each part of each model: more than half of what the models of thousands of objects take.
    """
    if len(_field_names) > _MOST_NAMED:
        _field_names.clear()
    for part in _parts(model):
        names = frozenset(part.model_fields_set)
        object.__setattr__(part, "__pydantic_fields_set__", _field_names.setdefault(names, set(names)))
    return model


def _parts(value: object) -> Iterator[Model]:
    if isinstance(value, Model):
        yield value
        for part in vars(value).values():
            yield from _parts(part)
    elif isinstance(value, tuple):
        for item in value:
            yield from _parts(item)


def _valid(kind: type[M], obj: Object) -> M:
    try:
        return kind.model_validate(obj)
    except ValidationError as error:
        places = [one["loc"] for one in error.errors(include_url=False, include_input=False)]
        if any(place[:1] != ("status",) for place in places):
            raise
        log.warning("unreadable=status kind=%s namespace=%s name=%s", kind.__name__, namespace_of(obj), name_of(obj))
    try:
        return kind.model_validate({**obj, "status": _without(obj["status"], places)})
    except ValidationError:
        return kind.model_validate({**obj, "status": {}})


def _without(status: Any, places: Sequence[tuple[int | str, ...]]) -> Any:
    """Return a status without the list items and fields that hold these places."""
    if not isinstance(status, Mapping):
        return {}
    items = {place[1:3] for place in places if len(place) > 2 and isinstance(place[2], int)}
    fields = {place[1] for place in places if len(place) > 1 and place[1:3] not in items}
    kept = {key: value for key, value in status.items() if key not in fields}
    for key, value in kept.items():
        if isinstance(value, list):
            kept[key] = [one for number, one in enumerate(value) if (key, number) not in items]
    return kept


def parsed(kind: type[M], objects: Sequence[Object]) -> tuple[M, ...]:
    """Return the objects as models; one that cannot be read is logged once and left out, the others stand."""
    models = (_parsed(kind, obj) for obj in objects)
    return tuple(model for model in models if model is not None)


def _parsed(kind: type[M], obj: Object) -> M | None:
    known = _known(kind, obj)
    if known is not None:
        return cast("M | None", known[1])
    try:
        return read(kind, obj)
    except ValidationError as error:
        where = (kind.__name__, namespace_of(obj), name_of(obj), error.error_count())
        log.warning("unreadable=%s namespace=%s name=%s errors=%d", *where)
        _remember(kind, obj, None)
        return None


def forget_gone(store: Store) -> None:
    """Let go of each model whose object leaves the store."""

    def changed(kind: Kind, obj: Object) -> None:
        if store.get(kind, namespace_of(obj), name_of(obj)) is None:
            _read.pop((kind.kind, namespace_of(obj), name_of(obj)), None)

    store.subscribe(changed)


def _known(kind: type[Model], obj: Object) -> tuple[Object, Model | None] | None:
    name = (kind.__name__, namespace_of(obj), name_of(obj))
    known = _read.get(name)
    if known is None or known[0] is not obj:
        return None
    _read.move_to_end(name)
    return known


def _remember(kind: type[Model], obj: Object, model: Model | None) -> None:
    _read[kind.__name__, namespace_of(obj), name_of(obj)] = (obj, model)
    if len(_read) > _KEPT:
        _read.popitem(last=False)
