"""Values that redaction must find, made at random with valid check digits: a labelled sample that never runs out.

No value belongs to a person: numbers are drawn, and only their check digits are made to fit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from privacy_national import ANNOUNCED, NATIONAL, digits, grouped, until
from privacy_secrets import PASSWORD_WORDS, api_key, jwt, letters, password, private_key

from modelward.privacy import kinds
from modelward.privacy import national_checks as checks
from modelward.privacy.checksums import iban_valid, luhn_valid
from modelward.privacy.reading import reading_of

_CARDS = (("4", 16), ("51", 16), ("2300", 16), ("34", 15), ("6011", 16), ("3530", 16), ("62", 16), ("36", 14))
_CARD_GROUPS = {16: (4, 4, 4, 4), 15: (4, 6, 5), 14: (4, 6, 4)}
_CARD_SEPARATORS = (" ", " ", "-", "-", "\u00a0", ".", "  ", "\u2011", "\u2013", "/", "_", "\t")
_BANKS = (
    ("DE", "", 18),
    ("GB", "NWBK", 14),
    ("FR", "", 23),
    ("NL", "ABNA", 10),
    ("ES", "", 20),
    ("CH", "", 17),
    ("PL", "", 24),
)
_NAMES = ("ann", "jörg.m", "o.brien", "john+tag", "li_wei", "a.b-c", "maria99", "иван", "X.Y")
_HOSTS = ("example.com", "mail.example.co.uk", "müller.example", "sub-1.example.org", "пример.рф")
_PHONES = {
    "phone_us": "(A) B-####|A-B-####|A.B.####|+1 A B ####|1-A-B-####|(A)B-####",
    "phone_uk": "07N## ######|020 7### ####|+44 20 #### ####|01### ######|07N########",
    "phone_de": "015N ########|0171-#######|0151/#######|030 #######|+49 151 ########|0049 89 #######|(0711) ######"
    "|+49 (0)30 ######|0711 ### ### ##",
    "phone_fr": "0N ## ## ## ##|0N.##.##.##.##|0N-##-##-##-##|+33 N ## ## ## ##|06########",
    "phone_es": "6## ## ## ##|+34 6## ### ###|0034 91 ### ####",
    "phone_elsewhere": "9#### #####|+91 9#### #####|(11) 9####-####|138 #### ####|090-####-####|+81-3-####-####"
    "|8 (912) ###-##-##",
    "phone_bare": "4155######|612 B ###|138########|55#####|601 B ###",
}
"""Forms: # is any digit, N one from 1 to 7, A an area code and B an exchange of North America."""
PHONE_WORDS = (
    "my phone number is", "Telefon:", "tel.", "mobile:", "call me at", "Handynummer:", "mon téléphone :",
    "mi teléfono es", "phone=",
)  # fmt: skip
NUMBERS = frozenset((kinds.NATIONAL_ID, kinds.CARD, kinds.PHONE, kinds.US_SSN))
"""What the mask of a national number may be called: some fit the check digits of another kind too."""


@dataclass(frozen=True)
class Value:
    """One value: how the sample calls its kind, what its mask may be called, and the words that announce it.

    `words` empty: it must be found without one. Otherwise a context has to put one of them before it.
    """

    name: str
    masks: frozenset[str]
    text: str
    words: tuple[str, ...] = ()

    def is_left_in(self, masked: str) -> bool:
        """Say whether the value can still be read in a masked text, but for a few characters at its ends."""
        core = _as_read(self.text)
        return (core[2:-2] if len(core) > 8 else core) in _as_read(masked)


def _as_read(text: str) -> str:
    return "".join(character for character in reading_of(text).text.casefold() if character.isalnum())


def _email(rng: Random) -> str:
    return rng.choice(("{}@{}", "{}@{}", "{}@{}", "{}\uff20{}", "{} (at) {}", "{}[at]{}")).format(
        rng.choice(_NAMES), rng.choice(_HOSTS)
    )


def _card(rng: Random) -> str:
    head, size = rng.choice(_CARDS)
    number = until(luhn_valid, lambda: head + digits(rng, size - len(head)))
    return rng.choice((number, grouped(number, _CARD_GROUPS[size], rng.choice(_CARD_SEPARATORS))))


def _iban(rng: Random) -> str:
    country, bank, count = rng.choice(_BANKS)
    account = bank + digits(rng, count)
    number = next(f"{country}{n:02d}{account}" for n in range(2, 99) if iban_valid(f"{country}{n:02d}{account}"))
    groups = tuple(min(4, len(number) - at) for at in range(0, len(number), 4))
    return rng.choice((number, number.lower(), grouped(number, groups, rng.choice("  \u00a0-.\u2011"))))


def _ssn(rng: Random) -> str:
    return until(checks.us_social_security, lambda: digits(rng, 9))


def _ipv4(rng: Random) -> str:
    first = rng.choice((10, 52, 88, 172, 192, 203))
    return f"{first}.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"


def _ipv6(rng: Random) -> str:
    parts = [f"{rng.randrange(0x1000, 0xFFFF):x}" for _ in range(7)]
    return rng.choice(
        ("2001:" + ":".join(parts), f"2a02:{parts[0]}:{parts[1]}::{parts[2]}", f"fe80::{parts[0]}:{parts[1]}")
    )


def _mac(rng: Random) -> str:
    pairs = [*(f"{rng.randrange(256):02x}" for _ in range(5)), "a" + letters(rng, 1, "h")]
    words = ["".join(pairs[at : at + 2]) for at in (0, 2, 4)]
    return rng.choice((":".join(pairs), "-".join(pairs).upper(), ".".join(words)))


def _phone(rng: Random, forms: str) -> str:
    form = rng.choice(forms.split("|")).replace("A", rng.choice(("212", "415", "305", "617", "720")))
    form = form.replace("B", str(rng.randrange(200, 999))).replace("N", rng.choice("1234567"))
    return "".join(digits(rng, 1) if sign == "#" else sign for sign in form)


_SIMPLE: dict[str, tuple[str, Callable[[Random], str], tuple[str, ...]]] = {
    "email": (kinds.EMAIL, _email, ()),
    "card": (kinds.CARD, _card, ()),
    "iban": (kinds.IBAN, _iban, ()),
    "us_ssn": (kinds.US_SSN, lambda r: grouped(_ssn(r), (3, 2, 4), r.choice("---\u2011\u2013 \u00a0")), ()),
    "us_ssn_solid": (kinds.US_SSN, _ssn, ("SSN:", "my social security number is", "ssn=")),
    "ipv4": (kinds.IP_ADDRESS, _ipv4, ()),
    "ipv6": (kinds.IP_ADDRESS, _ipv6, ()),
    "mac": (kinds.MAC_ADDRESS, _mac, ()),
    "api_key": (kinds.API_KEY, api_key, ()),
    "jwt": (kinds.BEARER_TOKEN, jwt, ()),
    "private_key": (kinds.PRIVATE_KEY, private_key, ()),
    "password": (kinds.PASSWORD, password, PASSWORD_WORDS),
    "url_credentials": (
        kinds.URL_CREDENTIALS,
        lambda r: f"{r.choice(('app', 'root'))}:{letters(r, 12)}",
        ("in a URL",),
    ),
}


def values(rng: Random, each: int) -> list[Value]:
    """Return `each` values of every kind, more of those that are written in many ways."""
    made: list[Value] = []
    for name, (kind, draw, words) in _SIMPLE.items():
        many = 3 * each if name in ("api_key", "password") else each
        made += [Value(name, frozenset((kind,)), draw(rng), words) for _ in range(many)]
    for name, forms in _PHONES.items():
        words = PHONE_WORDS if name == "phone_bare" else ()
        made += [Value(name, frozenset((kinds.PHONE,)), _phone(rng, forms), words) for _ in range(each)]
    for name, draw in NATIONAL.items():
        made += [Value(name, NUMBERS, draw(rng)) for _ in range(each)]
    for name, (draw, words) in ANNOUNCED.items():
        made += [Value(name, NUMBERS, draw(rng), words) for _ in range(each)]
    return made
