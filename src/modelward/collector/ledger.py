"""Where one exchange's numbers are written down: the cells of its model on the board, looked up once."""

from __future__ import annotations

import weakref
from bisect import bisect_left

from modelward.collector import families
from modelward.collector.board import Board, Cell
from modelward.collector.content_coding import Decoder
from modelward.collector.families import FAMILIES
from modelward.privacy.short_fields import plain_model_name

MAX_MODELS = 20
OTHER_MODEL = "other"
MAX_DECODERS = 200
"""Compressed answers read at once: each decoder holds about 45 KB."""
_MAX_CODES = 64


class ModelCells:
    """The cells of one model that streams write to; made once per model."""

    __slots__ = ("chunks", "input_tokens", "inter_chunk", "model", "output_tokens", "tpot", "ttft")

    def __init__(self, board: Board, model: str, revision: str) -> None:
        def cell(name: str, *more: str) -> Cell:
            return board.cell(name, (model, revision, *more), FAMILIES[name].size)

        self.model = model
        self.ttft = cell(families.TTFT)
        self.inter_chunk = cell(families.INTER_CHUNK)
        self.tpot = cell(families.TPOT)
        self.chunks = cell(families.CHUNKS)
        self.input_tokens = cell(families.TOKENS, "input")
        self.output_tokens = cell(families.TOKENS, "output")


class Ledger:
    """The data plane's counts on its board.

    At most 20 models get labels of their own, and only once one of their requests succeeded: a client that invents
    names must not use up the labels.
    """

    def __init__(self, board: Board, revision: str) -> None:
        self._board = board
        self._revision = revision
        self._models: dict[str, ModelCells] = {}
        self._codes: set[str] = set()
        self.in_flight = board.cell(families.IN_FLIGHT, (revision,))
        self.in_flight[0] = 0.0
        self.started = board.cell(families.STARTED, (revision,))
        self.observer_errors = board.cell(families.OBSERVER_ERRORS)
        self._engine_queue = board.cell(families.ENGINE_QUEUE)
        self._decoders: weakref.WeakSet[Decoder] = weakref.WeakSet()
        for (name, labels), _ in board.read():
            if name == families.TTFT and labels[0] != OTHER_MODEL:
                self._models[labels[0]] = ModelCells(board, labels[0], revision)

    @property
    def engine_queues(self) -> bool:
        """Whether the engine reported waiting requests when its page was read last."""
        return self._engine_queue[0] > 0

    def decoder(self) -> Decoder | None:
        """Return a decoder for a compressed answer; None while so many run that they would cost too much memory."""
        if len(self._decoders) >= MAX_DECODERS:
            return None
        decoder = Decoder()
        self._decoders.add(decoder)
        return decoder

    def model(self, name: str, status: int) -> ModelCells:
        """Return the cells of a model as a request with this status names it."""
        cells = self._models.get(name)
        if cells is not None:
            return cells
        if status >= 400 or len(self._models) >= MAX_MODELS or plain_model_name(name) != name:
            return ModelCells(self._board, OTHER_MODEL if name else "", self._revision)
        cells = self._models[name] = ModelCells(self._board, name, self._revision)
        return cells

    def finished(self, model: str, operation: str, status: int, outcome: str, seconds: float) -> None:
        """Count one finished exchange; the duration of a cancelled one says nothing and is left out."""
        code = self._code(status)
        if not operation:
            self._board.cell(families.OTHER_REQUESTS, (self._revision, code))[0] += 1
            return
        labels = (model, self._revision, operation, code)
        self._board.cell(families.REQUESTS, (*labels, outcome))[0] += 1
        if outcome != "cancelled":
            family = FAMILIES[families.DURATION]
            observe(self._board.cell(family.name, labels, family.size), family.bounds, seconds)

    def count(self, name: str, *labels: str) -> None:
        """Add one to a plain counter."""
        self._board.cell(name, labels)[0] += 1

    def upstream_up(self, up: bool) -> None:
        """Say whether a model server accepts connections; nothing is said until one was tried."""
        self._board.cell(families.UPSTREAM_UP)[0] = float(up)

    def _code(self, status: int) -> str:
        code = str(status)
        if code not in self._codes and len(self._codes) >= _MAX_CODES:
            return "other"
        self._codes.add(code)
        return code


def observe(cell: Cell, bounds: tuple[float, ...], value: float) -> None:
    """Add one value to a histogram cell."""
    cell[bisect_left(bounds, value)] += 1
    cell[-1] += value
