"""National numbers drawn at random, their check digits made to fit, as each country writes them."""

from __future__ import annotations

import string
from collections.abc import Callable
from random import Random

from modelward.privacy import national_checks as checks
from modelward.privacy.national_words import identifying_words

_SPANISH = "TRWAGMYFPDXBNJZSQVHLCKE"
_FINNISH = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_UPPER = string.ascii_uppercase


def digits(rng: Random, count: int) -> str:
    """Return random digits."""
    return "".join(rng.choice(string.digits) for _ in range(count))


def until(valid: Callable[[str], bool], draw: Callable[[], str]) -> str:
    """Draw until one is valid."""
    while not valid(text := draw()):
        pass
    return text


def grouped(text: str, sizes: tuple[int, ...], separator: str) -> str:
    """Return the text in groups."""
    parts, at = [], 0
    for size in sizes:
        parts.append(text[at : at + size])
        at += size
    return separator.join(parts)


def _known(text: str) -> bool:
    return bool(list(identifying_words(text)))


def date(rng: Random) -> tuple[str, str, str]:
    """Return year, month and day of birth, two digits each."""
    return f"{rng.randrange(40, 99):02d}", f"{rng.randrange(1, 13):02d}", f"{rng.randrange(1, 29):02d}"


def _capitals(rng: Random, count: int) -> str:
    return "".join(rng.choice(_UPPER) for _ in range(count))


def _born(rng: Random) -> str:
    return "".join(date(rng))


def _born_backwards(rng: Random) -> str:
    return "".join(reversed(date(rng)))


def _german_tax(rng: Random) -> str:
    tens = list(string.digits)
    rng.shuffle(tens)
    tens[rng.randrange(5, 10)] = tens[rng.randrange(0, 4)]
    return "".join(tens) + rng.choice(string.digits)


def _spanish(rng: Random, prefix: str, value: int, count: int) -> str:
    number = digits(rng, count)
    letter = _SPANISH[(value * 10**count + int(number)) % 23]
    return rng.choice((f"{prefix}{number}{letter}", f"{prefix}{number}-{letter}"))


def _finnish(rng: Random) -> str:
    born, serial = _born_backwards(rng), digits(rng, 3)
    return f"{born}-{serial}{_FINNISH[int(born + serial) % 31]}"


def _swedish(rng: Random) -> str:
    number = until(checks.sweden, lambda: _born(rng) + digits(rng, 4))
    return f"{rng.choice(('', '19'))}{number[:6]}-{number[6:]}"


def _russian(rng: Random) -> str:
    number = until(checks.russia_social, lambda: digits(rng, 11))
    return f"{number[:3]}-{number[3:6]}-{number[6:9]} {number[9:]}"


def _brazilian(rng: Random) -> str:
    number = until(checks.brazil, lambda: digits(rng, 11))
    return rng.choice((number, f"{number[:3]}.{number[3:6]}.{number[6:9]}-{number[9:]}"))


def _chilean(rng: Random) -> str:
    number = until(checks.chile, lambda: "1" + digits(rng, 7) + rng.choice("0123456789K"))
    return f"{number[:2]}.{number[2:5]}.{number[5:8]}-{number[8]}"


def _fit(
    check: Callable[[str], bool],
    draw: Callable[[Random], str],
    *forms: tuple[tuple[int, ...], str],
) -> Callable[[Random], str]:
    """Return a maker of numbers that fit a check, in one of the forms (groups and what stands between them)."""

    def make(rng: Random) -> str:
        number = until(check, lambda: draw(rng))
        sizes, separator = rng.choice(forms) if forms else ((len(number),), "")
        return grouped(number, sizes, separator)

    return make


NATIONAL: dict[str, Callable[[Random], str]] = {
    "uk_nino": _fit(
        _known,
        lambda r: r.choice(("AB", "JK", "PR", "SX", "WM")) + digits(r, 6) + r.choice("ABCD"),
        ((9,), ""), ((2, 2, 2, 2, 1), " "),
    ),
    "de_tax": _fit(checks.germany_tax, _german_tax, ((11,), ""), ((2, 3, 3, 3), " ")),
    "de_pension": _fit(
        _known,
        lambda r: digits(r, 2) + _born_backwards(r) + r.choice("ABKMS") + digits(r, 3),
        ((12,), ""), ((2, 6, 1, 3), " "),
    ),
    "fr_nir": _fit(
        checks.france_social,
        lambda r: r.choice("12") + "".join(date(r)[:2]) + digits(r, 10),
        ((15,), ""), ((1, 2, 2, 2, 3, 3, 2), " "), ((13, 2), " "),
    ),
    "es_dni": lambda r: _spanish(r, "", 0, 8),
    "es_nie": lambda r: _spanish(r, "Y", 1, 7),
    "it_fiscal": _fit(
        _known, lambda r: "RSSMRA" + date(r)[0] + r.choice("ABCDEHLMPRST") + date(r)[2] + "H501" + r.choice(_UPPER)
    ),
    "be_register": _fit(
        checks.belgium, lambda r: _born(r) + digits(r, 5), ((2, 2, 2, 3, 2), "."), ((2, 2, 2, 3, 2), "-")
    ),
    "pl_pesel": _fit(checks.poland, lambda r: _born(r) + digits(r, 5)),
    "se_person": _swedish,
    "no_birth": _fit(checks.norway, lambda r: _born_backwards(r) + digits(r, 5)),
    "fi_person": _finnish,
    "ch_ahv": _fit(checks.switzerland, lambda r: "756" + digits(r, 10), ((13,), ""), ((3, 4, 4, 2), ".")),
    "at_insurance": _fit(checks.austria, lambda r: digits(r, 4) + _born_backwards(r), ((4, 6), " ")),
    "cz_birth": _fit(checks.czechia, lambda r: _born(r) + digits(r, 4), ((6, 4), "/")),
    "ro_person": _fit(checks.romania, lambda r: "1" + _born(r) + digits(r, 6)),
    "tr_identity": _fit(checks.turkey, lambda r: digits(r, 11)),
    "ru_insurance": _russian,
    "cn_resident": _fit(checks.china, lambda r: "11010519" + _born(r) + digits(r, 3) + r.choice("0123456789X")),
    "kr_resident": lambda r: f"{_born(r)}-{r.choice('12')}{digits(r, 6)}",
    "in_aadhaar": _fit(
        checks.india, lambda r: r.choice("23456789") + digits(r, 11), ((4, 4, 4), " "), ((4, 4, 4), "-")
    ),
    "in_pan": lambda r: _capitals(r, 3) + "P" + _capitals(r, 1) + digits(r, 4) + _capitals(r, 1),
    "br_person": _brazilian,
    "mx_person": lambda r: f"GODE{_born(r)}HDFRRN0{r.randrange(10)}",
    "ar_person": _fit(checks.argentina, lambda r: "20" + digits(r, 9), ((2, 8, 1), "-")),
    "cl_person": _chilean,
    "za_identity": _fit(checks.south_africa, lambda r: _born(r) + digits(r, 4) + "08" + digits(r, 1)),
    "sg_identity": _fit(_known, lambda r: "S" + digits(r, 7) + r.choice("ABCDEFGHIZJ")),
    "th_identity": _fit(checks.thailand, lambda r: "1" + digits(r, 12), ((1, 4, 5, 2, 1), "-")),
    "my_identity": lambda r: f"{_born(r)}-14-{digits(r, 4)}",
}  # fmt: skip
"""Numbers that are found without a word."""

ANNOUNCED: dict[str, tuple[Callable[[Random], str], tuple[str, ...]]] = {
    "uk_health": (lambda r: digits(r, 10), ("NHS number:", "my NHS number is", "nhs_number=")),
    "nl_citizen": (lambda r: "1" + digits(r, 8), ("BSN:", "mijn BSN is", "bsn=")),
    "dk_person": (lambda r: _born_backwards(r) + digits(r, 4), ("CPR:", "mit CPR er", "cpr=")),
    "ca_insurance": (lambda r: digits(r, 9), ("SIN:", "my social insurance number is", "SIN number:")),
    "au_tax": (lambda r: grouped(digits(r, 9), (3, 3, 3), " "), ("TFN:", "my tax file number is", "tfn=")),
    "passport": (
        lambda r: r.choice("CXPL") + digits(r, 8),
        ("passport number:", "Reisepass", "my passport is", "pasaporte:", "passport_no="),
    ),
    "driving_licence": (
        lambda r: r.choice("DAF") + digits(r, 7),
        ("driver's license number is", "Führerschein:", "driving licence:"),
    ),
}
"""Numbers that need a word, and the words."""
