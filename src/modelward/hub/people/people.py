"""All of the hub that is for people, put together."""

from __future__ import annotations

from dataclasses import dataclass, field

from aiohttp import web

from modelward.hub.audit import AuditLog
from modelward.hub.authorisation import Caller
from modelward.hub.history.store import HistoryStore
from modelward.hub.keys import KeyRing
from modelward.hub.people.audit_api import AuditApi
from modelward.hub.people.compare_api import CompareApi
from modelward.hub.people.door import Door
from modelward.hub.people.exchange_api import ExchangeApi
from modelward.hub.people.exchange_tally import ExchangeTally
from modelward.hub.people.fleet import Fleet
from modelward.hub.people.fleet_api import FleetApi
from modelward.hub.people.history_api import PastApi
from modelward.hub.people.individual import Individual
from modelward.hub.people.label_api import LabelApi
from modelward.hub.people.labels import PeopleLabels
from modelward.hub.people.last_day import LastDay
from modelward.hub.people.logins import Logins
from modelward.hub.people.object_api import ObjectApi
from modelward.hub.people.oidc import OidcVerifier
from modelward.hub.people.past.reader import PastReader
from modelward.hub.people.preview_api import PreviewApi
from modelward.hub.people.reviews import AccessReviews
from modelward.hub.people.rights import PeopleRights
from modelward.hub.people.shown import ShownObjects
from modelward.hub.people.silence_api import SilenceApi
from modelward.hub.people.wanted_silences import WantedSilences
from modelward.hub.people.why_api import WhyApi
from modelward.hub.requests import Permit
from modelward.hub.results import ResultStore
from modelward.hub.scores import ScoreStore
from modelward.hub.settings import HubSettings
from modelward.hub.store import ExchangeStore
from modelward.hub.tokens import TokenVerifier


@dataclass(slots=True)
class People:
    """What people see and who they are; without `verifier` everybody is believed, on a person's own machine."""

    settings: HubSettings
    store: ExchangeStore
    scores: ScoreStore
    keys: KeyRing
    audit: AuditLog
    history: HistoryStore
    verifier: TokenVerifier | None
    results: ResultStore
    shown: ShownObjects = field(init=False)
    labels: PeopleLabels = field(init=False)
    door: Door = field(init=False)
    _logins: Logins | None = None

    def __post_init__(self) -> None:
        asked, reviews = self.settings.people, None
        if asked.reviews or asked.pasted:
            reviews = AccessReviews(self.settings.api_server, asked.namespaces)
        if self.verifier:
            oidc = OidcVerifier(asked.oidc) if asked.oidc else None
            self._logins = Logins(self.verifier, asked, oidc, reviews)
        self.shown = ShownObjects(self.store.clock_ms)
        rule_of = lambda endpoint: self.store.rules.of(endpoint)  # noqa: E731, PLW0108  # rules are replaced whole
        self.labels = PeopleLabels(self.store.objects, self.store.damage, rule_of, self.store.clock_ms)
        rights = PeopleRights(reviews, asked.reviews)
        self.door = Door(rights, self.audit, lambda namespace: namespace in self.shown.namespaces())

    async def who(self, authorization: str | None) -> Caller | Individual | None:
        """Return who asks; None when everybody is believed. HubError 401 or 503 as `Logins.who`."""
        return await self._logins.who(authorization) if self._logins else None

    def add_to(self, app: web.Application, permit: Permit) -> None:
        """Add the routes; `permit` raises HubError 403 when an account may not do something."""
        ObjectApi(self.shown, permit).add_to(app)
        exchanges = ExchangeApi(self.shown, self.store, self.scores, self.keys, self.door, self.labels.of)
        exchanges.add_to(app)
        LabelApi(self.labels, exchanges, permit).add_to(app)
        PastApi(self.history, self.door).add_to(app)
        AuditApi(self.audit, self.door).add_to(app)
        exchange_tally = ExchangeTally(self.store, self.scores)
        WhyApi(self.shown, self.door, self.history, exchange_tally, self.store.clock_ms).add_to(app)
        CompareApi(self.shown, self.door, self.history, self.results, self.store.clock_ms).add_to(app)
        day = LastDay(self.history, self.store.clock_ms)
        wanted = WantedSilences(self.store.clock_ms)
        SilenceApi(wanted, self.shown, self.door, permit).add_to(app)
        reader = PastReader(self.shown, self.history, self.results, self.labels.counted)
        PreviewApi(self.shown, reader, self.door).add_to(app)
        fleet = Fleet(self.shown)
        FleetApi(self.shown, fleet, self.door, self.store, self.labels.agreed, wanted.of, day).add_to(app)
