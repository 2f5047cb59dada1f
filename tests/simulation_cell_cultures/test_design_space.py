"""mRNA by in-vitro transcription after van de Berg 2021: points of the design space that its authors computed."""

from __future__ import annotations

import math

import pytest

from seedtrain.simulation import Culture, PublishedPhase, Run, read_culture, reproduce

# Magnesium and nucleotides mol/L, polymerase over the reference, RNA g/L after 6 h at a starting pH of 7.5, as the
# authors' own program left it (3d_DesSpace_new.csv of dv516, RNA-transcription-modelling-and-DS).
GRID = (
    (0.1010, 0.0240, 1.3, 1.4642230776),
    (0.0485, 0.0170, 1.0, 1.3447948533),
    (0.0870, 0.0485, 1.4, 4.1064034623),
    (0.1255, 0.0730, 0.9, 3.6405711507),
    (0.1465, 0.1220, 1.4, 2.9700434645),
    (0.0695, 0.0555, 1.0, 1.9491212525),
    (0.0205, 0.0205, 1.0, 0.3710385670),
    (0.0100, 0.1045, 1.3, 0.0040103017),
)


def held(
    culture: Culture, magnesium: float, nucleotides: float, pH: float, buffer: float
) -> tuple[float, float, float]:
    """Free magnesium, free protons and all protons (mmol/L) of a mixture at `pH`."""
    from scipy.optimize import brentq

    K, H = culture.values, 10 ** (3 - pH)

    def shares(Mg: float) -> tuple[float, float]:
        """Magnesium and protons on a nucleotide."""
        HN, MN = H * K["K_HNTP"], Mg * K["K_MgNTP"]
        HMN, M2N = HN * Mg * K["K_HMgNTP"], MN * Mg * K["K_Mg2NTP"]
        all_forms = 1 + HN + MN + HMN + M2N
        return (MN + HMN + 2 * M2N) / all_forms, (HN + HMN) / all_forms

    def excess(log: float) -> float:
        return math.exp(log) + nucleotides * shares(math.exp(log))[0] - magnesium

    Mg = math.exp(brentq(excess, math.log(1e-9), math.log(magnesium), xtol=1e-14))
    on_buffer = H * K["K_HB"] / (1 + H * K["K_HB"])
    return Mg, H, H + nucleotides * shares(Mg)[1] + buffer * on_buffer


def reaction(magnesium: float, nucleotides: float, polymerase: float, hours: float = 6.0, points: int = 2) -> Run:
    """A reaction in 40 mmol/L of HEPES that starts at pH 7.5; mol/L."""
    culture = read_culture("ivt_vandeberg_published")
    Mg, H, protons = held(culture, 1000 * magnesium, 1000 * nucleotides, 7.5, 40.0)
    start = {
        "NTP": 1000 * nucleotides,
        "Mg": 1000 * magnesium,
        "protons": protons,
        "Buffer": 40.0,
        "T7": polymerase,
        "ln_Mg": math.log(Mg),
        "ln_H": math.log(H),
    }
    return reproduce(culture, start, [PublishedPhase("react", hours)], rtol=1e-8, points=points)


@pytest.mark.parametrize(("magnesium", "nucleotides", "polymerase", "RNA"), GRID)
def test_the_design_space_of_the_authors(magnesium, nucleotides, polymerase, RNA):
    # They took 101 fixed steps; 92 % of the grid agrees to 1e-6.
    assert reaction(magnesium, nucleotides, polymerase).final("RNA_mass") == pytest.approx(RNA, rel=2e-6)


def test_the_reaction_makes_its_own_acid():
    run = reaction(0.0870, 0.0485, 1.4, points=61)
    assert run.at("pH", 0.0) == pytest.approx(7.5, abs=1e-6)
    assert (run["pH"][1:] < run["pH"][:-1]).all()


def test_nucleotides_become_RNA_and_pyrophosphate():
    run = reaction(0.0870, 0.0485, 1.4, points=61)
    used = 48.5 - run.final("NTP")
    assert run.final("PPi") == pytest.approx(used * 9999 / 10000, rel=1e-9)
    assert run.final("RNA") < used / 10000  # some of it has been broken
