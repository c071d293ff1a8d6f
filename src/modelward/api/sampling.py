"""The one order in which samples are taken, so that any prefix of a window is a fair sample of it."""

from __future__ import annotations

import hashlib


def sample_rank(exchange_id: str, time_ms: int) -> int:
    """Return the place of an exchange in the order of samples: a hash, which nothing of its content moves.

    The hub thins a window to those with the smallest ranks (bottom-k), and what is scored at a price is scored in the
    order of ranks: so who stops early has what the hub would have sent of a smaller window.
    """
    return int.from_bytes(hashlib.blake2b(f"{time_ms}/{exchange_id}".encode(), digest_size=8).digest(), "big")
