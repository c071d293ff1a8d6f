"""The part of the HTTP API about budgets: the operator names them, Jobs reserve and settle."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from modelward.api.budget import BudgetTerms, Spend, SpendRequest, counted, state_to_json, terms_from_json
from modelward.hub.budgets import Budgets
from modelward.hub.errors import bad_request
from modelward.hub.layout import is_endpoint
from modelward.hub.requests import Permit, json_answer, names_of, object_of

MOST_AT_ONCE = 1_000
"""Requests of one reservation."""
_BODY_BYTES = 4 << 10
_TERMS_BYTES = 8 << 20
_UNREADABLE = (KeyError, TypeError, AttributeError, ValueError, OverflowError, RecursionError)
_KEY, _NAME = re.compile(r"[A-Za-z0-9-]{8,64}"), re.compile(r"[A-Za-z0-9_.:/@+-]{0,253}")
_CURRENCY = re.compile(r"[A-Z]{3}|")


@dataclass(slots=True)
class Spending:
    """The handlers and what they work on."""

    budgets: Budgets
    permit: Permit

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_put("/v1/budgets", self.put_budgets)
        app.router.add_get("/v1/budgets", self.get_budgets)
        app.router.add_post("/v1/budgets/{namespace}/{policy}/reservations", self.post_reservation)
        app.router.add_post("/v1/budgets/{namespace}/{policy}/settlements", self.post_settlement)

    async def put_budgets(self, request: web.Request) -> web.Response:
        """Replace the terms of all policies; rows that cannot be read, or are too many, are named in the answer."""
        await self.permit(request, "put budgets", "")
        data = await object_of(request, _TERMS_BYTES)
        rows, refused = data.get("budgets"), list[str]()
        if not isinstance(rows, list):
            raise bad_request('not budgets: {"budgets": [{"namespace", "policy", "tokens", …}]} is wanted')
        terms: list[BudgetTerms] = []
        for row in rows:
            try:
                terms.append(_terms(row))
            except _UNREADABLE:
                refused.append(f"{row.get('namespace')}/{row.get('policy')}"[:300] if isinstance(row, Mapping) else "?")
        refused += ["/".join(key) for key in self.budgets.set_terms(terms)]
        return json_answer({"refused": refused})

    async def get_budgets(self, request: web.Request) -> web.Response:
        """Answer what each policy has spent today."""
        await self.permit(request, "read budgets", "")
        return json_answer({"budgets": [state_to_json(one) for one in self.budgets.states()]})

    async def post_reservation(self, request: web.Request) -> web.Response:
        """Grant the worst case of the requests that fit, or say why not; what is granted outlives the hub."""
        namespace, policy = await names_of(request, self.permit, "spend budget", "policy")
        data = await object_of(request, _BODY_BYTES)
        try:
            asked = _asked(data)
        except _UNREADABLE as error:
            raise bad_request(f"not a reservation: {type(error).__name__}: {error}"[:300]) from error
        decision = await self.budgets.reserve(namespace, policy, asked)
        told = {"reason": decision.refusal, "message": decision.message}
        return json_answer({"granted": decision.refusal is None, "count": decision.count, **told})

    async def post_settlement(self, request: web.Request) -> web.Response:
        """Put what was used in the place of a reservation; without `tokens` all of it is spent."""
        namespace, policy = await names_of(request, self.permit, "spend budget", "policy")
        data = await object_of(request, _BODY_BYTES)
        try:
            used = None if data.get("tokens") is None else Spend(counted(data["tokens"]), counted(data.get("cost", 0)))
            key, unreported = _matching(_KEY, data["key"]), min(MOST_AT_ONCE, counted(data.get("unreported", 0)))
        except _UNREADABLE as error:
            raise bad_request(f"not a settlement: {type(error).__name__}: {error}"[:300]) from error
        await self.budgets.settle(namespace, policy, key, used, unreported)
        return web.Response(status=204)


def _terms(row: Mapping[str, Any]) -> BudgetTerms:
    terms = terms_from_json(row)
    _matching(_CURRENCY, terms.limits.currency)
    if not is_endpoint(f"{terms.namespace}/{terms.policy}"):
        raise ValueError("no names of a namespace and a policy")
    return terms


def _asked(data: Mapping[str, Any]) -> SpendRequest:
    asked = SpendRequest(
        _matching(_KEY, data["key"]),
        _matching(_NAME, data["run"]),
        _matching(_NAME, data["evaluator"]),
        counted(data["tokens"]),
        None if data.get("cost") is None else counted(data["cost"]),
        _matching(_CURRENCY, data.get("currency") or ""),
        max(1, min(MOST_AT_ONCE, counted(data.get("count", 1)))),
        data.get("final") is not False,
    )
    counted(max(asked.tokens, asked.cost or 0) * asked.count)
    return asked


def _matching(form: re.Pattern[str], text: Any) -> str:
    if not isinstance(text, str) or not form.fullmatch(text):
        raise ValueError(f"{str(text)[:64]!r} has another form")
    return text
