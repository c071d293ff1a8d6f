"""Check digits, which tell a card or an account number from any other run of digits."""

from __future__ import annotations

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn_valid(digits: str) -> bool:
    """Say whether the last digit is the Luhn check digit of the rest (ISO/IEC 7812-1, annex B)."""
    values = [ord(digit) - 48 for digit in digits]
    return bool(values) and (sum(values[-1::-2]) + sum(_DOUBLED[value] for value in values[-2::-2])) % 10 == 0


def iban_valid(iban: str) -> bool:
    """Say whether letters and digits without spaces pass the check of ISO 13616 (remainder 1 modulo 97)."""
    moved = iban[4:] + iban[:4]
    return int("".join(str(int(letter, 36)) for letter in moved)) % 97 == 1
