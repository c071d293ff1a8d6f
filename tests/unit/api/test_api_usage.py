"""Prices are exact, and money is written as it was meant."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.budget import COST_UNITS, TokenPrices
from modelward.api.quantity import money_millionths, money_text
from modelward.api.usage import Prices

AMOUNTS = st.from_regex(r"[0-9]{1,6}(\.[0-9]{1,6})?", fullmatch=True).filter(str.isascii)


def prices(**models: tuple[str, str]) -> Prices:
    rows = [
        {"model": name.replace("any", "*"), "perMillionInputTokens": one, "perMillionOutputTokens": other}
        for name, (one, other) in models.items()
    ]
    return Prices.model_validate({"currency": "USD", "models": rows})


def test_a_model_has_its_own_price_or_that_of_all_or_none() -> None:
    both = prices(mini=("0.15", "0.60"), any=("2.50", "10"))
    assert both.of("mini") == TokenPrices("USD", 150_000, 600_000)
    assert both.of("other") == TokenPrices("USD", 2_500_000, 10_000_000)
    assert prices(mini=("1", "1")).of("other") is None


@given(AMOUNTS, AMOUNTS)
def test_the_price_of_a_token_is_exact(asked: str, said: str) -> None:
    found = prices(any=(asked, said)).of("m")
    assert found is not None
    assert Fraction(found.input, COST_UNITS) * 1_000_000 == Fraction(asked)
    assert Fraction(found.output, COST_UNITS) * 1_000_000 == Fraction(said)


@given(AMOUNTS)
def test_money_is_read_and_written_to_the_last_digit(text: str) -> None:
    assert Fraction(money_text(money_millionths(text))) == Fraction(text)
    assert len(money_text(money_millionths(text)).partition(".")[2]) >= 2


@pytest.mark.parametrize("text", ["5,00", "-1", "1e3", "", "1.2345678"])
def test_what_is_no_money_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount of money"):
        money_millionths(text)
