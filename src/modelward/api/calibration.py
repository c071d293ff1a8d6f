"""What calibrating an evaluator found, as Job, hub and operator tell each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from modelward.api.exchange import whole_number

PPM = 1_000_000
_UNREADABLE = (KeyError, TypeError, AttributeError, OverflowError)
MAX_MESSAGE = 512


@dataclass(frozen=True, slots=True)
class OwnLabels:
    """Labels of one endpoint's own exchanges: how many the evaluator flags and how many not, and the faulty of each."""

    flagged_faulty: int = 0
    flagged: int = 0
    others_faulty: int = 0
    others: int = 0

    def __add__(self, other: OwnLabels) -> OwnLabels:
        """Return labels of two sources together."""
        return OwnLabels(**{name: getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__})

    @property
    def labelled(self) -> int:
        """All of them."""
        return self.flagged + self.others


@dataclass(frozen=True, slots=True)
class CalibrationOutcome:
    """What calibration of one version of an evaluator against one state of its labels found.

    Rates and kappa are of held-out folds: `found` of `positives` faulty and `false_alarms` of `negatives` good labels
    were flagged. `threshold` and `abstain_below` are numbers as text, empty where there is none. Of `attacked` faulty
    answers that were flagged, `flipped` were no longer with a payload appended. `own` are those labels that say which
    endpoint they are of. `tokens` were spent on this version, `price` is what all of it may take. `reason` is a reason
    of the condition Calibrated where there are no rates, with `message`; never text of a label.
    """

    namespace: str
    evaluator: str
    version: str
    labels_version: str
    at_ms: int
    labels: int = 0
    found: int = 0
    positives: int = 0
    false_alarms: int = 0
    negatives: int = 0
    kappa_ppm: int = 0
    kappa_low_ppm: int = 0
    kappa_high_ppm: int = 0
    readout: str = ""
    threshold: str = ""
    abstain_below: str = ""
    attacked: int = 0
    flipped: int = 0
    tokens: int = 0
    price: int = 0
    answered: str = ""
    """Version under readout and threshold, as live scores will have it; it knows which model answered."""
    unread: str = ""
    """Readouts that could not be read, each with a cause."""
    own: Mapping[str, OwnLabels] = field(default_factory=dict)
    labels_digest: str = ""
    """Hash of the labels and their texts: the same labels have the same one wherever they are."""
    reason: str = ""
    message: str = ""
    repeat_labels: str = ""
    """Of a later calibration of the same version that found no rates, so that these stand: its labels' version."""
    repeat_reason: str = ""
    repeat_message: str = ""


def repeated(before: CalibrationOutcome | None, found: CalibrationOutcome) -> CalibrationOutcome:
    """Return what is known after a calibration: one that found no rates takes the place of none that has them.

    Of another version nothing stands. Rates stand until they are too old, and say why there are no newer ones.
    """
    if not found.reason or before is None or before.reason or before.version != found.version:
        return found
    return replace(
        before,
        tokens=found.tokens,
        price=found.price,
        repeat_reason=found.reason,
        repeat_message=found.message,
        repeat_labels=found.labels_version,
    )


def calibration_to_json(found: CalibrationOutcome) -> dict[str, Any]:
    """Return the JSON object; the inverse of `calibration_from_json`."""
    return asdict(found)


def calibration_from_json(data: Mapping[str, Any]) -> CalibrationOutcome:
    """Build one from decoded JSON, where unknown keys are ignored; ValueError when it is none."""
    try:
        empty = CalibrationOutcome("", "", "", "", 0)
        values: dict[str, Any] = {}
        for name in CalibrationOutcome.__dataclass_fields__:
            default = getattr(empty, name)
            if name == "own":
                values[name] = {str(key): _own(row) for key, row in data.get("own", {}).items()}
            elif isinstance(default, int):
                values[name] = whole_number(data.get(name, default))
            else:
                values[name] = str(data.get(name, default))
        found = CalibrationOutcome(**values)
    except _UNREADABLE as error:
        raise ValueError(f"not a calibration: {type(error).__name__}: {error}") from error
    if not (0 <= found.found <= found.positives and 0 <= found.false_alarms <= found.negatives):
        raise ValueError("not a calibration: its counts contradict each other")
    if not 0 <= found.flipped <= found.attacked or min(found.labels, found.tokens, found.price, found.at_ms) < 0:
        raise ValueError("not a calibration: its counts contradict each other")
    return found


def _own(row: Mapping[str, Any]) -> OwnLabels:
    own = OwnLabels(**{name: whole_number(row.get(name, 0)) for name in OwnLabels.__dataclass_fields__})
    if not (0 <= own.flagged_faulty <= own.flagged and 0 <= own.others_faulty <= own.others):
        raise ValueError("not labels of an endpoint")
    return own
