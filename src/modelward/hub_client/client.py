"""The client of the hub's API, for the operator and for the Job that evaluates."""

from __future__ import annotations

from modelward.hub_client.administration import AdministrationRequests
from modelward.hub_client.budgets import BudgetRequests
from modelward.hub_client.history import HistoryRequests
from modelward.hub_client.knowledge import KnowledgeRequests
from modelward.hub_client.labels import LabelRequests
from modelward.hub_client.results import ResultRequests
from modelward.hub_client.samples import KeptSamples, Overview, SampleRequests, Stored
from modelward.hub_client.scores import FoundScores, ScoreRequests, ScoreSet
from modelward.hub_client.session import MAX_ANSWER_BYTES, TIMEOUT_S, HubUnavailableError
from modelward.hub_client.shown import ShownRequests
from modelward.hub_client.silences import SilenceRequests

__all__ = [
    "MAX_ANSWER_BYTES", "TIMEOUT_S", "FoundScores", "HubClient", "HubUnavailableError", "KeptSamples", "Overview",
    "ScoreSet", "Stored",
]  # fmt: skip


class HubClient(
    AdministrationRequests,
    BudgetRequests,
    HistoryRequests,
    KnowledgeRequests,
    LabelRequests,
    ResultRequests,
    SampleRequests,
    ScoreRequests,
    ShownRequests,
    SilenceRequests,
):
    """Asks one hub; one class for each concern, in the file of its name.

    Use as an asynchronous context manager. Every method raises HubUnavailableError and nothing else. A row that
    cannot be read raises nothing: it is left out, and `skipped` is called with the reason.
    """
