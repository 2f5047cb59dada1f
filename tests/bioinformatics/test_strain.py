"""The strain's limits: the drain balances, and what the linear programmes say obeys the laws of stoichiometry."""

import json
import re
import shutil
import socket
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError, language, use_language
from seedtrain.bioinformatics import (
    AMINO_ACIDS,
    BIGG_AMINO_ACIDS,
    Protein,
    Question,
    StrainLimits,
    drain,
    read_protein,
    strain_limits,
)
from seedtrain.bioinformatics._drain import CHARGES
from seedtrain.bioinformatics._metabolism import load_metabolism
from seedtrain.bioinformatics._strain import limits_of

EXAMPLE = Path(__file__).parents[2] / "examples" / "collagen" / "product.fasta"
GLUCOSE_MASS = 180.156
proteins = st.text(alphabet=sorted(AMINO_ACIDS), min_size=1, max_size=60)


@pytest.fixture(scope="module")
def metabolism():
    return load_metabolism("iJO1366")


@pytest.fixture(scope="module")
def collagen():
    return read_protein(EXAMPLE)


@pytest.fixture(scope="module")
def limits(metabolism, collagen):
    return limits_of(metabolism, collagen, Question())


# --- the drain ----------------------------------------------------------------------------------------------------


@given(sequence=proteins, extra=st.sampled_from([0.0, 0.3]))
@settings(derandomize=True, max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_drain_balances_in_the_model(metabolism, sequence, extra):
    with metabolism.trial():
        metabolism.add_drain(drain(Protein("p", sequence), 4.0 + extra))
        reaction = metabolism.model.reactions.get_by_id(metabolism.product)
        assert all(abs(residual) < 1e-6 for residual in reaction.check_mass_balance().values())
        # 1 unit of flux is 1 g of neutral product
        made = next(x for x in reaction.metabolites if x.id == "seedtrain_product_c")
        grams = reaction.metabolites[made] / 1000 * (made.formula_weight - 1.008 * made.charge)
        assert grams == pytest.approx(1, rel=1e-4)


@given(sequence=proteins)
@settings(derandomize=True, max_examples=40, deadline=None)
def test_four_phosphate_bonds_a_residue(sequence):
    flows = drain(Protein("p", sequence)).stoichiometry
    assert flows["amp"] * 2 + flows["gdp"] == 4 * len(sequence)
    assert flows["ppi"] * 2 + flows["pi"] == 4 * len(sequence)
    assert -sum(x for name, x in flows.items() if name in BIGG_AMINO_ACIDS.values()) == len(sequence)


def test_the_charges_are_those_of_the_model(metabolism):
    for letter, name in BIGG_AMINO_ACIDS.items():
        metabolite = metabolism.model.metabolites.get_by_id(f"{name}_c")
        assert metabolite.charge == CHARGES.get(letter, 0)
        atoms = dict(AMINO_ACIDS[letter])
        atoms["H"] += CHARGES.get(letter, 0)
        assert metabolite.elements == {element: count for element, count in atoms.items() if count}


def test_the_model_is_left_as_it_was(metabolism, limits):
    assert not metabolism.model.reactions.has_id("seedtrain_product")
    assert not metabolism.model.metabolites.has_id("seedtrain_product_c")
    assert metabolism.model.slim_optimize() == pytest.approx(limits.growth_max, rel=1e-5)


# --- the limits ---------------------------------------------------------------------------------------------------


def test_growth_is_that_of_the_published_model(limits):
    assert limits.growth_max == pytest.approx(0.982, abs=0.001)
    assert limits.maintenance == 3.15


def test_no_yield_passes_the_electrons_of_glucose(limits, collagen):
    assert 0 < limits.max_yield < limits.yield_without_maintenance < limits.theoretical_yield
    carbon_in_product = 12.011 * collagen.elements["C"] / collagen.molar_mass
    carbon_in_glucose = 6 * 12.011 / GLUCOSE_MASS
    assert limits.max_carbon_yield == pytest.approx(limits.max_yield * carbon_in_product / carbon_in_glucose, rel=1e-4)
    assert limits.q_P_max == pytest.approx(limits.max_yield * 10 * GLUCOSE_MASS / 1000, rel=1e-4)
    # glucose has 24 electrons; the same limit by hand
    electrons = collagen.degree_of_reduction * collagen.elements["C"]
    assert limits.theoretical_yield == pytest.approx(24 / GLUCOSE_MASS * collagen.molar_mass / electrons, rel=1e-4)


def test_the_trade_off_falls_and_is_concave(limits):
    growth, product = limits.columns["mu"], limits.columns["q_P"]
    assert len(growth) == 11
    assert growth[0] == 0
    assert product[0] == limits.q_P_max
    assert product[-1] == 0
    assert growth[-1] == limits.growth_max
    slopes = [(product[i + 1] - product[i]) / (growth[i + 1] - growth[i]) for i in range(len(growth) - 1)]
    assert all(slope < 0 for slope in slopes)
    assert all(later <= earlier + 1e-4 for earlier, later in pairwise(slopes))
    assert all(q_O2 > 0 for _mu, _q_P, q_O2 in limits.oxygen)


def test_without_growth_carbon_and_electrons_close(limits, collagen):
    """At mu = 0 glucose becomes product and carbon dioxide alone: both gases follow from the formula."""
    made = limits.q_P_max * 1000 / collagen.molar_mass
    first = limits.envelope[0]
    assert first.q_CO2 == pytest.approx(60 - made * collagen.elements["C"], rel=1e-4)
    electrons = collagen.degree_of_reduction * collagen.elements["C"]
    assert first.q_O2 == pytest.approx((240 - made * electrons) / 4, rel=1e-4)


def test_the_price_of_a_gram_closes_carbon_electrons_and_nitrogen(limits, collagen):
    cost = limits.marginal
    glucose, made = cost.substrate * 1000 / GLUCOSE_MASS, 1000 / collagen.molar_mass
    assert cost.carbon_dioxide == pytest.approx(6 * glucose - made * collagen.elements["C"], rel=1e-3)
    electrons = collagen.degree_of_reduction * collagen.elements["C"]
    assert cost.oxygen == pytest.approx((24 * glucose - made * electrons) / 4, rel=1e-3)
    assert cost.ammonium == pytest.approx(made * collagen.elements["N"], rel=1e-3)
    assert limits.max_yield < cost.Y_PS < limits.theoretical_yield
    assert 0.3 < cost.mu / cost.substrate_for_growth < 0.55  # g biomass per g glucose at 0.1 1/h


def test_the_answer_is_the_same_twice(metabolism, collagen, limits):
    assert limits_of(metabolism, collagen, Question()) == limits


def test_data_round_trip_and_words(limits):
    assert StrainLimits.from_data(json.loads(json.dumps(limits.to_data()))) == limits
    assert any("K-12" in note for note in limits.notes)
    assert language() == "en"
    with use_language("zh"):
        assert all(re.search("[\u4e00-\u9fff]", note) for note in limits.notes)


def test_what_raises_the_cost_lowers_the_yield(metabolism, collagen, limits):
    few = Question(points=2)
    dearer = limits_of(metabolism, collagen, Question(points=2, atp_per_residue=6.0))
    assert dearer.max_yield < limits.max_yield
    assert dearer.marginal.substrate > limits.marginal.substrate
    gasping = limits_of(metabolism, collagen, Question(points=2, oxygen_uptake=5.0))
    assert gasping.max_yield < limits.max_yield
    assert gasping.growth_max < limits.growth_max
    reduced = limits_of(metabolism, Protein("oily", "MLLLLVVVIIIFFF"), few)  # more electrons per gram
    assert reduced.theoretical_yield < limits.theoretical_yield
    assert reduced.max_yield < reduced.theoretical_yield


def test_glycerol_is_another_carbon_source(metabolism, collagen):
    found = limits_of(metabolism, collagen, Question(substrate="glyc", uptake=15.0, points=2))
    assert 0 < found.max_yield < found.theoretical_yield


REFUSED = {
    "starved": (Question(uptake=0.05), "maintenance from an uptake of 0.05", "Raise the uptake"),
    "too fast": (Question(growth_rate=1.5), "1.5 1/h is not below", "Lower the growth rate"),
    "too much": (Question(q_P=500.0), "500 g/gDW/h of product cannot be met", "product formation"),
    "no such food": (Question(substrate="plastic"), "'EX_plastic_e'", "BiGG"),
    "no carbon": (Question(substrate="nh4"), "holds no carbon", "carbon source"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_met_says_which_requirement(metabolism, collagen, name):
    question, message, remedy = REFUSED[name]
    with pytest.raises(InputError) as caught:
        limits_of(metabolism, collagen, question)
    assert message in caught.value.message
    assert remedy in caught.value.remedy
    assert not metabolism.model.reactions.has_id("seedtrain_product")


@pytest.mark.parametrize(
    "wrong", [{"uptake": 0.0}, {"uptake": -1.0}, {"points": 1}, {"growth_rate": -0.1}, {"q_P": 0.0}]
)
def test_rates_out_of_range_are_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        Question(**wrong)
    with pytest.raises(InputError, match="below the 4"):
        drain(Protein("p", "MKV"), 3.0)


def test_a_small_model_lacks_the_amino_acids_and_the_network_is_not_asked(collagen, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    with pytest.raises(InputError, match=r"does not make .*gly_c") as caught:
        strain_limits(collagen, "textbook")
    assert "iJO1366" in caught.value.remedy


def test_models_that_are_not_there(collagen, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="no metabolic model 'iXX99'") as caught:
        strain_limits(collagen, "iXX99")
    assert "iJO1366" in caught.value.remedy
    with pytest.raises(InputError, match="no such metabolic model"):
        strain_limits(collagen, tmp_path / "mine.xml")
    (tmp_path / "broken.xml").write_text("<sbml>no model</sbml>")
    with pytest.raises(InputError, match="no SBML model"):
        strain_limits(collagen, tmp_path / "broken.xml")
    (tmp_path / "broken.xml.gz").write_bytes(b"not compressed")
    with pytest.raises(InputError, match="no SBML model"):
        strain_limits(collagen, tmp_path / "broken.xml.gz")
    import cobra

    shipped = Path(cobra.__file__).parent / "data" / "textbook.xml.gz"
    copy = Path(shutil.copy(shipped, tmp_path / "mine.xml.gz"))
    assert load_metabolism(copy).versions["model_sha256"] == load_metabolism("textbook").versions["model_sha256"]
    monkeypatch.setitem(sys.modules, "cobra", None)
    with pytest.raises(InputError, match="cobra") as caught:
        strain_limits(collagen)
    assert 'pip install "seedtrain[metabolism]"' in caught.value.remedy
