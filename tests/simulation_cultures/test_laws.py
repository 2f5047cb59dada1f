"""What holds for every shipped culture: conversions close, whatever the parameters are within their ranges."""

from __future__ import annotations

import numpy as np
import pytest

from seedtrain.simulation import Culture, read_culture, shipped_cultures

CLOSED = [name for name in shipped_cultures() if read_culture(name).conversions]


def _draw(culture: Culture, seed: int) -> Culture:
    """The culture with every parameter moved within its range."""
    random = np.random.default_rng(seed)
    drawn = {
        name: float(random.uniform(max(item.low, item.value * 0.8), min(item.high, item.value * 1.1)))
        for name, item in culture.parameters.items()
        if item.low < item.value < item.high
    }
    return culture.with_parameters(drawn)


@pytest.mark.parametrize("name", CLOSED)
def test_conversions_close_over_elements_ash_and_mass(name):
    for culture in (read_culture(name), _draw(read_culture(name), 3)):
        for conversion in culture.conversions:
            amounts, exchange = culture.amounts(conversion), culture.exchange(conversion)
            found = {
                element: sum(amount * culture.compositions[s].elements[element] for s, amount in amounts.items())
                for element in "CHONS"
            }
            scale = max(abs(value) for value in found.values()) + 1e-6
            made = {
                "C": exchange.CO2,
                "N": exchange.NH3,
                "S": exchange.sulphate,
                "H": 3 * exchange.NH3 + 2 * exchange.H2O + 2 * exchange.sulphate,
                "O": 2 * exchange.O2 + 2 * exchange.CO2 + exchange.H2O + 4 * exchange.sulphate,
            }
            for element, net in found.items():
                assert net + made[element] == pytest.approx(0, abs=1e-12 + 1e-11 * scale), (conversion.name, element)
            mass = sum(amount * culture.masses[s] for s, amount in amounts.items())
            assert mass + exchange.mass == pytest.approx(0, abs=1e-11 * max(culture.masses.values())), conversion.name


def test_what_may_design_closes_and_what_is_unverified_says_so():
    for name in shipped_cultures():
        culture = read_culture(name)
        assert culture.design == bool(culture.conversions) or not culture.design
        assert culture.status in {"verified", "unverified", "reproduction"}
        assert not (culture.design and culture.status == "reproduction")


def test_no_parameter_is_idle():
    for name in shipped_cultures():
        culture = read_culture(name)
        texts = [*culture.expressions.values(), *culture.rates.values()]
        texts += [item.rate for item in culture.conversions]
        texts += [text for item in culture.conversions for text in item.amounts.values()]
        texts += [text for item in culture.species.values() for text in item.formula.values()]
        read = {symbol for text in texts for symbol in text.names}
        assert not set(culture.parameters) - read, name
        assert not set(culture.expressions) - read - set(culture.outputs.values()), name
