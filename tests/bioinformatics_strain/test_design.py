"""Strain design on the core model without oxygen: proven by trying every set, and by the field's own library."""

from __future__ import annotations

import os
from importlib.util import find_spec
from itertools import combinations

import numpy as np
import pytest

from seedtrain.base import UnavailableError
from seedtrain.bioinformatics import DesignQuestion, StrainDesign, design_strain
from seedtrain.bioinformatics._fluxes import Fluxes, cobra_model
from seedtrain.bioinformatics._knock_outs import WarmFluxes, can_lose, force_product
from seedtrain.simulation import Drain, Edits, compile_metabolism, demand, read_network, uptake
from tests.worked import called

NO_OXYGEN = Edits(bounds={"EX_o2_e": (0.0, 1000.0)})
LEAST_GROWTH = 0.05

needs_library = pytest.mark.skipif(
    find_spec("straindesign") is None and not os.environ.get("SEEDTRAIN_REQUIRE_JUDGES"),
    reason="not installed: straindesign",
)


def design(product: str, **options) -> StrainDesign:
    return design_strain("textbook", product, edits=NO_OXYGEN, question=DesignQuestion(**options))


@pytest.mark.parametrize("product", ["EX_etoh_e", "EX_succ_e", "EX_lac__D_e"])
def test_the_proven_pair_is_the_best_of_all_pairs(product: str) -> None:
    network = read_network("textbook", NO_OXYGEN)
    fluxes = WarmFluxes(network, product)
    border = network.exchanges
    free = [number for number, rule in enumerate(network.rules) if can_lose(rule) and not border[number]]
    alive, best = [], 0.0
    for number in free:
        fluxes.close(frozenset((number,)))
        if fluxes.fastest() >= LEAST_GROWTH:
            alive.append(number)
    for pair in combinations(alive, 2):
        fluxes.close(frozenset(pair))
        growth = fluxes.fastest()
        made = fluxes.least_product(growth) if growth >= LEAST_GROWTH else None
        if made is not None:
            best = max(best, float(made[network.column(product)]))
    found = force_product(network, product, most=2, least_growth=LEAST_GROWTH)
    assert found.proven
    fluxes.close(frozenset(network.column(name) for name in found.designs[0]))
    made = fluxes.least_product(fluxes.fastest())
    assert made is not None
    assert made[network.column(product)] == pytest.approx(best, abs=1e-4)


def test_designs_keep_what_they_promise_by_another_solver() -> None:
    found = design("EX_succ_e", knock_outs=3)
    assert found.status == "proven"
    assert found.gap == 0.0
    assert found.product_least < 1e-3 < found.designs[0].product_least < found.bound
    for item in found.designs:
        model = cobra_model(read_network("textbook", NO_OXYGEN))
        for name in item.names:
            model.reactions.get_by_id(name).knock_out()
        growth = model.slim_optimize()
        assert growth == pytest.approx(item.growth, abs=1e-6)
        model.reactions.get_by_id("Biomass_Ecoli_core").lower_bound = growth * (1 - 1e-6)
        model.objective = "EX_succ_e"
        model.objective_direction = "min"
        assert model.slim_optimize() == pytest.approx(item.product_least, abs=1e-3)
        assert item.coupled
    forced = [item.product_least for item in found.designs]
    assert forced == sorted(forced, reverse=True)


def test_more_knock_outs_never_force_less_and_none_is_in_vain() -> None:
    network = read_network("textbook", NO_OXYGEN)
    best = []
    for most in (1, 2, 3):
        found = force_product(network, "EX_lac__D_e", most=most, least_growth=LEAST_GROWTH, designs=5)
        assert found.proven
        fluxes = WarmFluxes(network, "EX_lac__D_e")
        forced = []
        for names in found.designs:
            fluxes.close(frozenset(map(network.column, names)))
            made = fluxes.least_product(fluxes.fastest())
            assert made is not None
            forced.append(float(made[network.column("EX_lac__D_e")]))
        best.append(max(forced, default=0.0))
        pairs = list(zip(found.designs, forced, strict=True))
        assert not any(set(one) < set(other) and less > more - 1e-4 for one, less in pairs for other, more in pairs)
    assert best == sorted(best)


def test_time_that_runs_out_leaves_a_gap() -> None:
    found = design("EX_succ_e", knock_outs=8, time_limit=0.3)
    assert found.status == "time_limit"
    assert found.seconds < 5
    made = found.designs[0].product_least if found.designs else 0.0
    assert found.gap == pytest.approx(1 - made / found.bound, abs=1e-6)
    assert found.gap > 0


@needs_library
def test_the_search_is_at_least_as_good_as_the_library() -> None:
    ours = design("EX_etoh_e", knock_outs=2)
    theirs = design("EX_etoh_e", knock_outs=2, method="possible")
    assert theirs.status == "solver"
    assert ours.designs[0].product_least >= max(item.product_least for item in theirs.designs) - 1e-4
    assert theirs.gap == pytest.approx(1 - theirs.designs[0].product_most / theirs.bound, abs=1e-5)


@needs_library
def test_genes_are_knocked_out_by_the_library() -> None:
    found = design("EX_etoh_e", knock_outs=3, genes=True)
    assert found.designs
    assert all(name.startswith("b") for item in found.designs for name in item.names)
    assert found.designs[0].product_least > found.product_least


def test_without_the_library_it_is_unavailable(monkeypatch) -> None:
    from seedtrain.bioinformatics import _strain_design

    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(_strain_design, "import_module", absent)
    with pytest.raises(UnavailableError, match="straindesign"):
        design("EX_succ_e", genes=True)


def test_fluxes_to_raise_lead_to_the_product() -> None:
    found = design("EX_succ_e", knock_outs=1)
    names = {item.reaction for item in found.targets}
    assert {"FRD7", "PPC"} <= names, "the reductive branch to succinate"
    assert all(abs(item.high) > abs(item.low) for item in found.targets)
    fluxes = Fluxes(read_network("textbook", NO_OXYGEN))
    made = fluxes.parsimonious({"EX_succ_e": (8.0, 20.0)})
    assert made is not None
    assert np.abs(fluxes.network.stoichiometry @ made).max() < 1e-6
    assert made[fluxes.network.column("EX_succ_e")] >= 8.0 - 1e-6


def test_a_design_is_compiled_like_any_other_edit() -> None:
    found = design("EX_succ_e", knock_outs=2)
    table = compile_metabolism(
        "textbook",
        moving=[uptake("EX_glc__D_e", 10.0), demand("ATPM", 0.0, 8.39)],
        outputs=["EX_succ_e"],
        edits=found.edits(0, NO_OXYGEN),
    )
    cells = table.evaluate([10.0, 8.39])
    assert cells.growth == pytest.approx(found.designs[0].growth, rel=1e-4)
    assert cells.exchanges[table.exchanges.index("EX_succ_e")] >= found.designs[0].product_least - 1e-3


def test_a_drain_can_be_the_product() -> None:
    edits = Edits(bounds=NO_OXYGEN.bounds, drains=(Drain("pyruvate_out", {"pyr_c": -1.0}),))
    found = design_strain("textbook", "pyruvate_out", edits=edits, question=DesignQuestion(knock_outs=1))
    assert found.bound > 1


def test_kept_reactions_stay() -> None:
    first = design("EX_succ_e", knock_outs=2)
    other = design("EX_succ_e", knock_outs=2, keep=first.designs[0].names)
    assert not set(first.designs[0].names) & {name for item in other.designs for name in item.names}
    assert other.designs[0].product_least <= first.designs[0].product_least + 1e-6


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--product", "EX_succ"), "Did you mean EX_succ_e"),
        (("--product", "EX_succ_e", "--knock-outs", "0"), "knock_outs is 0"),
        (("--product", "EX_succ_e", "--least-growth", "5"), "5 1/h is asked for"),
        (("--product", "EX_succ_e", "--time-limit", "-1"), "time_limit is -1"),
        (("--product", "EX_succ_e", "--limit", "EX_o2_e"), "gives no bounds"),
        (("--product", "EX_succ_e", "--limit", "EX_succ_e=0..0"), "cannot make EX_succ_e"),
        (("--product", "EX_succ_e", "--keep", "NOTHING"), "NOTHING"),
    ],
)
def test_wrong_input_ends_with_2_and_a_remedy(words, said: str) -> None:
    found = called("design", "strain", "textbook", *words)
    assert found.code == 2
    assert said in found.err
    assert "remedy:" in found.err


def test_the_command_tells_designs_gap_and_targets() -> None:
    words = ("design", "strain", "textbook", "--product", "EX_succ_e", "--limit", "EX_o2_e=0..1000")
    found = called(*words, "--knock-outs", "2")
    assert found.code == 0
    for part in ("1. ", "the search came to its end", "fluxes that rise", "at most 11.83"):
        assert part in found.out
    data = called(*words, "--knock-outs", "2", "--json").document
    assert data["status"] == "proven"
    assert data["designs"][0]["coupled"] is True
    assert "敲除" in called(*words, "--knock-outs", "2", "--lang", "zh").err
