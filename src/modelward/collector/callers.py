"""Who asks, as clients say it in a header: a bounded number of names, and what each of them used."""

from __future__ import annotations

from collections import Counter

from modelward.api.budget import COST_UNITS
from modelward.api.collector_config import CallerSettings, PriceSettings
from modelward.api.exchange import Usage
from modelward.collector import families
from modelward.collector.families import FAMILIES
from modelward.collector.model_labels import ModelLabels
from modelward.collector.shared_metrics import SharedMetrics
from modelward.privacy.short_fields import OTHER, plain_caller_name

_KEY_ROOM = 512
"""Bytes of the key of a caller's series: enough for any other caller's name in its place."""
_FAMILIES = (families.CALLER_REQUESTS, families.CALLER_TOKENS, families.CALLER_COST, families.CALLER_UNPRICED)


class Callers:
    """Names and counts callers once a header is set; until then there are none, which is the empty name.

    Names go to those that ask most, as with models: a client that invents names must not use them up.
    """

    def __init__(self, board: SharedMetrics, revision: str) -> None:
        self._board, self._revision = board, revision
        self._settings = CallerSettings()
        self._prices = PriceSettings()
        self.named = False
        asked: Counter[str] = Counter()
        for (name, labels), values in board.read():
            if name == families.CALLER_REQUESTS and labels[0] not in ("", OTHER):
                asked[labels[0]] += int(values[0])
        self._names = set(asked)
        self._labels = ModelLabels(asked)

    @property
    def header(self) -> bytes:
        """The header that names the caller, in small letters; empty where none does."""
        return self._settings.header.lower().encode()

    def configure(self, settings: CallerSettings, prices: PriceSettings) -> None:
        """Take new settings; names beyond a lower number are kept until others take their places."""
        self._settings, self._prices = settings, prices
        self.named = bool(settings.header)

    def tick(self) -> None:
        """Let a second pass."""
        self._labels.tick()

    def name(self, value: bytes, status: int) -> str:
        """Return the name under which a caller is counted: its own, `other`, or none where it gave none."""
        if not self.named or not value:
            return ""
        text = value.decode("latin-1")
        if text not in self._names and (status >= 400 or plain_caller_name(text) != text):
            return OTHER
        if status < 400:
            self._labels.note(text)
        return text if text in self._names or self._named(text) else OTHER

    def count(self, caller: str, model: str, usage: Usage, *, served: bool = True) -> None:
        """Count one finished request, its tokens where they are known, and what they cost where they have a price."""
        if not self.named:
            return
        self._cell(families.CALLER_REQUESTS, caller, model)[0] += 1
        for kind, tokens in (("input", usage.input_tokens), ("output", usage.output_tokens)):
            if tokens:
                self._cell(families.CALLER_TOKENS, caller, model, kind)[0] += tokens
        if self._prices.models:
            self._charge(caller, model, usage, served=served)

    def _charge(self, caller: str, model: str, usage: Usage, *, served: bool) -> None:
        price = self._prices.of(model)
        if usage.input_tokens is None and usage.output_tokens is None:
            if served:  # what was refused used no tokens
                self._cell(families.CALLER_UNPRICED, caller, model, "NoUsage")[0] += 1
        elif price is None:
            self._cell(families.CALLER_UNPRICED, caller, model, "NoPrice")[0] += 1
        else:
            cost = price.cost(usage.input_tokens or 0, usage.output_tokens or 0, usage.cached_input_tokens or 0)
            self._cell(families.CALLER_COST, caller, model, price.currency)[0] += cost / COST_UNITS

    def _named(self, text: str) -> bool:
        """Give a caller a name, one that is free or that of a caller that asks less."""
        if len(self._names) >= self._settings.most:
            less = self._labels.displaced_by(text, self._names)
            if not less:
                return False
            self._hand_over(less, text)
        self._names.add(text)
        return True

    def _hand_over(self, old: str, new: str) -> None:
        for name, labels in self._board.series():
            if name in _FAMILIES and labels[0] == old:
                self._board.rename((name, labels), (name, (new, *labels[1:])))
        self._names.discard(old)

    def _cell(self, family: str, caller: str, model: str, *more: str) -> memoryview[float]:
        labels = (caller, model, self._revision, *more)
        return self._board.cell(family, labels, FAMILIES[family].size, _KEY_ROOM)
