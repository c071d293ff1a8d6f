"""Which digits are a person's number in which country: check digits as each registry defines them, and birth dates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from modelward.privacy.checksums import ean_valid, luhn_valid, mod11_10_valid, verhoeff_valid, weighted

NationalCheck = Callable[[str], bool]


def is_date(year: str, month: str, day: str) -> bool:
    """Say whether month and day exist; any year does."""
    return bool(year) and 1 <= int(month) <= 12 and 1 <= int(day) <= 31


def us_social_security(d: str) -> bool:
    """US social security number: areas 000, 666 and 9xx are not given out (nor is a zero group or serial)."""
    return d[:3] not in ("000", "666") and d[0] != "9" and d[3:5] != "00" and d[5:] != "0000"


def us_individual_taxpayer(d: str) -> bool:
    """US ITIN: 9xx with groups 50 to 65, 70 to 88, 90 to 92, 94 to 99."""
    group = int(d[3:5])
    return d[0] == "9" and (50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or group >= 94)


def germany_tax(d: str) -> bool:
    """German Steuer-ID: of the first ten digits exactly one occurs twice or thrice."""
    most = sorted(Counter(d[:10]).values(), reverse=True)
    return d[0] != "0" and most[0] in (2, 3) and most[1] == 1 and mod11_10_valid(d)


def france_social(d: str) -> bool:
    """French NIR: sex, year, month, place, and a key of 97 less the remainder."""
    month = int(d[3:5])
    return (
        d[0] in "123478"
        and (1 <= month <= 12 or 20 <= month <= 42 or month >= 50)
        and 97 - int(d[:13]) % 97 == int(d[13:])
    )


def belgium(d: str) -> bool:
    """Belgian rijksregisternummer, of people born before 2000 or after."""
    born = 0 <= int(d[2:4]) <= 12 and int(d[4:6]) <= 31
    return born and (97 - int(d[:9]) % 97 == int(d[9:]) or 97 - int("2" + d[:9]) % 97 == int(d[9:]))


def poland(d: str) -> bool:
    """Polish PESEL; centuries add 20, 40, 60 or 80 to the month."""
    return (
        is_date(d[:2], str(int(d[2:4]) % 20), d[4:6])
        and (weighted(d, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) + int(d[10])) % 10 == 0
    )


def sweden(d: str) -> bool:
    """Swedish personnummer of 10 or 12 digits; coordination numbers add 60 to the day."""
    d = d[-10:]
    return is_date(d[:2], d[2:4], str(int(d[4:6]) % 60)) and luhn_valid(d)


def norway(d: str) -> bool:
    """Norwegian fødselsnummer with its two check digits."""
    first = weighted(d, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11
    second = weighted(d, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11
    return is_date(d[4:6], d[2:4], str(int(d[:2]) % 40)) and first == 0 and second == 0


def denmark(d: str) -> bool:
    """Danish CPR number, whose check digit newer ones lack; the date must exist."""
    return is_date(d[4:6], d[2:4], d[:2]) and weighted(d, (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def finland(d: str) -> bool:
    """Finnish henkilötunnus that ends with a digit."""
    return is_date(d[4:6], d[2:4], d[:2]) and int(d[:9]) % 31 == int(d[9])


def switzerland(d: str) -> bool:
    """Swiss AHV number: 756 and a GTIN's check digit."""
    return d[:3] == "756" and ean_valid(d)


def austria(d: str) -> bool:
    """Austrian Sozialversicherungsnummer: the fourth digit checks the rest, the last six are a birth date."""
    check = weighted(d, (3, 7, 9, 0, 5, 8, 4, 2, 1, 6)) % 11
    return d[0] != "0" and is_date(d[8:], d[6:8], d[4:6]) and check == int(d[3])


def czechia(d: str) -> bool:
    """Czech and Slovak rodné číslo: women add 50 to the month, full years 20; ten digits divide by 11."""
    return is_date(d[:2], str(int(d[2:4]) % 50 % 20), d[4:6]) and (len(d) == 9 or int(d) % 11 == 0)


def romania(d: str) -> bool:
    """Romanian CNP."""
    return (
        d[0] in "12345678"
        and is_date(d[1:3], d[3:5], d[5:7])
        and (weighted(d, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11 % 10 == int(d[12]))
    )


def bulgaria(d: str) -> bool:
    """Bulgarian EGN; centuries add 20 or 40 to the month."""
    born = is_date(d[:2], str(int(d[2:4]) % 20), d[4:6])
    return born and weighted(d, (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10 == int(d[9])


def turkey(d: str) -> bool:
    """Turkish kimlik number with its two check digits."""
    v = [int(digit) for digit in d]
    return v[0] != 0 and (7 * sum(v[0:9:2]) - sum(v[1:8:2])) % 10 == v[9] and sum(v[:10]) % 10 == v[10]


def russia_social(d: str) -> bool:
    """Russian SNILS."""
    return weighted(d, range(9, 0, -1)) % 101 % 100 == int(d[9:])


def china(d: str) -> bool:
    """Chinese resident number: birth date, and ISO/IEC 7064 MOD 11-2, whose check may be X."""
    if not is_date(d[6:10], d[10:12], d[12:14]) or d[6:8] not in ("18", "19", "20"):
        return False
    return "10X98765432"[weighted(d, (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)) % 11] == d[17]


def malaysia(d: str) -> bool:
    """Malaysian MyKad: a birth date and a place."""
    return is_date(d[:2], d[2:4], d[4:6])


def korea(d: str) -> bool:
    """South Korean resident registration number: a birth date and a century; new ones have no check digit."""
    return is_date(d[:2], d[2:4], d[4:6]) and d[6] in "12345678"


def india(d: str) -> bool:
    """Indian Aadhaar (Verhoeff); three years in a row are none."""
    years = all(d[at : at + 2] in ("19", "20") for at in (0, 4, 8))
    return d[0] not in "01" and not years and verhoeff_valid(d)


def japan(d: str) -> bool:
    """Japanese individual number (My Number); three years in a row are none."""
    years = all(d[at : at + 2] in ("19", "20") for at in (0, 4, 8))
    rest = weighted(d[10::-1], (2, 3, 4, 5, 6, 7, 2, 3, 4, 5, 6)) % 11
    return not years and int(d[11]) == (0 if rest <= 1 else 11 - rest)


def pakistan(d: str) -> bool:
    """Pakistani identity number: a province and a sex, no check digit."""
    return d[0] in "1234567" and d[5:12] != "0000000"


def thailand(d: str) -> bool:
    """Thai identity number."""
    return (11 - weighted(d, range(13, 1, -1)) % 11) % 10 == int(d[12])


def emirates(d: str) -> bool:
    """Emirates ID: 784 and Luhn."""
    return d[:3] == "784" and luhn_valid(d)


def south_africa(d: str) -> bool:
    """South African identity number: a birth date, citizenship 0 or 1, and Luhn."""
    return is_date(d[:2], d[2:4], d[4:6]) and d[10] in "012" and luhn_valid(d)


def brazil(d: str) -> bool:
    """Brazilian CPF with its two check digits."""
    return len(set(d)) > 1 and all(weighted(d, range(n + 1, 1, -1)) * 10 % 11 % 10 == int(d[n]) for n in (9, 10))


def brazil_company(d: str) -> bool:
    """Brazilian CNPJ with its two check digits."""
    weights: Sequence[int] = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
    return len(set(d)) > 1 and all(
        (0 if (rest := weighted(d, weights[13 - n :]) % 11) < 2 else 11 - rest) == int(d[n]) for n in (12, 13)
    )


def argentina(d: str) -> bool:
    """Argentine CUIL or CUIT."""
    return (11 - weighted(d, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11) % 11 == int(d[10])


def chile(d: str) -> bool:
    """Chilean RUT, whose check may be K."""
    rest = weighted(d[-2::-1], (2, 3, 4, 5, 6, 7, 2, 3)) % 11
    return "0K987654321"[rest] == d[-1]


def canada(d: str) -> bool:
    """Canadian social insurance number."""
    return d[0] != "8" and luhn_valid(d)


def britain_health(d: str) -> bool:
    """British NHS number."""
    return (11 - weighted(d, range(10, 1, -1)) % 11) % 11 == int(d[9])
