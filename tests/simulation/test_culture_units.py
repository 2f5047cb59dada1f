"""Units of culture files: converted where they fit, refused with what would fit, and without influence on what runs."""

from __future__ import annotations

import pytest

from seedtrain.base import InputError
from tests.simulation import cases

ENZYME = """\
culture: enzyme
title: A Michaelis-Menten reaction in broth volumes
source: a textbook
status: unverified
design: true
basis: volume
species:
  E: {words: enzyme, known_as: enzyme, unit: g/L, composition: {C: 1, H: 1.6, O: 0.3, N: 0.27}}
  S: {words: maltose, known_as: maltose, unit: mmol/L, composition: {C: 12, H: 22, O: 11}}
  P: {words: glucose, known_as: glucose, unit: mmol/L, composition: {C: 6, H: 12, O: 6}}
parameters:
  k: {value: 2 mmol/g/min, status: assumed, source: example}
  K_M: {value: 4000 umol/L, range: 1 .. 10 mmol/L, status: assumed, source: example}
expressions:
  v: k * E * S / (K_M + S)
conversions:
  hydrolysis: {rate: v, consumes: {S: 1}, produces: {P: 2}}
"""

CELLS = """\
culture: cells
title: Counted cells that eat glucose
source: a textbook
status: unverified
design: true
biomass: X
species:
  X:
    {words: cells, known_as: biomass, unit: 1e9 cells/L, mass: 300 pg/cells, composition: {C: 1, H: 2, O: 0.5, N: 0.2}}
  S: {words: glucose, known_as: glucose, unit: mmol/L, composition: {C: 6, H: 12, O: 6}}
  Np: {words: plasmids, known_as: plasmids, unit: copies/L, weightless: true}
parameters:
  mu_max: {value: 0.7 1/d, status: assumed, source: example}
  K_S: {value: 1 mmol/L, status: assumed, source: example}
  Y_XS: {value: 1.7e8 cells/mmol, status: assumed, source: example}
  n: {value: 100 copies/cells, status: assumed, source: example}
expressions:
  mu: mu_max * S / (K_S + S)
conversions:
  growth: {rate: mu, consumes: {S: 1 / Y_XS}, produces: {X: 1, Np: n}}
"""


def _with(text, changes):
    for before, after in changes.items():
        assert before in text, before
        text = text.replace(before, after)
    return text


def _fault(text):
    with pytest.raises(InputError) as caught:
        cases.build_culture(text)
    return caught.value.parts


def test_values_arrive_in_the_units_that_cultures_compute_in():
    culture = cases.build_culture(ENZYME)
    assert culture.basis == "volume"
    assert culture.biomass == ""
    assert culture.values["k"] == pytest.approx(120.0, rel=1e-15)
    assert culture.parameters["k"].unit == "mmol/g/h"
    assert culture.values["K_M"] == 4.0
    assert culture.parameters["K_M"].unit == "mmol/L"
    assert (culture.parameters["K_M"].low, culture.parameters["K_M"].high) == (1.0, 10.0)


def test_a_file_in_other_units_is_the_same_culture():
    plain = cases.build_culture(ENZYME)
    other = cases.build_culture(_with(ENZYME, {"4000 umol/L, range: 1 .. 10 mmol/L": "0.004 M, range: 1 .. 10 mM"}))
    assert other.digest == plain.digest


def test_a_conversion_in_mmol_closes_with_water():
    culture = cases.build_culture(ENZYME)
    exchange = culture.exchange(culture.conversions[0])
    water = exchange.H2O
    assert water == pytest.approx(-1e-3, abs=1e-15)  # one water a bond, mol per mmol
    for gas in (exchange.O2, exchange.CO2, exchange.NH3):
        assert gas == pytest.approx(0.0, abs=1e-15)
    amounts = culture.amounts(culture.conversions[0])
    mass = sum(amount * culture.masses[name] for name, amount in amounts.items())
    assert mass + exchange.mass == pytest.approx(0.0, abs=1e-12)


def test_cells_are_counted_in_what_their_species_uses():
    culture = cases.build_culture(CELLS)
    assert culture.species["X"].unit == "1e9 cells/L"
    assert culture.masses["X"] == pytest.approx(0.3)  # g per 1e9 cells of 300 pg
    assert culture.values["Y_XS"] == pytest.approx(0.17)
    assert culture.parameters["Y_XS"].unit == "1e+09 cells/mmol"
    assert culture.values["mu_max"] == pytest.approx(0.7 / 24)
    assert culture.values["n"] == pytest.approx(1e11)  # copies per 1e9 cells
    conversion = culture.conversions[0]
    amounts, exchange = culture.amounts(conversion), culture.exchange(conversion)
    carbon = sum(amount * culture.compositions[name].elements["C"] for name, amount in amounts.items())
    assert carbon + exchange.CO2 == pytest.approx(0.0, abs=1e-12)
    mass = sum(amount * culture.masses[name] for name, amount in amounts.items())
    assert mass + exchange.mass == pytest.approx(0.0, abs=1e-10)


def test_counting_in_single_cells_changes_the_numbers_and_nothing_else():
    scaled = cases.build_culture(CELLS)
    single = cases.build_culture(_with(CELLS, {"1e9 cells/L": "cells/L"}))
    per_billion, per_cell = (culture.exchange(culture.conversions[0]).O2 for culture in (scaled, single))
    assert per_cell * 1e9 == pytest.approx(per_billion, rel=1e-12)


@pytest.mark.parametrize(
    ("base", "changes", "what", "remedy", "at"),
    [
        (ENZYME, {"K_M + S": "k + S"}, "adds unlike units: 'k' is in mmol/g/h, 'S' in mmol/L", "parameter in", "v:"),
        (ENZYME, {"K_M + S": "4 + S"}, "'4' is in 1, 'S' in mmol/L", "Give '4' its unit", "v:"),
        (ENZYME, {"v: k": "v: exp(S) * k"}, "exp takes a plain number, and 'S' is in mmol/L", "parameter in", "v:"),
        (ENZYME, {"v: k": "v: S ** (S / K_M) * k"}, "has no fixed unit", "(S / K_S) ** n", "v:"),
        (ENZYME, {"v: k": "v: 2 ** S * k"}, "the exponent 'S' is in mmol/L", "Divide it", "v:"),
        (ENZYME, {"v: k": "v: (1 if S > E else 2) * k"}, "compares unlike units", "Multiply 'E'", "v:"),
        (
            ENZYME,
            {"k * E * S": "k * S"},
            "is in mmol/g/h, and the rate with this amount of S is in mmol/L/h",
            "in g/L",
            "S:",
        ),
        (
            ENZYME,
            {"K_M: {value: 4000 umol/L, range: 1 .. 10 mmol/L": "K_M: {value: 4 g/L"},
            "'K_M' is in g/L",
            "",
            "v:",
        ),
        (
            ENZYME,
            {"unit: mmol/L, composition: {C: 6": "unit: umol/L, composition: {C: 6"},
            "compute in",
            "mmol/L",
            "P:",
        ),
        (
            ENZYME,
            {"unit: mmol/L, composition: {C: 6": "unit: 1e9/L, composition: {C: 6"},
            "compute in",
            "cells/L",
            "P:",
        ),
        (ENZYME, {"unit: mmol/L, composition: {C: 6": "unit: mmol, composition: {C: 6"}, "per volume", "g/L", "P:"),
        (ENZYME, {"basis: volume": "basis: biomass"}, "'' is not a species", "basis: volume", ""),
        (
            ENZYME,
            {"unit: mmol/L, composition: {C: 6, H: 12, O: 6}": "unit: mmol/L"},
            "cannot close",
            "weightless",
            "P:",
        ),
        (CELLS, {"mass: 300 pg/cells, ": ""}, "with the mass of one", "350 pg/cells", "1e9 cells"),
        (CELLS, {"300 pg/cells": "300 pg/copies"}, "not the mass of one", "g/1e+09 cells", "1e9 cells"),
        (CELLS, {"unit: copies/L": "unit: 1e6 cells/L"}, "another unit than the species above", "one unit", "Np:"),
        (CELLS, {"  Np:": "  F:", "Np: n": "F: n"}, "means something else in every run", "another name", "F:"),
        (CELLS, {"1 / Y_XS": "1"}, "the rate with this amount of S is in mmol/1e+09 cells/h", "", "growth"),
    ],
)
def test_a_unit_fault_says_where_and_what_would_fit(base, changes, what, remedy, at):
    faults = _fault(_with(base, changes))
    hits = [fault for fault in faults if what in fault.message]
    assert hits, [str(fault) for fault in faults]
    assert any(remedy in fault.remedy for fault in hits), hits[0].remedy
    assert all(fault.position.line > 0 for fault in hits)
    assert any(at in fault.excerpt for fault in hits)


def test_a_constant_gives_a_published_number_its_unit():
    text = _with(ENZYME, {"K_M + S": "K_x + S", "expressions:": "constants: {K_x: 3000 umol/L}\nexpressions:"})
    culture = cases.build_culture(text)
    assert "K_x" not in culture.parameters
    values = {**culture.values, "E": 1.0, "S": 5.0}
    assert culture.expressions["v"].evaluate(values) == pytest.approx(120 * 5 / 8)


def test_zero_fits_every_unit():
    cases.build_culture(_with(ENZYME, {"v: k * E * S / (K_M + S)": "v: max(k * E * S / (K_M + S), 0) if S > 0 else 0"}))


def test_gases_in_published_rates_may_be_in_mass_or_in_mmol():
    grams = cases.build_culture(cases.culture_text(name="ecoli_anane_published"))
    swap = {
        "O2: -q_O": "O2: -q_O * per",
        "  C_s:": "  per: {value: 31.25195 mmol/g, status: derived, source: x}\n  C_s:",
    }
    moles = cases.build_culture(cases.culture_text(swap, "ecoli_anane_published"))
    values = {**grams.values, "q_O": 0.2, "per": 31.25195}
    assert grams.rates["O2"].evaluate(values) == pytest.approx(-6.25039, rel=1e-6)
    assert moles.rates["O2"].evaluate(values) == pytest.approx(grams.rates["O2"].evaluate(values), rel=1e-6)
