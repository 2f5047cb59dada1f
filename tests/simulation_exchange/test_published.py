"""Models written by hand from their publications, against published numbers; libroadrunner where it is installed.

- Boehm et al. 2014, J. Proteome Res. 13:5685-5694: STAT5 dimers. Equations, the best fit and the 48 data of the paper
  as the collection of benchmark problems of Hass et al. 2019, Bioinformatics 35:3073-3082, has them (BSD-3-Clause).
- Elowitz & Leibler 2000, Nature 403:335-338: the repressilator, in the dimensionless form of its Box 1.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pytest

from seedtrain.simulation import read_sbml, simulate_sbml, write_sbml
from tests.judges import missing
from tests.simulation_exchange.small import event, initial, parameter, reaction, read, rule, sbml
from tests.simulation_exchange.test_write import away, experiment

FIT = {
    "Epo_degradation_BaF3": 0.026982514033029,
    "k_exp_hetero": 1.00067973851508e-05,
    "k_exp_homo": 0.006170228086381,
    "k_imp_hetero": 0.0163679184468,
    "k_imp_homo": 97749.3794024716,
    "k_phos": 15766.5070195731,
    "ratio": 0.693,
    "specC17": 0.107,
}
SIGMA = {"pSTAT5A_rel": 3.85261197844677, "pSTAT5B_rel": 6.59147818673419, "rSTAT5A_rel": 3.15271275648527}
MINUTES = [0, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 80, 100, 120, 160, 200, 240]
DATA = {
    "pSTAT5A_rel": [
        7.90107299873911, 66.3634939682528, 81.1713239165337, 94.7303080627876, 95.1164830493244, 91.44171655392,
        91.2570992263545, 93.672297840992, 88.754232823019, 85.2697032178279, 81.1323953369608, 76.135928475796,
        65.2480591250229, 42.5996587097166, 25.1577975445976, 15.4301823994994,
    ],
    "pSTAT5B_rel": [
        4.59653334288927, 29.6345459874189, 46.0438064695701, 81.9747336191685, 80.5716092952489, 79.0357196371442,
        75.6723803658298, 71.6247198618303, 69.0628632755742, 67.1473843168934, 60.8994762938824, 54.8092577721492,
        43.9812899778025, 29.7714581636675, 20.089016562771, 10.961845166698,
    ],
    "rSTAT5A_rel": [
        14.7231682180584, 33.762342293107, 36.7998512942493, 49.7176022859654, 46.9281200952955, 47.8365745550135,
        46.9287272497385, 40.5977529351181, 43.783663885071, 44.4573876523855, 41.3271592618297, 41.0627332148332,
        39.2358300289377, 36.6194605442418, 34.8937144010561, 32.2110771608676,
    ],
}  # fmt: skip
OBSERVED = {
    "pSTAT5A_rel": "(100 * pApB + 200 * pApA * specC17) / (pApB + STAT5A * specC17 + 2 * pApA * specC17)",
    "pSTAT5B_rel": "-(100 * pApB - 200 * pBpB * (specC17 - 1)) / ((STAT5B * (specC17 - 1) - pApB) + "
    "2 * pBpB * (specC17 - 1))",
    "rSTAT5A_rel": "(100 * pApB + 100 * STAT5A * specC17 + 200 * pApA * specC17) / (2 * pApB + STAT5A * specC17 + "
    "2 * pApA * specC17 - STAT5B * (specC17 - 1) - 2 * pBpB * (specC17 - 1))",
}


def boehm() -> str:
    """The model: phosphorylation to three dimers, import to the nucleus, export and dephosphorylation."""

    def species(name: str, place: str) -> str:
        return (
            f'<species id="{name}" compartment="{place}" initialConcentration="0" hasOnlySubstanceUnits="false" '
            'boundaryCondition="false" constant="false"/>'
        )

    places = dict.fromkeys(("STAT5A", "STAT5B", "pApA", "pApB", "pBpB"), "cyt")
    places |= {f"nuc{name}": "nuc" for name in ("pApA", "pApB", "pBpB")}
    made = {"pApA": {"STAT5A": "2"}, "pApB": {"STAT5A": "1", "STAT5B": "1"}, "pBpB": {"STAT5B": "2"}}
    reactions = []
    for dimer, monomers in made.items():
        kind = "hetero" if dimer == "pApB" else "homo"
        pair = " * ".join(name if count == "1" else f"{name} ^ 2" for name, count in monomers.items())
        reactions += [
            reaction(f"phos_{dimer}", monomers, {dimer: "1"}, f"cyt * BaF3_Epo * {pair} * k_phos"),
            reaction(f"imp_{dimer}", {dimer: "1"}, {f"nuc{dimer}": "1"}, f"cyt * k_imp_{kind} * {dimer}"),
            reaction(f"exp_{dimer}", {f"nuc{dimer}": "1"}, monomers, f"nuc * k_exp_{kind} * nuc{dimer}"),
        ]
    sizes = {"cyt": "1.4", "nuc": "0.45"}
    return sbml(
        Compartments="".join(
            f'<compartment id="{name}" size="{size}" spatialDimensions="3" constant="true"/>'
            for name, size in sizes.items()
        ),
        Species="".join(species(name, place) for name, place in places.items()),
        Parameters="".join(parameter(name, repr(value), constant=True) for name, value in FIT.items())
        + parameter("BaF3_Epo")
        + "".join(parameter(name) for name in OBSERVED),
        InitialAssignments=initial("STAT5A", "207.6 * ratio") + initial("STAT5B", "207.6 - 207.6 * ratio"),
        Rules=rule("assignment", "BaF3_Epo", "1.25e-7 * exp(-Epo_degradation_BaF3 * time)")
        + "".join(rule("assignment", name, text) for name, text in OBSERVED.items()),
        Reactions="".join(reactions),
    )


def test_boehm_2014_has_the_published_likelihood_of_its_data(tmp_path):
    """The negative logarithm of the likelihood at the best fit is 138.222 in Hass et al. 2019's collection."""
    run = simulate_sbml(read(tmp_path, boehm()), MINUTES, integrator="plain", rtol=1e-9)
    total = 0.0
    for name, sigma in SIGMA.items():
        residual = (run[name] - np.array(DATA[name])) / sigma
        total += float(np.sum(0.5 * residual**2 + np.log(sigma * np.sqrt(2 * np.pi))))
    assert total == pytest.approx(138.222, abs=0.001)


def repressilator(alpha: float, beta: float, hill: float = 2.0) -> str:
    """dm/dt = -m + alpha / (1 + p^n), dp/dt = -beta (p - m): three genes, each repressed by the one before it."""
    rules = []
    for at in range(3):
        before = (at - 1) % 3
        rules.append(rule("rate", f"m{at}", f"-m{at} + alpha / (1 + p{before} ^ n)"))
        rules.append(rule("rate", f"p{at}", f"-beta * (p{at} - m{at})"))
    constants = {"alpha": alpha, "beta": beta, "n": hill}
    return sbml(
        Parameters="".join(parameter(name, repr(value), constant=True) for name, value in constants.items())
        + "".join(parameter(f"{kind}{at}", repr(1.0 + 0.1 * at)) for at in range(3) for kind in "mp"),
        Rules="".join(rules),
    )


def steady(alpha: float, hill: float) -> float:
    """p = alpha / (1 + p^n)."""
    low, high = 0.0, alpha
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if middle * (1 + middle**hill) < alpha else (low, middle)
    return low


def test_the_repressilator_oscillates_on_the_published_side_of_its_boundary(tmp_path):
    """Box 1: unstable where (beta + 1)^2 / beta < 3 X^2 / (4 + 2 X), with X = -alpha n p^(n-1) / (1 + p^n)^2."""
    alpha, hill = 20.0, 2.0
    p = steady(alpha, hill)
    X = -alpha * hill * p ** (hill - 1) / (1 + p**hill) ** 2
    bound = 3 * X**2 / (4 + 2 * X)
    # (beta + 1)^2 / beta = bound, with beta > 1.
    half = (bound - 2) / 2
    edge = float(half + np.sqrt(half**2 - 1))
    spread = []
    for beta in (0.9 * edge, 1.1 * edge):
        times = np.linspace(0, 400, 2001)
        run = simulate_sbml(read(tmp_path, repressilator(alpha, beta)), times, integrator="plain", rtol=1e-9)
        early, late = (float(np.ptp(run["p0"][part])) for part in (slice(800, 1200), slice(1600, 2000)))
        spread.append((early, late))
    assert spread[0][1] > 0.9 * spread[0][0] > 0.01
    assert spread[1][1] < 0.8 * spread[1][0]


def roadrunner(path):
    """libroadrunner with a file, at tight tolerances; skipped by name where it is not installed, but never in CI."""
    if find_spec("roadrunner") is None:
        missing("libroadrunner is not installed")
    judge = import_module("roadrunner")
    judge.Logger.setLevel(judge.Logger.LOG_FATAL)
    theirs = judge.RoadRunner(str(path))
    theirs.integrator.relative_tolerance, theirs.integrator.absolute_tolerance = 1e-10, 1e-12
    return theirs


def test_libroadrunner_runs_a_written_culture_to_the_same_end(tmp_path):
    """Feed, pulse, exchange of volume and oxygen, written here and simulated there."""
    culture, start, phases = experiment("ecoli_anane_published")
    path = tmp_path / "culture.xml"
    write_sbml(culture, path, initial=start, phases=phases, volume=1.2)
    theirs = roadrunner(path)
    names = [*(f"[{name}]" for name in culture.species), "DOT", "tank"]
    theirs.timeCourseSelections = ["time", *names]
    table = np.array(theirs.simulate(0, 4.4, 23))
    rows = away(table[:, 0])
    ours = simulate_sbml(read_sbml(path), table[:, 0], integrator="plain", rtol=1e-10)
    for at, name in enumerate(names):
        expected = table[rows, at + 1]
        found = ours[name.strip("[]")][rows]
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-7 * float(np.abs(expected).max())), name


@pytest.mark.parametrize("name", ["boehm", "repressilator", "events"])
def test_libroadrunner_gives_the_same_trajectories(tmp_path, name):
    """An independent simulator of the SBML community (Welsh et al. 2023, Bioinformatics 39:btac770)."""
    text = {
        "boehm": boehm,
        "repressilator": lambda: repressilator(200.0, 0.2),
        "events": lambda: sbml(
            Parameters=parameter("x", "1") + parameter("y", "0") + parameter("k", "0.8"),
            Rules=rule("rate", "x", "-k * x") + rule("rate", "y", "x"),
            Events=event("x < 0.4", {"x": "2", "k": "k * 0.9"}) + event("y > 3", {"y": "0"}),
        ),
    }[name]()
    path = tmp_path / f"{name}.xml"
    path.write_text(text, encoding="utf-8")
    theirs = roadrunner(path)
    model = read_sbml(path)
    # Off the times of events, where one tool shows what holds before and the other what holds after.
    times = np.linspace(0, 10, 41)
    ours = simulate_sbml(model, times, integrator="plain", rtol=1e-9)
    names = [item.id for item in model.quantities.values() if item.role == "state"]
    shown = [f"[{item}]" if model.quantities[item].kind == "species" else item for item in names]
    theirs.timeCourseSelections = ["time", *shown]
    table = np.array(theirs.simulate(0, 10, 41))
    for at, item in enumerate(names):
        scale = max(float(np.abs(table[:, at + 1]).max()), 1e-6)
        assert ours[item] == pytest.approx(table[:, at + 1], rel=1e-6, abs=1e-6 * scale), item
