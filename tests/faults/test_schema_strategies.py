"""The generators of specs: nothing of a schema is left out, valid specs are valid, mutants are wrong in one place."""

from __future__ import annotations

import asyncio
import copy
import json
import re
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from itertools import product
from typing import Any

import pytest
from control_plane import ControlPlane
from hypothesis import HealthCheck, Phase, given, settings
from schema_mutants import mutants, places, with_value
from schema_rules import ON_CHANGE, ON_NAMES, RULES, breakers, mended, messages
from schema_semantics import BASES, OVERLAYS, SCHEMAS, specs
from schema_strategies import (
    KEYWORDS,
    PATTERNS,
    RULES_KEYWORD,
    at,
    boundaries,
    is_form,
    leaves,
    nodes,
    pattern_of,
    roots,
    values,
)

from modelward.api import crd
from modelward.api.base import API_VERSION
from modelward.kube.client import Client
from modelward.kube.errors import ApiError
from modelward.kube.kinds import Object

KINDS = sorted(SCHEMAS)
MODELS = {kind.name: kind.model for kind in crd.KINDS}
by_kind = pytest.mark.parametrize("kind", KINDS)
repeatable = settings(
    max_examples=40, derandomize=True, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)


def test_every_keyword_of_the_schemas_is_one_that_the_strategies_know() -> None:
    said = {keyword for schema in SCHEMAS.values() for _, part in nodes(schema) for keyword in part}
    assert said <= KEYWORDS


def test_every_pattern_has_values_on_its_border_and_beyond() -> None:
    said = {pattern_of(part) for schema in SCHEMAS.values() for _, part in nodes(schema)} - {""}
    assert said == PATTERNS.keys()
    for pattern, edges in PATTERNS.items():
        assert all(re.fullmatch(pattern, value) for value in edges.inside), pattern
        assert not any(re.fullmatch(pattern, value) for value, _ in edges.beyond), pattern


def test_every_rule_of_the_crds_has_values_that_break_it() -> None:
    said = {message for schema in SCHEMAS.values() for _, message in messages(schema)}
    assert said == RULES.keys()
    of_whole_objects = {rule["message"] for root in roots().values() for rule in root.get(RULES_KEYWORD, ())}
    assert of_whole_objects == ON_NAMES


def test_every_pattern_of_a_spec_stands_in_a_rule_that_says_what_to_write() -> None:
    for schema in SCHEMAS.values():
        for path, part in nodes(schema):
            assert "pattern" not in part, path
            forms = [rule for rule in part.get(RULES_KEYWORD, ()) if is_form(rule)]
            assert all("; write " in rule["message"] for rule in forms), path
            assert len(forms) == bool(pattern_of(part)), path


def test_every_overlay_lies_on_a_field_of_its_schema() -> None:
    for kind, overlay in OVERLAYS.items():
        for path in overlay:
            assert at(SCHEMAS[kind], path), (kind, path)


@by_kind
@pytest.mark.parametrize("sensible", [True, False])
def test_every_valid_spec_is_read_by_the_operator(kind: str, sensible: bool) -> None:
    @repeatable
    @given(specs(kind, sensible=sensible))
    def reads(spec: Any) -> None:
        assert isinstance(MODELS[kind].model_validate({"metadata": {"name": "chat"}, "spec": spec}), MODELS[kind])

    reads()


@by_kind
def test_every_mutant_differs_from_its_origin_in_one_place_only(kind: str) -> None:
    @repeatable
    @given(specs(kind))
    def differs(spec: Any) -> None:
        before = copy.deepcopy(spec)
        for mutant in mutants(SCHEMAS[kind], spec):
            assert json.dumps(mutant.spec) != json.dumps(spec), mutant.reason
            above = mutant.place[:-1]
            assert with_value(mutant.spec, above, None) == with_value(spec, above, None), mutant
        assert spec == before

    differs()


@by_kind
def test_the_bases_say_every_field_of_their_schema(kind: str) -> None:
    said = {path for base in BASES[kind].values() for path in leaves(SCHEMAS[kind]) if places(base, path)}
    of_one = ("evaluations", "[]")
    other = {(*of_one, "notWorseThan", "revision"), (*of_one, "notWorseThan", "by")}  # the bases have a baseline
    assert set(leaves(SCHEMAS[kind])) - said <= {(*of_one, "failBelow"), *other}  # few built-ins are bad below a limit


@by_kind
def test_every_field_is_reached_by_valid_specs(kind: str) -> None:
    reached: set[tuple[str, ...]] = set()

    @settings(repeatable, max_examples=480)
    @given(values(SCHEMAS[kind], {}))
    def reaches(spec: Any) -> None:
        reached.update(path for path in leaves(SCHEMAS[kind]) if places(spec, path))

    reaches()
    assert set(leaves(SCHEMAS[kind])) - reached == set()


_OTHER_FORMS = {reason for edges in PATTERNS.values() for _, reason in edges.beyond} - {"is empty", "is a fraction"}
"""Reasons that only a text of another form has."""


class Server:
    """The real API server, asked by dry run."""

    def __init__(self, run: Callable[[Any], Object], client: Client) -> None:
        self._run, self._client = run, client

    def refusal(self, kind: str, spec: Any) -> str:
        """Return what the API server has against an object with this spec; empty where it takes it."""
        metadata = {"name": "chat", "namespace": "default"}
        obj = {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}
        try:
            self._run(self._client.create(obj, dry_run=True))
            self._run(self._client.apply(obj, "user", strict=True, dry_run=True))
        except ApiError as error:
            return error.message
        return ""


@pytest.fixture
def server(control_plane: ControlPlane) -> Iterator[Server]:
    """The API server of the session's control plane."""
    with asyncio.Runner() as runner:
        connected = AsyncExitStack()
        client = runner.run(connected.enter_async_context(Client.connect(str(control_plane.kubeconfig))))
        yield Server(runner.run, client)
        runner.run(connected.aclose())


@by_kind
@pytest.mark.parametrize("sensible", [True, False])
def test_every_valid_spec_is_taken_by_the_api_server(kind: str, sensible: bool, server: Server) -> None:
    @repeatable
    @given(specs(kind, sensible=sensible))
    def taken(spec: Any) -> None:
        assert server.refusal(kind, spec) == ""

    taken()


@by_kind
def test_every_edge_of_a_field_is_taken_and_read(kind: str, server: Server) -> None:
    tried: set[str] = set()
    for base in BASES[kind].values():
        for path in leaves(SCHEMAS[kind]):
            for place, edge in product(places(base, path)[:1], boundaries(at(SCHEMAS[kind], path))):
                changed = mended(SCHEMAS[kind], with_value(base, place, edge), place)
                if json.dumps(changed) not in tried:
                    tried.add(json.dumps(changed))
                    assert server.refusal(kind, changed) == "", (place, edge)
                    MODELS[kind].model_validate({"metadata": {"name": "chat"}, "spec": changed})
    assert tried


@by_kind
def test_every_mutant_is_refused_by_the_api_server_in_words_that_name_the_field(kind: str, server: Server) -> None:
    tried: set[tuple[str, str]] = set()
    for base in BASES[kind].values():
        broken = (mutant for mutant in breakers(SCHEMAS[kind], base) if mutant.reason not in ON_CHANGE)
        for mutant in (*mutants(SCHEMAS[kind], base), *broken):
            what = (".".join(step for step in mutant.place if isinstance(step, str)), mutant.reason)
            if what not in tried:
                tried.add(what)
                refusal = server.refusal(kind, mutant.spec)
                assert mutant.field in refusal or mutant.reason in refusal, (mutant, refusal)
                assert mutant.reason not in _OTHER_FORMS or "; write " in refusal, (mutant, refusal)
    assert {message for _, message in messages(SCHEMAS[kind])} - ON_CHANGE <= {reason for _, reason in tried}
    print(f"{kind}: {len(tried)} ways to be wrong, all refused")
