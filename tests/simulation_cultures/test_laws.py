"""What holds for every shipped culture: conversions close, whatever the parameters are within their ranges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from seedtrain.base import parse_document
from seedtrain.quantity import parse
from seedtrain.simulation import Culture, PublishedPhase, read_culture, reproduce, shipped_cultures
from seedtrain.simulation._culture_file import build
from seedtrain.simulation._library import culture_folder

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


OTHER = {"g/L": "mg/mL", "mmol/L": "umol/L", "1/h": "1/min", "g/g/h": "mg/g/min", "mmol/g/h": "mol/kg/d", "h": "s"}


def _rewritten(name: str) -> Culture:
    """A shipped culture whose file gives every parameter in another unit and its species in another order."""
    document = parse_document((culture_folder() / f"{name}.yaml").read_text("utf-8"), name)
    parameters = {}
    for symbol, item in document.data["parameters"].items():
        quantity = parse(item["value"])
        unit = OTHER.get(quantity.unit, quantity.unit)
        parameters[symbol] = {**item, "value": str(quantity.to(unit))}
    species = dict(reversed(document.data["species"].items()))
    return build(replace(document, data={**document.data, "parameters": parameters, "species": species}))


@pytest.mark.parametrize("name", shipped_cultures())
def test_units_of_parameters_change_nothing(name):
    plain, other = read_culture(name), _rewritten(name)
    assert list(other.values) == list(plain.values)
    for symbol, value in plain.values.items():
        assert other.values[symbol] == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("ecoli_xu_balanced", {"X": 0.5, "S": 10.0}),
        ("ecoli_anane_published", {"X": 0.5, "S": 5.0, "DOT": 95.0}),
        ("transaminase_cascade", {"E1": 0.1, "E2": 0.01, "HPA": 50.0, "GA": 50.0, "MBA": 10.0}),
    ],
)
def test_neither_units_nor_the_order_of_species_change_a_trajectory(name, start):
    phases = [PublishedPhase("batch", 3.0, kLa=300.0), PublishedPhase("fed", 2.0, kLa=300.0, feed=0.05)]
    plain, other = (reproduce(culture, start, phases) for culture in (read_culture(name), _rewritten(name)))
    for symbol in plain.variables:
        scale = np.abs(plain[symbol]).max() + 1e-12
        np.testing.assert_allclose(other[symbol] / scale, plain[symbol] / scale, atol=1e-7)
