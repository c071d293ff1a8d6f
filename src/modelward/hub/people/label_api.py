"""People's words on exchanges: taken in, and counted for the operator."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from aiohttp import web

from modelward.api.exchange_page import LabelView, PersonLabel
from modelward.api.kept_score import shown_set
from modelward.hub.errors import bad_request
from modelward.hub.layout import hour_of, namespace_of
from modelward.hub.people.door import Place
from modelward.hub.people.exchange_api import ExchangeApi
from modelward.hub.people.labels import PeopleLabels, StoredLabel
from modelward.hub.requests import Permit, integer_of, json_answer, parsed_of, view_answer
from modelward.privacy.identifiers import exchange_names
from modelward.privacy.redaction import redact

_BODY_BYTES = 8 << 10
_EXPECTED = "a label has namespace, endpoint, responseId, name, and fault: true, false or null"


@dataclass(frozen=True, slots=True)
class LabelApi:
    """The handlers; `permit` raises HubError 403 when an account may not do something."""

    labels: PeopleLabels
    exchanges: ExchangeApi
    permit: Permit

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_post("/v1/feedback", self.post_feedback)
        app.router.add_get("/v1/labels", self.get_labels)

    async def post_feedback(self, request: web.Request) -> web.Response:
        """Store a person's word on an exchange, or take it back; the newest of a person, exchange and check counts."""
        label = await parsed_of(request, _BODY_BYTES, PersonLabel.model_validate, _EXPECTED)
        place = await self.exchanges.door.enter(request, label.namespace, label.endpoint, "Label")
        policy, _, evaluation = label.name.partition("/")
        if (policy, evaluation) not in self.exchanges.checks_of(place):
            raise bad_request("name is `policy/evaluation` of a check of this endpoint")
        names = exchange_names(label.response_id, self.exchanges.keys.all(place.namespace))
        found = await self.exchanges.store.exchange(place.path, names)
        now_ms, author = self.labels.clock_ms(), place.person.name
        stored = StoredLabel(
            found.id, label.name, author, label.fault is True, now_ms, found.time_ms, found.conversation,
            await self._flagged(place, policy, evaluation, found.id, found.time_ms), redact(label.text).text,
        )  # fmt: skip
        await self.exchanges.door.record(place, "label", (found.id,), f"name={label.name} fault={label.fault}")
        if label.fault is None:
            await self.labels.take_back(place.path, stored.key)
        else:
            await self.labels.put(place.path, stored)
        view = LabelView(name=label.name, fault=label.fault, text=stored.text, author=author, time_ms=now_ms, own=True)
        return view_answer(view)

    async def get_labels(self, request: web.Request) -> web.Response:
        """Answer what people found, counted; nothing but the version where that is `known`."""
        await self.permit(request, "read labels", "")
        version = self.labels.version
        if integer_of(request, "known", 0) == version:
            return json_answer({"version": version, "labels": None})
        rows = [
            {"namespace": namespace_of(endpoint), "endpoint": endpoint.partition("/")[2], "policy": policy,
             "evaluation": evaluation, **asdict(own)}
            for endpoint in self.labels.endpoints()
            for (policy, evaluation), own in self.labels.counted(endpoint).items()
        ]  # fmt: skip
        return json_answer({"version": version, "labels": rows})

    async def _flagged(self, place: Place, policy: str, evaluation: str, name: str, time_ms: int) -> bool | None:
        kept = await self.exchanges.scores.of_hour(place.path, shown_set(policy, evaluation), hour_of(time_ms))
        return kept[name].flagged if name in kept else None
