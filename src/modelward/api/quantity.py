"""Durations, shares and money as people write them in YAML, and the integers that the code computes with.

Custom resources hold no floats: they lose digits in transit and two readers round them differently.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from modelward.api.form import (
    BYTES,
    CURRENCY,
    DURATION,
    LIMIT,
    MONEY,
    NAME,
    PERCENT,
    SECRET_NAME,
    SERVICE_NAME,
    TEXT_URL,
)

Duration = Annotated[str, Field(pattern=DURATION.pattern, max_length=24)]
"""A Gateway API duration: `800ms`, `15m`, `1h30m`."""

Percent = Annotated[str, Field(pattern=PERCENT.pattern, max_length=9)]
"""A share of 100 with up to four decimals: `1%`, `0.1%`."""

Limit = Annotated[str, Field(pattern=LIMIT.pattern, max_length=14)]
"""A share, or a number with up to four decimals: `10%`, `800`."""

Bytes = Annotated[str, Field(pattern=BYTES.pattern, max_length=8)]
"""A size: `4096`, `256Ki`, `1Mi`."""

Money = Annotated[str, Field(pattern=MONEY.pattern, max_length=13)]
"""An amount with up to six decimals: `5.00`, `0.15`."""

Currency = Annotated[str, Field(pattern=CURRENCY.pattern, max_length=3)]
"""A currency by its three letters: `USD`."""

Name = Annotated[str, Field(pattern=NAME.pattern, min_length=1, max_length=63)]
"""A DNS label, as Kubernetes names things."""

ServiceName = Annotated[str, Field(pattern=SERVICE_NAME.pattern, min_length=1, max_length=63)]
"""A DNS label that starts with a letter, which is what a Service may be called."""

SecretName = Annotated[str, Field(pattern=SECRET_NAME.pattern, max_length=63)]
"""A Secret that an evaluator names: its prefix keeps others from being mounted by whoever may write evaluators."""

TextUrl = Annotated[str, Field(pattern=TEXT_URL.pattern, max_length=512)]
"""Where text of exchanges is sent: HTTPS, or plain HTTP to a Service of the cluster by its full name."""

PPM = 1_000_000
_DURATION_UNITS_MS = {"h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_SHOWN_UNITS = {"%": 0.01, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_BYTE_UNITS = {"": 1, "Ki": 1024, "Mi": 1024 * 1024}


def duration_ms(text: str) -> int:
    """Return the milliseconds of a duration such as `1h30m`; ValueError when it is none."""
    if not re.match(DURATION.pattern, text):
        raise ValueError(f"{text!r} is not a duration; write it like 800ms, 30s, 15m or 1h30m")
    return sum(int(number) * _DURATION_UNITS_MS[unit] for number, unit in re.findall(r"([0-9]+)(ms|h|m|s)", text))


def percent_ppm(text: str) -> int:
    """Return the parts per million of a share such as `0.1%` (1,000 ppm); ValueError when it is none."""
    if not re.match(PERCENT.pattern, text):
        raise ValueError(f"{text!r} is not a share; write it like 1% or 0.1%")
    whole, _, decimals = text.removesuffix("%").partition(".")
    return int(whole) * 10_000 + int(decimals.ljust(4, "0") or "0")


def limit_millionths(text: str) -> int:
    """Return a limit in millionths: 100000 of `10%`, 800000000 of `800`; ValueError when it is none."""
    if text.endswith("%"):
        return percent_ppm(text)
    if not re.match(LIMIT.pattern, text):
        raise ValueError(f"{text!r} is not a limit; write it like 1% or 800")
    whole, _, decimals = text.partition(".")
    return int(whole) * PPM + int(decimals.ljust(6, "0") or "0")


def money_millionths(text: str) -> int:
    """Return the millionths of an amount of money such as `0.15` (150,000); ValueError when it is none."""
    if not re.match(MONEY.pattern, text):
        raise ValueError(f"{text!r} is not an amount of money; write it like 5.00")
    whole, _, decimals = text.partition(".")
    return int(whole) * PPM + int(decimals.ljust(6, "0") or "0")


def money_text(millionths: int) -> str:
    """Return an amount of money with two to six decimals: 5000000 → `5.00`, 150 → `0.00015`."""
    whole, decimals = divmod(millionths, PPM)
    return f"{whole}.{f'{decimals:06d}'.rstrip('0').ljust(2, '0')}"


def bytes_count(text: str) -> int:
    """Return the bytes of a size such as `256Ki`; ValueError when it is none."""
    match = re.match(r"^([0-9]{1,6})(Ki|Mi)?$", text)
    if match is None:
        raise ValueError(f"{text!r} is not a size; write it like 4096, 256Ki or 1Mi")
    return int(match[1]) * _BYTE_UNITS[match[2] or ""]


def percent_text(ppm: int) -> str:
    """Return a share as people read it, in every place alike: 310000 → `31%`, 25000 → `2.5%`, 1500 → `0.15%`."""
    percent = ppm / 10_000
    if 99 < percent < 100:
        return f"{min(percent, 99.9):.1f}".removesuffix(".0") + "%"  # what is not all must not read as all
    if percent >= 10 or ppm % 10_000 == 0:
        return f"{percent:.0f}%"
    if percent < 0.01:
        return f"{percent:.2g}%"
    return f"{percent:.{1 if percent >= 1 else 2}f}".rstrip("0").rstrip(".") + "%"


def limit_text(ppm: int) -> str:
    """Return a share that people wrote as a limit, to the digit: 125000 → `12.5%`, 999900 → `99.99%`."""
    whole, decimals = divmod(ppm, 10_000)
    return f"{whole}.{decimals:04d}".rstrip("0").rstrip(".") + "%"


def duration_text(ms: int) -> str:
    """Return a duration as people read it: `410ms`, `1.2s`, `12m`, `3h`, `9d`."""
    if ms < 1_000:
        return f"{ms}ms"
    if ms < 10_000 and ms % 1_000:
        return f"{ms / 1_000:.1f}s"
    for unit_ms, unit in ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m")):
        if ms >= 2 * unit_ms or (ms >= unit_ms and ms % unit_ms == 0):
            return f"{ms // unit_ms}{unit}"
    return f"{ms // 1_000}s"


def written_duration(ms: int) -> str:
    """Return a duration as a spec takes it, in its largest whole unit: `168h`, `90s`, `1500ms`."""
    unit, size = next((unit, size) for unit, size in _DURATION_UNITS_MS.items() if ms % size == 0)
    return f"{ms // size}{unit}"


def written_size(count: int) -> str:
    """Return a size as a spec takes it, in its largest whole unit: `16Mi`, `256Ki`, `1000`."""
    unit, size = next((unit, size) for unit, size in reversed(_BYTE_UNITS.items()) if count % size == 0)
    return f"{count // size}{unit}"


def durations_text(*times_ms: int) -> tuple[str, ...]:
    """Return durations that are to be compared, all in one unit: (`344ms`, `1749ms`), or (`1.75s`, `30s`)."""
    if max(times_ms, default=0) < 10_000:
        return tuple(f"{ms}ms" for ms in times_ms)
    return tuple(_seconds(ms / 1_000) for ms in times_ms)


def _seconds(seconds: float) -> str:
    digits = 0 if seconds >= 100 else 1 if seconds >= 10 else 2
    text = f"{seconds:.{digits}f}"
    return (text.rstrip("0").rstrip(".") if digits else text) + "s"


def shown_number(text: str) -> float:
    """Return seconds, or a share of 1, from a text of `percent_text`, `duration_text` or `durations_text`.

    A `>` before it, where only a lower bound is known, is left out; a number without a unit stays as it is.
    """
    text = text.lstrip(">")
    number, unit = text.rstrip("%smhd"), text.lstrip("0123456789.")
    return round(float(number) * _SHOWN_UNITS.get(unit, 1.0), 9)  # 69 % is 0.69, not 0.6900000000000001


def timestamp(ms: int) -> str:
    """Return a Unix time in milliseconds as Kubernetes writes times (RFC 3339, UTC, whole seconds)."""
    return datetime.fromtimestamp(ms // 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_time(moment: datetime) -> str:
    """Return a time as Kubernetes writes it in Leases and Events: microseconds, UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def timestamp_ms(text: str) -> int:
    """Return the Unix milliseconds of an RFC 3339 time; ValueError when it is none.

    Offsets up to 24:60 are read, as the API server reads them; Python itself knows none of a whole day.
    """
    clock, offset = re.fullmatch(r"(.*?)(?:Z|([+-][0-9]{2}:[0-9]{2}))?", text, re.DOTALL).groups()  # type: ignore[union-attr]
    shift = 0
    if offset:
        shift = (int(offset[1:3]) * 60 + int(offset[4:6])) * 60_000 * (-1 if offset[0] == "-" else 1)
    return int(datetime.fromisoformat(clock + "+00:00").timestamp() * 1_000) - shift
