"""mRNA by in-vitro transcription in a vessel by a recipe: closed, and as published where the pH is the same."""

from __future__ import annotations

import math

import numpy as np
import pytest

from seedtrain.recipe import parse_recipe
from seedtrain.simulation import Culture, PublishedPhase, Run, StirredTank, read_culture, reproduce, simulate
from tests.simulation_cell_cultures.test_transcription import transcription

RECIPE = """\
recipe: transcription
title: mRNA in a litre
version: "1"
product: mRNA
culture: ivt_balanced
basis: {unit: TANK, volume: 1 L}
materials:
  mix:
    composition: {ATP: 4.06 g/L, UTP: 3.87 g/L, CTP: 3.87 g/L, GTP: 4.19 g/L, magnesium: 0.97 g/L, template: 50 mg/L,
      polymerase: 20 mg/L, pyrophosphatase: 20 mg/L, tris: 5 g/L, water: 0.97 kg/L}
procedure:
  - unit_procedure: production
    unit_class: production_vessel
    operations:
      - operation: reaction
        phases:
          - {phase: fill, do: charge, set: {material: mix, volume: 1 L}, duration: 30 min}
          - phase: react
            do: grow
            set: {temperature: 37 degC, pH: 8.0, stirrer_speed: 100 1/min, aeration: 0.05 vvm, head_pressure: 0 bar}
            until: product >= 8 g/L
            at_most: 4 h
specification:
  - {attribute: purity, method: SEC, limit: ">= 95 %", assay_cv: 1 %}
"""
NUCLEOTIDES = ("ATP", "UTP", "CTP", "GTP")
MAGNESIUM = 0.024305  # g/mmol


def batch(culture: Culture) -> Run:
    """The recipe in a tank of 2 L."""
    tank = StirredTank(
        name="TANK",
        scale="bench",
        nominal_volume=2.0,
        working_volume=(0.5, 1.6),
        diameter=0.12,
        impellers=1,
        impeller="rushton",
        impeller_diameter=0.05,
        stirrer_speed=(30.0, 400.0),
        motor_power=20.0,
        aeration=(0.02, 0.5),
        head_pressure=(0.0, 1.0),
        cooling_area=0.05,
        heat_transfer_coefficient=400.0,
        coolant_temperature=10.0,
    )
    return simulate(culture, tank, parse_recipe(RECIPE, "transcription.yaml"))


def free_magnesium(K: dict[str, float], held: dict[str, float], pH: float) -> float:
    """mmol/L, by bisection of the total."""
    from scipy.optimize import brentq

    H = 10 ** (3 - pH)
    HP = H * K["K_HPPi"]
    nucleotide = (1 + H * K["K_HNTP"], K["K_MgNTP"] + H * K["K_HNTP"] * K["K_HMgNTP"], K["K_MgNTP"] * K["K_Mg2NTP"])
    pyrophosphate = (
        1 + HP + HP * H * K["K_H2PPi"],
        K["K_MgPPi"] + HP * K["K_HMgPPi"] + HP * H * K["K_H2PPi"] * K["K_H2MgPPi"],
        K["K_MgPPi"] * K["K_Mg2PPi"],
    )
    phosphate = (1 + H * K["K_HPi"], K["K_MgPi"], 0.0)
    total = held["Mg"] / MAGNESIUM

    def excess(log: float) -> float:
        Mg = math.exp(log)
        found = Mg - total
        ligands = (sum(held[name] for name in NUCLEOTIDES), nucleotide), (held["PPi"], pyrophosphate)
        for amount, (none, one, two) in (*ligands, (held["Pi"], phosphate)):
            found += amount * (one * Mg + 2 * two * Mg**2) / (none + one * Mg + two * Mg**2)
        return found

    return math.exp(brentq(excess, -40, math.log(total) + 1e-12, xtol=1e-14, rtol=1e-14))


def test_free_magnesium_is_the_root_over_six_decades():
    culture, random = read_culture("ivt_balanced"), np.random.default_rng(3)
    for _ in range(200):
        held = {name: 10 ** random.uniform(-4, 1.5) for name in NUCLEOTIDES}
        held |= {"PPi": 10 ** random.uniform(-8, 1.3), "Pi": 10 ** random.uniform(-6, 1.5)}
        held |= {"Mg": MAGNESIUM * 10 ** random.uniform(-2, 2), "DNA": 0.0, "T7": 0.0}
        symbols = {**culture.values, **held, "pH": random.uniform(6, 9)}
        for name, text in culture.expressions.items():
            symbols[name] = text.evaluate(symbols)
            if name == "Mg_free":
                break
        assert symbols["Mg_free"] == pytest.approx(free_magnesium(culture.values, held, symbols["pH"]), rel=1e-9)


def test_it_follows_the_published_form():
    # There the pH falls from 8.00 to 7.89 by itself.
    published = transcription(2.0)
    start = {**dict.fromkeys(NUCLEOTIDES, 0.8), "Mg": 8 * MAGNESIUM, "DNA": 7.4e-6 * 2080, "T7": 1e-4 * 98.9}
    phase = PublishedPhase("react", 2.0, surroundings={"pH": 8.0})
    run = reproduce(read_culture("ivt_balanced"), start, [phase], points=121)
    for hour in (0.25, 0.5, 2.0):
        assert run.at("RNA", hour) / 278.9537 == pytest.approx(published.at("RNA", hour), rel=5e-3)
        assert run.at("Mg", hour) / MAGNESIUM == pytest.approx(published.at("Mg", hour), rel=0.01)


def test_a_litre_by_a_recipe():
    run = batch(read_culture("ivt_balanced"))
    assert run.final("RNA") == pytest.approx(8.0, rel=1e-6)
    assert 0.2 < run.time[-1] < 4.0
    assert run.final("Crystal") < 0.3
    balances = {item.name: item for item in run.balances}
    for name in ("carbon", "mass"):
        assert abs(balances[name].relative) < 1e-9, name
    # Nothing is burnt, and no ammonia is set free.
    assert abs(run["NH"]).max() < 1e-6
    assert abs(run["OUR"]).max() < 1e-6


def test_phosphorus_stays():
    run = batch(read_culture("ivt_balanced"))
    volume = run["V"]

    def phosphorus(index: int) -> float:
        held = 3 * sum(run[name][index] for name in NUCLEOTIDES) + run["RNA"][index] / 278.9537 * (868 + 2)
        held += 2 * (run["PPi"][index] + run["Crystal"][index]) + run["Pi"][index]
        return float(held * volume[index])

    assert phosphorus(-1) == pytest.approx(phosphorus(0), rel=1e-6)


@pytest.mark.parametrize("lengths", [(231, 246, 189, 202), (1100, 950, 1200, 1050), (20, 10, 15, 30)])
def test_a_transcript_of_any_length_closes(lengths):
    names = ("n_A", "n_U", "n_C", "n_G")
    culture = read_culture("ivt_balanced").with_parameters(dict(zip(names, lengths, strict=True)))
    made = next(item for item in culture.conversions if item.name == "transcription")
    exchange = culture.exchange(made)
    for amount in (exchange.O2, exchange.CO2, exchange.NH3, exchange.H2O):
        assert amount == pytest.approx(0.0, abs=1e-11)
    # Only the phosphorus of the RNA is a fixed share of its mass.
    assert abs(exchange.minerals) < 0.004 * culture.amounts(made)["RNA"]
