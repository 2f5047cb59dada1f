"""The factor table: complete, sourced or honestly assumed; a user's file overrides it or is refused with a place."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedtrain.base import InputError, InputErrors
from seedtrain.development._factor_table import CATEGORIES
from seedtrain.development._factors import read_factors

HEAD = "factors: mine\ncurrency: USD_2025\ngwp: IPCC AR6 GWP100\n"


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "factors.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    return path


def test_every_shipped_number_says_where_it_comes_from() -> None:
    table = read_factors()
    numbers = [*table.parameters.values()]
    for item in table.items.values():
        assert item.category in CATEGORIES
        assert item.price is not None
        assert (item.carbon is None) == bool(item.carbon_excluded), "no silent zero"
        numbers += [factor for factor in (item.price, item.carbon, item.life) if factor]
    for factor in numbers:
        assert factor.boundary
        assert factor.geography
        assert factor.year.isdigit()
        assert factor.source
        assert factor.licence
        assert factor.low < factor.high or factor.spread == "fixed"
        assert factor.status in ("sourced", "derived", "assumed")
        assert "assumed" not in factor.source.lower() or factor.status in ("assumed", "derived")
        assert not (factor.verified and factor.status == "assumed"), "nothing to verify against"


def test_an_assumed_price_has_a_wide_range() -> None:
    for item in read_factors().items.values():
        assert item.price is not None
        if item.price.status == "assumed":
            assert item.price.high / item.price.low >= 2.0, item.name


def test_a_user_file_replaces_what_it_names_and_adds_what_is_new(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "items:\n"
        "  glucose: {price: {value: 0.6, low: 0.55, high: 0.65, unit: USD/kg, source: our contract 4711}}\n"
        "  yeast-extract:\n"
        "    category: raw_materials\n"
        "    price: {value: 9, low: 8, high: 11, unit: USD/kg, source: our contract 4712}\n"
        "    carbon: {value: 3, low: 1, high: 9, unit: kg CO2e/kg}\n"
        "parameters:\n"
        "  operating_days: {value: 300, low: 280, high: 320, unit: d/year, spread: triangular, source: our calendar}\n",
    )
    shipped, mine = read_factors(), read_factors(path)
    assert mine.factor("glucose.price").value == 0.6
    assert mine.factor("glucose.price").status == "sourced"
    assert mine.factor("glucose.price").position.line == 5
    assert mine.factor("glucose.carbon") == shipped.factor("glucose.carbon")
    assert mine.factor("yeast-extract.carbon").status == "assumed"
    assert mine.factor("operating_days").value == 300
    assert set(mine.items) == {*shipped.items, "yeast-extract"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("items:\n  glucose: {price: {value: -1, low: -2, high: 1, unit: USD/kg}}\n", "negative"),
        ("items:\n  glucose: {price: {value: 1, low: 0.5, high: 2, unit: USD_2018/kg}}\n", "USD_2018 in a table"),
        ("items:\n  glucose: {price: {value: 1, low: 0.5, high: 2, unit: EUR_2025/kg}}\n", "EUR_2025 in a table"),
        ("items:\n  glucose: {price: {value: 3, low: 0.5, high: 2, unit: USD/kg}}\n", "lies outside"),
        ("items:\n  glucose: {price: {value: 1, low: 0, high: 2, unit: USD/kg}}\n", "lognormal"),
        ("items:\n  glucose: {price: {value: 1, low: 0.5, high: 2, unit: kg/USD}}\n", "is not USD_2025"),
        ("items:\n  glucose: {price: {value: nan, low: 0.5, high: 2, unit: USD/kg}}\n", "finite"),
        ("items:\n  glucose: {carbon: {value: 1, low: 0.5, high: 2, unit: kg/kg}}\n", "kg CO2e"),
        ("items:\n  new: {category: waste, price: {value: 1, low: 0.5, high: 2, unit: USD/kg}}\n", "emission factor"),
        ("items:\n  new: {category: waste, carbon_excluded: because}\n", "has no price"),
        ("items:\n  new: {category: lunch, carbon_excluded: because}\n", "lunch"),
        ("parameters:\n  chiller: {value: 3, low: 2, high: 5}\n", "is unknown"),
        ("parameters:\n  operating_days: {value: 3, low: 2, high: 5, unit: kg}\n", "'kg' is not"),
        ("parameter: {}\n", "the key 'parameter' is unknown"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read_factors(write(tmp_path, text))
    assert words in str(caught.value)
    assert "factors.yaml:" in str(caught.value)
    assert caught.value.parts[0].position is not None
    assert caught.value.parts[0].position.line >= 4


def test_another_currency_year_and_another_report_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "factors.yaml"
    path.write_text("factors: mine\ncurrency: USD_2018\ngwp: IPCC AR5 GWP100\n", encoding="utf-8")
    with pytest.raises(InputErrors) as caught:
        read_factors(path)
    assert "mixed currency years" in str(caught.value)
    assert "AR5" in str(caught.value)


def test_an_unknown_item_says_what_to_write() -> None:
    with pytest.raises(InputError, match=r"items: \{unobtainium: \{category"):
        read_factors().item("unobtainium")
