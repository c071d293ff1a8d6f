"""Numbers that status writes for people, read back to be drawn."""

from __future__ import annotations

from modelward.api.quantity import shown_number


def parse(text: str) -> float | None:
    """Return a number with its sign, in seconds or as a share of 1; None for what is none."""
    plain = text.strip().replace(" ", "").replace("−", "-")
    sign = -1 if plain.startswith("-") else 1
    try:
        return sign * shown_number(plain.lstrip("+-"))
    except ValueError:
        return None
