"""Where one exchange's numbers are written down: the cells of its model on the board, looked up once."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import Protocol

from modelward.api.exchange import Usage
from modelward.collector import families
from modelward.collector.callers import Callers
from modelward.collector.families import FAMILIES
from modelward.collector.model_labels import MAX_MODELS, ModelLabels
from modelward.collector.shared_metrics import Cell, SharedMetrics
from modelward.privacy.short_fields import plain_model_name

OTHER_MODEL = "other"
_MAX_CODES = 64
_KEY_ROOM = 384
"""Bytes of the key of a model's series: enough for any other model's name in its place."""
_OTHER_CODE = "other"
_DURATION_BOUNDS = FAMILIES[families.DURATION].bounds


class ModelCells:
    """The cells of one model that streams write to; made once per model."""

    __slots__ = ("cached_tokens", "chunks", "input_tokens", "inter_chunk", "model", "output_tokens", "tpot", "ttft")

    def __init__(self, board: SharedMetrics, model: str, revision: str) -> None:
        def cell(name: str, *more: str) -> Cell:
            return board.cell(name, (model, revision, *more), FAMILIES[name].size, _KEY_ROOM)

        self.model = model
        self.ttft = cell(families.TTFT)
        self.inter_chunk = cell(families.INTER_CHUNK)
        self.tpot = cell(families.TPOT)
        self.chunks = cell(families.CHUNKS)
        self.input_tokens = cell(families.TOKENS, "input")
        self.output_tokens = cell(families.TOKENS, "output")
        self.cached_tokens = cell(families.CACHED_TOKENS)

    def become(self, other: ModelCells) -> None:
        """Be another model's cells from here on, for the exchanges under way that hold these."""
        for name in self.__slots__:
            setattr(self, name, getattr(other, name))


class ExchangeCounts(Protocol):
    """Where the numbers of one exchange go; `captures` says whether its text may be kept."""

    captures: bool
    in_flight: Cell
    started: Cell

    @property
    def engine_queues(self) -> bool:
        """Whether the engine reported waiting requests when its page was read last."""

    def model(self, name: str, status: int) -> ModelCells:
        """Return the cells of a model as a request with this status names it."""

    def finished(self, model: str, operation: str, status: int, outcome: str, seconds: float) -> None:
        """Count one finished exchange."""

    def asked_by(self, value: bytes, status: int, model: str, usage: Usage) -> str:
        """Count a finished exchange for its caller, whom a header's value names; return the name that is recorded."""

    def count(self, name: str, *labels: str) -> None:
        """Add one to a plain counter."""


class MetricsRecorder:
    """The data plane's counts on its board.

    At most 20 models get labels of their own, and only once one of their requests succeeded: a client that invents
    names must not use up the labels. Where the server accepts any name, those that are requested most have them.
    """

    def __init__(self, board: SharedMetrics, revision: str) -> None:
        self.board = board
        self.revision = revision
        self.captures = True
        self._models: dict[str, ModelCells] = {}
        self._codes: set[str] = set()
        self._finished: dict[tuple[str, str, int, str], tuple[Cell, Cell]] = {}
        self.callers = Callers(board, revision)
        self.in_flight = board.cell(families.IN_FLIGHT, (revision,))
        self.in_flight[0] = 0.0
        self.started = board.cell(families.STARTED, (revision,))
        self.observer_errors = board.cell(families.OBSERVER_ERRORS)
        self._engine_queue = board.cell(families.ENGINE_QUEUE)
        asked: Counter[str] = Counter()
        for (name, labels), values in board.read():
            if name == families.TTFT and labels[0] not in ("", OTHER_MODEL):
                self._models[labels[0]] = ModelCells(board, labels[0], revision)
            elif name == families.REQUESTS:
                asked[labels[0]] += int(values[0])
        self._labels = ModelLabels({model: asked[model] for model in self._models})

    @property
    def engine_queues(self) -> bool:
        """Whether the engine reported waiting requests when its page was read last."""
        return self._engine_queue[0] > 0

    def model(self, name: str, status: int) -> ModelCells:
        """Return the cells of a model as a request with this status names it."""
        if not name:
            return ModelCells(self.board, "", self.revision)
        cells = self._models.get(name)
        if status < 400 and (cells is not None or plain_model_name(name) == name):
            self._labels.note(name)
            cells = cells or self._labelled(name)
        return cells or ModelCells(self.board, OTHER_MODEL, self.revision)

    def asked_by(self, value: bytes, status: int, model: str, usage: Usage) -> str:
        """Count a finished exchange for its caller, and return the name that is recorded."""
        if not self.callers.named:
            return ""
        caller = self.callers.name(value, status)
        self.callers.count(caller, model, usage, served=status < 400)
        return caller

    def tick(self) -> None:
        """Let a second pass."""
        self._labels.tick()
        self.callers.tick()

    def _labelled(self, name: str) -> ModelCells | None:
        """Give a model a label, one that is free or that of a model that is requested less."""
        if len(self._models) >= MAX_MODELS:
            less = self._labels.displaced_by(name, self._models)
            if not less:
                return None
            self._hand_over(less, name)
        cells = self._models[name] = ModelCells(self.board, name, self.revision)
        return cells

    def _hand_over(self, old: str, new: str) -> None:
        """Restart a model's series for another one.

        What the old one counted is let go: added to `other` it would look like requests of this moment.
        """
        for name, labels in self.board.series():
            family = FAMILIES.get(name)
            if family is not None and family.labels[:1] == ("model",) and labels[0] == old:
                self.board.rename((name, labels), (name, (new, *labels[1:])))
        self._finished.clear()
        self._models.pop(old).become(ModelCells(self.board, OTHER_MODEL, self.revision))

    def _model_cell(self, name: str, labels: tuple[str, ...]) -> Cell:
        return self.board.cell(name, labels, FAMILIES[name].size, _KEY_ROOM)

    def finished(self, model: str, operation: str, status: int, outcome: str, seconds: float) -> None:
        """Count one finished exchange; the duration of a cancelled one says nothing and is left out."""
        known = self._finished.get((model, operation, status, outcome))
        if known is not None:
            known[0][0] += 1
            observe(known[1], _DURATION_BOUNDS, seconds)
            return
        code = self.code(status)
        if not operation:
            self.board.cell(families.OTHER_REQUESTS, (self.revision, code))[0] += 1
            return
        labels = (model, self.revision, operation, code)
        count = self._model_cell(families.REQUESTS, (*labels, outcome))
        count[0] += 1
        if outcome != "cancelled":
            duration = self._model_cell(families.DURATION, labels)
            observe(duration, _DURATION_BOUNDS, seconds)
            if code != _OTHER_CODE:
                self._finished[model, operation, status, outcome] = (count, duration)

    def count(self, name: str, *labels: str) -> None:
        """Add one to a plain counter."""
        self.board.cell(name, labels)[0] += 1

    def upstream_up(self, up: bool) -> None:
        """Say whether a model server accepts connections; nothing is said until one was tried."""
        self.board.cell(families.UPSTREAM_UP)[0] = float(up)

    def code(self, status: int) -> str:
        """Return the label of a status; servers that invent statuses do not use up the labels."""
        code = str(status)
        if code not in self._codes and len(self._codes) >= _MAX_CODES:
            return _OTHER_CODE
        self._codes.add(code)
        return code


def observe(cell: Cell, bounds: tuple[float, ...], value: float) -> None:
    """Add one value to a histogram cell."""
    cell[bisect_left(bounds, value)] += 1
    cell[-1] += value
