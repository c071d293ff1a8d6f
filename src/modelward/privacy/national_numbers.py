"""National numbers of people that are digits alone, by shape and check digits."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from modelward.privacy import national_checks as checks
from modelward.privacy.national_checks import NationalCheck
from modelward.privacy.run import Run


@dataclass(frozen=True, slots=True)
class Form:
    """How a number is written: the groups, what may stand between them ("" for one group), and what must hold.

    `sure` forms are hardly ever anything else, also where a word says so.
    """

    shape: tuple[int, ...]
    separators: str
    check: NationalCheck
    sure: bool = False


_DASHES, _ANY = "-", " -./"
_FORMS = (
    Form((11,), "", checks.germany_tax),
    Form((2, 3, 3, 3), " ", checks.germany_tax),
    Form((15,), "", checks.france_social),
    Form((13, 2), " ", checks.france_social),
    Form((1, 2, 2, 2, 3, 3, 2), _ANY, checks.france_social, sure=True),
    Form((2, 2, 2, 3, 2), _ANY, checks.belgium, sure=True),
    Form((11,), "", checks.belgium),
    Form((11,), "", checks.poland),
    Form((6, 4), "-+", checks.sweden),
    Form((8, 4), "-", checks.sweden),
    Form((12,), "", checks.sweden),
    Form((11,), "", checks.norway),
    Form((6, 5), " -", checks.norway),
    Form((6, 4), "-", checks.denmark),
    Form((6, 4), "-", checks.finland),
    Form((13,), "", checks.switzerland),
    Form((3, 4, 4, 2), _ANY, checks.switzerland, sure=True),
    Form((4, 6), " -", checks.austria),
    Form((10,), "", checks.austria),
    Form((6, 3), "/", checks.czechia),
    Form((6, 4), "/", checks.czechia),
    Form((13,), "", checks.romania),
    Form((10,), "", checks.bulgaria),
    Form((11,), "", checks.turkey),
    Form((3, 3, 3, 2), "- ", checks.russia_social),
    Form((18,), "", checks.china, sure=True),
    Form((6, 8, 4), " -", checks.china, sure=True),
    Form((6, 2, 4), "-", checks.malaysia),
    Form((6, 7), "-", checks.korea),
    Form((4, 4, 4), " -", checks.india),
    Form((4, 4, 4), " -", checks.japan),
    Form((5, 7, 1), "-", checks.pakistan, sure=True),
    Form((1, 4, 5, 2, 1), "- ", checks.thailand, sure=True),
    Form((3, 4, 7, 1), "- ", checks.emirates, sure=True),
    Form((15,), "", checks.emirates),
    Form((13,), "", checks.south_africa),
    Form((6, 4, 3), " ", checks.south_africa),
    Form((6, 4, 2, 1), " ", checks.south_africa),
    Form((3, 3, 3, 2), ".-/ ", checks.brazil, sure=True),
    Form((9, 2), "-", checks.brazil),
    Form((11,), "", checks.brazil),
    Form((2, 3, 3, 4, 2), "./- ", checks.brazil_company, sure=True),
    Form((14,), "", checks.brazil_company),
    Form((2, 8, 1), "- ", checks.argentina),
    Form((2, 3, 3, 1), ".-", checks.chile, sure=True),
    Form((1, 3, 3, 1), ".-", checks.chile, sure=True),
    Form((8, 1), "-", checks.chile),
    Form((3, 3, 3), "-", checks.canada),
    Form((3, 3, 4), " -", checks.britain_health),
)


def _by_shape() -> dict[tuple[int, ...], list[Form]]:
    forms: dict[tuple[int, ...], list[Form]] = defaultdict(list)
    for form in _FORMS:
        forms[form.shape].append(form)
    return dict(forms)


_BY_SHAPE = _by_shape()


def is_known(run: Run, *, doubted: bool) -> bool:
    """Say whether a country gives out such a number; `doubted` where a word says that it is something else."""
    separators = [" " if between in ("\n", "\r\n") and run.is_wrapped else between for between in run.separators]
    return any(
        (form.sure or not doubted)
        and all(between.strip(form.separators) == "" or between in form.separators for between in separators)
        and form.check(run.digits)
        for form in _BY_SHAPE.get(run.shape, ())
    )
