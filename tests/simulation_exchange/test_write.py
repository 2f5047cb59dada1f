"""What is written as SBML: libsbml accepts it, units included, and read back it is the same model."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from seedtrain.base import InputError
from seedtrain.quantity import read_unit
from seedtrain.simulation import PublishedPhase, read_culture, read_sbml, reproduce, shipped_cultures, simulate_sbml
from seedtrain.simulation import write_sbml as write
from seedtrain.simulation._engine import Schedule, System, compile_system
from seedtrain.simulation._exchange._libsbml import load
from seedtrain.simulation._exchange._units import unit_id, unit_parts, unit_text
from seedtrain.simulation._exchange._writing import check_sbml
from seedtrain.simulation._reproduce import _schedule, published_system

EDGES = (2.0, 3.5)


def experiment(name):
    """A batch, a rising feed with a pulse, and an exchange of volume: everything that `reproduce` can do."""
    culture = read_culture(name)
    first, *_, last = (*culture.species, *culture.species)
    initial = {symbol: 1e9 if item.unit == "cells/L" else 0.5 for symbol, item in culture.species.items()}
    aerated = "ecoli" in name
    if aerated:
        initial["DOT"] = 90.0
    kLa = 200.0 if aerated else 0.0
    phases = (
        PublishedPhase("batch", EDGES[0], kLa=kLa),
        PublishedPhase(
            "fed", EDGES[1] - EDGES[0], kLa=kLa, feed=0.1, growth=0.1, inflow={first: 2.0}, pulse={last: 0.1}
        ),
        PublishedPhase("exchange", 1.0, kLa=kLa, feed=0.2, constant_volume=True),
    )
    return culture, initial, phases


def away(times):
    """Times that are no edge of a phase: there one way of telling shows what was, the other what is."""
    return np.all([np.abs(times - edge) > 1e-6 for edge in EDGES], axis=0)


@pytest.mark.parametrize("name", shipped_cultures())
def test_every_shipped_culture_is_valid_sbml_and_reads_back_as_the_same_trajectory(name, tmp_path):
    """Species and reactions with units against the equations of `reproduce` as rate rules, both through files."""
    culture, initial, phases = experiment(name)
    findings = write(culture, tmp_path / "culture.xml", initial=initial, phases=phases, volume=1.2)
    assert all(item.severity == "warning" for item in findings)
    system = published_system(culture, aerated="DOT" in initial)
    schedule = _schedule(system, culture, initial, phases, 1.2, (99.0, 14000.0, 35.0))
    write(system, tmp_path / "system.xml", schedule=schedule)
    times = np.linspace(0, 4.4, 23)
    rows = away(times)
    ours, judge = (
        simulate_sbml(read_sbml(tmp_path / file), times, integrator="plain", rtol=1e-11, atol=1e-14)
        for file in ("culture.xml", "system.xml")
    )
    for symbol in culture.species:
        expected = judge[f"u_{symbol}"][rows]
        scale = float(np.abs(expected).max())
        assert ours[symbol][rows] == pytest.approx(expected, rel=2e-8, abs=2e-8 * scale), symbol
    assert ours["tank"][rows] == pytest.approx(judge["V"][rows], rel=1e-9)


def test_a_culture_read_back_is_what_reproduce_gives(tmp_path):
    culture, initial, phases = experiment("ecoli_anane_published")
    write(culture, tmp_path / "culture.xml", initial=initial, phases=phases, volume=1.2)
    run = reproduce(culture, initial, phases, volume=1.2, rtol=1e-11, points=40)
    rows = away(run.time) & (run.time < 4.49)
    read = simulate_sbml(read_sbml(tmp_path / "culture.xml"), run.time[rows], integrator="plain", rtol=1e-11)
    for symbol in (*culture.species, "DOT", "DOT_probe"):
        expected = run[symbol][rows]
        assert read[symbol] == pytest.approx(expected, rel=1e-9, abs=1e-9 * float(np.abs(expected).max())), symbol


def fed() -> tuple[System, Schedule]:
    """Held symbols, a jump, a stretch that a gauge ends, and lines in the time of the stretch."""
    system = System(
        name="fed batch of two stretches",
        states=("X", "S", "V"),
        numbers=("F0", "k", "Y"),
        held=(("S0", "S + 0.1"), ("r", "S0 * k")),
        lines=(
            ("mu", "k * S / (S + 0.5) * (1 if t < 1.5 else 0.8)"),
            ("F", "F0 * exp(0.1 * t) + r * 0.01"),
        ),
        rates=("mu * X - F / V * X", "-mu * X / Y + F / V * (10 - S)", "F"),
        gauges=(("depleted", "0.3 - S"),),
        observed=("mu", "F", "S0"),
    )
    schedule = Schedule(
        initial=np.array([[1.0, 5.0, 1.0]]),
        numbers=np.array([[[0.0, 0.3, 0.5], [0.2, 0.3, 0.5], [0.1, 0.25, 0.5]]]),
        jumps=np.array([[[0.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.1, 0.0, 0.0]]]),
        lengths=np.array([[20.0, 3.0, 2.0]]),
        actions=np.array([[[2], [0], [0]]], dtype=np.int8),
    )
    return system, schedule


def test_a_system_with_stretches_gauges_and_held_symbols_reads_back_exactly(tmp_path):
    system, schedule = fed()
    write(system, tmp_path / "system.xml", schedule=schedule)
    times = np.linspace(0, 11, 56)
    judge = compile_system(system).run(schedule, times, rtol=1e-11, atol=1e-13)
    read = simulate_sbml(read_sbml(tmp_path / "system.xml"), times, integrator="plain", rtol=1e-11, atol=1e-13)
    assert read.events[0][0] == pytest.approx(float(judge.ends[0, 0]), abs=1e-9)
    for at, name in enumerate(system.states):
        assert read[name] == pytest.approx(judge.states[0, :, at], rel=1e-9, abs=1e-9)
    for at, name in enumerate(system.observed):
        assert read[name] == pytest.approx(judge.observed[0, :, at], rel=1e-9, abs=1e-9)


def test_what_sbml_cannot_say_is_refused(tmp_path):
    system, schedule = fed()
    with pytest.raises(InputError, match="no schedule"):
        write(system, tmp_path / "a.xml")
    ending = dataclasses.replace(schedule, actions=np.full((1, 3, 1), 3, dtype=np.int8))
    with pytest.raises(InputError, match="ends the trajectory"):
        write(system, tmp_path / "a.xml", schedule=ending)
    culture = read_culture("ecoli_balanced")
    with pytest.raises(InputError, match="no 'Q'"):
        write(culture, tmp_path / "a.xml", initial={"Q": 1.0})
    assert not list(tmp_path.iterdir())


def test_a_feed_named_as_the_exports_own_symbols_does_not_clash(tmp_path):
    """A culture may call a parameter `tank` or `feed`."""
    text = (
        "culture: clash\ntitle: clash\nsource: none\nstatus: unverified\ndesign: false\nbasis: volume\nspecies:\n"
        "  S: {words: s, known_as: s, unit: g/L, weightless: true}\nparameters:\n"
        "  tank: {value: 0.3 1/h, status: assumed, source: none}\n"
        "  feed: {value: 2 g/L, status: assumed, source: none}\n"
        "rates:\n  S: tank * (feed - S)\n"
    )
    (tmp_path / "clash.yaml").write_text(text)
    culture = read_culture(tmp_path / "clash.yaml")
    phases = [PublishedPhase("fed", 5.0, feed=0.1)]
    write(culture, tmp_path / "clash.xml", initial={"S": 1.0}, phases=phases)
    read = simulate_sbml(read_sbml(tmp_path / "clash.xml"), [0.0, 4.0], integrator="plain", rtol=1e-11)
    assert read["tank"][-1] == 0.3
    assert read["tank_"][-1] == pytest.approx(1.4)
    # d(S V)/dt = 0.3 (2 - S) V + 0 with V = 1 + 0.1 t, judged by a fine Runge-Kutta.
    amount, steps = 1.0, 4000
    for at in range(steps):
        h, t = 4.0 / steps, 4.0 * at / steps

        def slope(t, a):
            return 0.3 * (2 * (1 + 0.1 * t) - a)

        a = slope(t, amount)
        b = slope(t + h / 2, amount + h / 2 * a)
        c = slope(t + h / 2, amount + h / 2 * b)
        amount += h / 6 * (a + 2 * b + 2 * c + slope(t + h, amount + h * c))
    assert read.final("S") == pytest.approx(amount / 1.4, rel=1e-9)


@pytest.mark.parametrize(
    "unit", ["g/L", "mmol/L", "1/h", "g/g/h", "mmol/g/h", "L/h", "W/m2/K", "mmol/g/min", "kDa", "%", "", "1e9 cells/L"]
)
def test_units_become_sbml_units_of_the_same_size(unit):
    """libsbml's own reduction to SI is the judge."""
    library = load()
    parts = unit_parts(unit)
    assert parts is not None
    document = library.SBMLDocument(3, 2)
    definition = document.createModel().createUnitDefinition()
    definition.setId(unit_id(unit) or "none")
    for kind, exponent, scale, multiplier in parts:
        made = definition.createUnit()
        made.setKind(library.UnitKind_forName(kind))
        made.setExponent(exponent)
        made.setScale(scale)
        made.setMultiplier(multiplier)
    reduced = library.UnitDefinition.convertToSI(definition)
    size = 1.0
    for at in range(reduced.getNumUnits()):
        item = reduced.getUnit(at)
        size *= (item.getMultiplier() * 10.0 ** item.getScale()) ** item.getExponentAsDouble()
        # Our bases are the gram and the second; SI's kilogram is a thousand of the first.
        kilo = library.UnitKind_toString(item.getKind()) == "kilogram"
        size *= 1000.0 ** item.getExponentAsDouble() if kilo else 1.0
    number, _, plain = unit.rpartition(" ") if unit.startswith("1e9") else ("1", "", unit)
    expected = float(read_unit(plain).factor) * float(number)
    assert size == pytest.approx(expected, rel=1e-12)


def test_money_and_degrees_celsius_have_no_sbml_unit():
    assert unit_parts("USD_2025/kg") is None
    assert unit_parts("degC") is None


def test_units_of_a_file_read_as_people_write_them(tmp_path):
    culture = read_culture("ecoli_balanced")
    write(culture, tmp_path / "culture.xml", initial={"X": 0.1, "S": 5.0})
    model = read_sbml(tmp_path / "culture.xml")
    assert model.time_unit == "h"
    assert model.quantities["X"].unit == "g/L"
    assert model.quantities["q_S_max"].unit == "1/h"
    assert model.quantities["K_O"].unit == "mmol/L"
    assert unit_text(model.source, "nothing_known") == "nothing_known"


def test_libsbml_says_what_is_wrong_with_a_text():
    broken = (
        '<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"><model><listOfParameters>'
        '<parameter id="a" constant="true"/><parameter id="a" constant="true"/></listOfParameters></model></sbml>'
    )
    found = check_sbml(broken)
    assert any(item.severity == "error" and item.rule == 10301 for item in found)
