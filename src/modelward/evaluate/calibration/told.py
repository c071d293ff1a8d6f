"""A calibration in the words that status and pages show."""

from __future__ import annotations

from modelward.api.calibration import PPM, CalibrationOutcome
from modelward.evaluate.calibration.floor import kappa_text
from modelward.evaluate.interval import Interval
from modelward.evaluate.statistics.distributions import clopper_pearson


def rate(count: int, of: int) -> Interval:
    """Return a rate of held-out labels with its exact interval."""
    return clopper_pearson(count, of)


def rate_text(count: int, of: int) -> str:
    """Return a rate as people read it: `88% (78-94)`."""
    found = rate(count, of)
    return f"{found.value:.0%} ({found.low * 100:.0f}-{found.high * 100:.0f})"


def summary(found: CalibrationOutcome) -> str:
    """Return one line: `κ .85 (.66-.93), TPR 95% (83-99), FPR 5% (1-12), 1 of 300 flips, n=120`."""
    kappa = f"κ {kappa_text(found.kappa_ppm)} ({kappa_text(found.kappa_low_ppm)}-{kappa_text(found.kappa_high_ppm)})"
    rates = f"TPR {rate_text(found.found, found.positives)}, FPR {rate_text(found.false_alarms, found.negatives)}"
    return f"{kappa}, {rates}, {found.flipped} of {found.attacked} flips, n={found.labels}"


def calibration_lines(found: CalibrationOutcome) -> list[str]:
    """Return what was found, a line each; nothing but the tokens where there are no rates."""
    spent = [f"tokens     {found.tokens:,}"] if found.tokens else []
    if not found.positives and not found.negatives:
        return spent
    chosen = [f"readout    {found.readout}"] if found.readout else []
    chosen += [f"threshold  {found.threshold}"] if found.threshold else []
    chosen += [f"abstain    below a confidence of {found.abstain_below}"] if found.abstain_below else []
    chosen += [f"unread     {found.unread}"] if found.unread else []
    return [
        f"labels     {found.labels}",
        f"kappa      {found.kappa_ppm / PPM:.2f} ({found.kappa_low_ppm / PPM:.2f}-{found.kappa_high_ppm / PPM:.2f})",
        f"found      {rate_text(found.found, found.positives)}, {found.found} of {found.positives} faults",
        f"mistaken   {rate_text(found.false_alarms, found.negatives)}, {found.false_alarms} of {found.negatives} ok",
        f"injection  {found.flipped} of {found.attacked} flips",
        *chosen,
        *spent,
    ]
