"""Streams, settings and a recipe for the tests of the downstream train."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from seedtrain.simulation._downstream._operation import Settings
from seedtrain.simulation._downstream._train import OPERATIONS
from seedtrain.simulation._stream import StepResult, Stream

RECIPE = Path(__file__).parents[2] / "examples" / "collagen" / "recipe.yaml"

MATERIALS = {
    "buffer": {"salts": 5.0, "water": 995.0},
    "strong": {"salts": 32.0, "water": 985.0},
    "wash": {"salts": 5.0, "detergent": 1.0, "water": 995.0},
    "acid": {"acid": 300.0, "water": 720.0},
    "alkali": {"salts": 20.0, "water": 990.0},
}

CLEAR = {
    "water": 950.0,
    "product": 8.0,
    "denatured_product": 0.1,
    "host_protein": 2.0,
    "dna": 0.05,
    "salts": 8.0,
    "acetate": 0.5,
    "detergent": 0.02,
    "iptg": 0.01,
}


def broth(volume: float = 150.0, endotoxin_per_litre: float = 1.46e10) -> Stream:
    """What a culture of 38 g/L of cells with 5 g/L of product gives; endotoxin: LPS as 3.4 % of dry cells, 10 EU/ng."""
    per_litre = {
        "water": 940.0,
        "product": 5.0,
        "cells": 38.0,
        "salts": 12.0,
        "acetate": 1.0,
        "glucose": 0.1,
        "iptg": 0.238,
        "antifoam": 0.08,
    }
    masses = {name: value * volume for name, value in per_litre.items()}
    return Stream("broth", volume, masses, endotoxin_per_litre * volume, 32.0, 7.0)


def clear(volume: float = 80.0, **changes: float) -> Stream:
    """A clarified stream of `volume` L; `changes` in g/L."""
    masses = {name: value * volume for name, value in {**CLEAR, **changes}.items()}
    return Stream("clarified", volume, masses, 1e6 * volume, 10.0, 4.0)


def settings(
    kind: str,
    numbers: dict[str, float] | None = None,
    words: dict[str, str] | None = None,
    factors: dict[str, float] | None = None,
    limits: dict[str, float] | None = None,
) -> Settings:
    """A phase of `kind` with the values of its levers times `factors`."""
    scale = factors or {}
    return Settings(
        path=f"unit/operation/{kind}",
        kind=kind,
        numbers=numbers or {},
        words=words or {},
        levers={lever.name: lever.scaled(scale.get(lever.name, 1.0)) for lever in OPERATIONS[kind].levers},
        materials=MATERIALS,
        limits=limits or {},
    )


def _between(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False, allow_infinity=False)


@st.composite
def factors(draw: st.DrawFn, kind: str) -> dict[str, float]:
    """A random factor for every lever of `kind`, far beyond its plausible range."""
    return {lever.name: draw(_between(0.2, 5.0)) for lever in OPERATIONS[kind].levers}


@st.composite
def streams(draw: st.DrawFn, *, cells: bool = False) -> Stream:
    """A random stream: any part of what can be on particles is on them."""
    volume = draw(_between(0.05, 2e4))
    share = _between(0.0, 1.0)
    per_litre = {
        "water": draw(_between(500.0, 990.0)),
        "product": draw(_between(0.01, 30.0)),
        "denatured_product": draw(_between(0.0, 3.0)),
        "cells": draw(_between(0.1, 80.0)) if cells else 0.0,
        "debris": draw(_between(0.0, 30.0)),
        "host_protein": draw(_between(0.0, 30.0)),
        "dna": draw(_between(0.0, 3.0)),
        "salts": draw(_between(0.0, 40.0)),
        "detergent": draw(_between(0.0, 2.0)),
        "iptg": draw(_between(0.0, 0.3)),
    }
    masses = {name: value * volume for name, value in per_litre.items()}
    endotoxin = 10.0 ** draw(_between(0.0, 10.0)) * volume
    bound = {name: draw(share) * masses[name] for name in ("product", "host_protein", "dna")}
    bound["endotoxin"] = draw(share) * endotoxin
    bound["debris"] = masses["debris"]
    temperature, pH, size = draw(_between(2.0, 40.0)), draw(_between(3.0, 9.0)), draw(_between(0.1, 5.0))
    return Stream("random", volume, masses, endotoxin, temperature, pH, bound, size)


def check(step: StepResult) -> None:
    """The laws that every step keeps: balances close, nothing is negative, yields lie in [0, 1]."""
    for balance in step.balances():
        assert abs(balance.relative) < 1e-9, (step.path, balance)
    assert abs(sum(step.converted.values())) <= 1e-9 * step.inlets[0].mass
    came = sum(stream.mass for stream in step.inlets)
    left = sum(stream.mass for stream in (step.outlet, *step.wastes))
    assert abs(came - left) <= 1e-9 * came
    for stream in (step.outlet, *step.wastes):
        assert stream.volume >= 0
        assert stream.endotoxin >= 0
        assert all(value >= 0 for value in stream.masses.values()), stream
        for name, value in stream.in_solids.items():
            whole = stream.endotoxin if name == "endotoxin" else stream.masses.get(name, 0.0)
            assert -1e-12 * whole <= value <= whole * (1 + 1e-12), (name, value, whole)
    assert 0.0 <= step.step_yield <= 1.0
    assert step.endotoxin_lrv >= 0.0
    assert step.duration >= 0.0
    for figures in (step.materials, step.utilities, step.equipment):
        assert all(value >= 0 for value, _ in figures.values()), figures
