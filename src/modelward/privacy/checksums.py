"""Check digits, which distinguish a card, an account or a person's number from other digits."""

from __future__ import annotations

from collections.abc import Sequence

_DOUBLED = bytes(48 + (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)[byte - 48] if 48 <= byte < 58 else byte for byte in range(256))
_VERHOEFF_PRODUCT = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_VERHOEFF_PLACE = (
    "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def luhn_valid(digits: str) -> bool:
    """Say whether the last digit is the Luhn check digit of the rest (ISO/IEC 7812-1, annex B)."""
    values = digits.encode("ascii", "replace")
    total = sum(values[-1::-2]) + sum(values[-2::-2].translate(_DOUBLED)) - 48 * len(values)
    return bool(values) and total % 10 == 0


def iban_valid(iban: str) -> bool:
    """Say whether letters and digits without spaces pass the check of ISO 13616 (remainder 1 modulo 97)."""
    moved = iban[4:] + iban[:4]
    return int("".join(str(int(letter, 36)) for letter in moved)) % 97 == 1


def weighted(digits: str, weights: Sequence[int]) -> int:
    """Return the sum of the first digits times their weights, on which most national check digits rest."""
    return sum((ord(digit) - 48) * weight for digit, weight in zip(digits, weights, strict=False))


def mod11_10_valid(digits: str) -> bool:
    """Say whether the last digit is the check digit of ISO/IEC 7064, MOD 11,10."""
    product = 10
    for digit in digits[:-1]:
        product = 2 * ((int(digit) + product) % 10 or 10) % 11
    return (11 - product) % 10 == int(digits[-1])


def ean_valid(digits: str) -> bool:
    """Say whether the last digit is the check digit of a GTIN (weights 3 and 1 from the right)."""
    return (sum(map(int, digits[-1::-2])) + 3 * sum(map(int, digits[-2::-2]))) % 10 == 0


def verhoeff_valid(digits: str) -> bool:
    """Say whether the last digit is the check digit of Verhoeff's scheme."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = int(_VERHOEFF_PRODUCT[check][int(_VERHOEFF_PLACE[place % 8][int(digit)])])
    return check == 0
