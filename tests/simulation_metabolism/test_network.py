"""Reading, editing and refusing metabolic models."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.simulation._metabolism import (
    Drain,
    Edits,
    compile_metabolism,
    demand,
    parse_bound,
    parse_drain,
    parse_limits,
    read_network,
    uptake,
)
from seedtrain.simulation._metabolism._network import count_atoms
from seedtrain.simulation._metabolism._read import locate
from seedtrain.simulation._metabolism._rules import carries, genes
from tests.simulation_metabolism.cases import GLUCOSE, THREE, core_json

GENES = ("b0001", "b0002", "s1", "Q0045", "and1")
rules = st.recursive(
    st.sampled_from(GENES),
    lambda inner: st.tuples(inner, st.sampled_from(("and", "or", "AND", "Or", "&", "||")), inner).map(
        lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"
    ),
    max_leaves=8,
)


@given(rules, st.sets(st.sampled_from(GENES)))
def test_gene_rules_are_read_as_logic(rule: str, lost: set[str]) -> None:
    words = rule.replace("&", "and").replace("||", "or").replace("AND", "and").replace("Or", "or")
    expected = eval(words, {gene: gene not in lost for gene in GENES})  # noqa: S307
    assert carries(rule, lost) == expected
    assert genes(rule) <= set(GENES)


def test_and_binds_tighter_than_or() -> None:
    assert carries("a or b and c", {"b"})
    assert not carries("a or b and c", {"a", "c"})
    assert carries("", {"a"})
    for broken in ("a and", "(a", "a b", "or a"):
        with pytest.raises(ValueError, match="gene rule"):
            carries(broken, set())


@pytest.mark.parametrize(("formula", "carbon"), [("C6H12O6", 6), ("CO2", 1), ("Cl", 0), ("C40.2H7Co", 40.2)])
def test_atoms_are_counted(formula: str, carbon: float) -> None:
    assert count_atoms(formula, "C") == pytest.approx(carbon)


def test_unknown_formula_is_not_zero() -> None:
    assert np.isnan(count_atoms("", "C"))
    assert np.isnan(count_atoms("C6(H2)", "C"))


def test_sbml_and_json_give_the_same_network(tmp_path) -> None:
    sbml, json = read_network("textbook"), read_network(core_json(tmp_path))
    assert json.digest == sbml.digest
    assert json.growth == "Biomass_Ecoli_core"


def test_a_second_reading_is_the_same(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SEEDTRAIN_CACHE", str(tmp_path))
    first, second = read_network("textbook"), read_network("textbook")
    assert first.digest == second.digest
    assert (first.stoichiometry != second.stoichiometry).nnz == 0
    assert first.rules == second.rules


@pytest.mark.parametrize("gene", ["b0720", "b0767", "b1276", "b2926", "s0001"])
def test_a_knock_out_closes_what_cobra_closes(gene: str) -> None:
    import cobra

    logging.getLogger("cobra").setLevel(logging.CRITICAL)
    model = cobra.io.read_sbml_model(str(locate("textbook")))
    with model:
        model.genes.get_by_id(gene).knock_out()
        closed = {item.id for item in model.reactions if item.bounds == (0.0, 0.0)}
    network = read_network("textbook", Edits(knock_outs=(gene,)))
    shut = (network.lower == 0) & (network.upper == 0)
    assert {name for name, is_shut in zip(network.reactions, shut, strict=True) if is_shut} == closed


def test_every_wrong_edit_is_told_at_once() -> None:
    wrong = Edits(knock_outs=("b9999",), bounds={"PGIX": (0, 1)}, drains=(Drain("d", {"nothing_c": -1}),))
    with pytest.raises(InputError) as caught:
        read_network("textbook", wrong)
    text = str(caught.value)
    assert len(caught.value.parts) == 3
    for word in ("b9999", "'PGIX'", "Did you mean PGI", "nothing_c", "textbook.xml.gz"):
        assert word in text


def test_a_drain_makes_a_way_out() -> None:
    network = read_network("textbook", Edits(drains=(Drain("pyruvate_out", {"pyr_c": -1.0}),)))
    assert network.takes("pyruvate_out") == {"pyr_c": -1.0}
    assert network.digest != read_network("textbook").digest


def _empty(data) -> None:
    next(item for item in data["reactions"] if item["id"] == GLUCOSE)["metabolites"] = {}


def _aimless(data) -> None:
    for item in data["reactions"]:
        item.pop("objective_coefficient", None)


@pytest.mark.parametrize(
    ("change", "words", "line"),
    [
        (_empty, "'EX_glc__D_e' is empty", True),
        (_aimless, "needs one growth reaction as its objective and has: none", False),
        (lambda data: data.update(reactions=[]), "no reactions", False),
    ],
)
def test_an_unusable_model_is_refused_with_its_place(tmp_path, change, words: str, line: bool) -> None:
    path = core_json(tmp_path, change)
    with pytest.raises(InputError) as caught:
        read_network(path)
    error = caught.value.parts[0]
    assert words in str(error)
    assert error.remedy
    assert error.position is not None
    assert error.position.file == str(path)
    if line:
        assert GLUCOSE in path.read_text().splitlines()[error.position.line - 1]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.json", '{"a":', "a.json:1:6: this is not JSON"),
        ("a.json", '{"a": 1}', "not a metabolic model that cobra can read"),
        ("a.xml", "<sbml>", "not a metabolic model that cobra can read"),
        ("a.xml.gz", "plain", "a.xml.gz"),
        ("a.txt", "", "not a metabolic model's file"),
    ],
)
def test_what_is_no_model_is_refused(tmp_path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=words.replace(".", r"\.")):
        read_network(tmp_path / name)


def test_unknown_names_say_what_there_is() -> None:
    with pytest.raises(InputError, match=r"iJO1366.*textbook"):
        read_network("nosuch")
    with pytest.raises(InputError, match="no such model file"):
        read_network("nosuch/model.xml")


@pytest.mark.parametrize(
    ("text", "kind", "low", "high"),
    [("EX_glc__D_e=0..12", "uptake", 0, 12), ("ATPM>=1..8", "demand", 1, 8), (" EX_o2_e = 2 .. 1e1 ", "uptake", 2, 10)],
)
def test_a_bound_is_read_from_text(text: str, kind: str, low: float, high: float) -> None:
    found = parse_bound(text)
    assert (found.kind, found.low, found.high) == (kind, low, high)


@pytest.mark.parametrize("text", ["", "EX_glc__D_e", "EX_glc__D_e=12", "EX=a..b", "=0..1", "EX<=0..1"])
def test_text_that_is_no_bound_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"EX_glc__D_e=0\.\.12"):
        parse_bound(text)


def test_edits_are_read_from_text() -> None:
    assert parse_drain("out: succ_c + 2 h_c -> co2_c") == Drain("out", {"succ_c": -1.0, "h_c": -2.0, "co2_c": 1.0})
    assert parse_drain("out: succ_c ->").stoichiometry == {"succ_c": -1.0}
    assert parse_limits("EX_etoh_e=-1..5") == ("EX_etoh_e", (-1.0, 5.0))
    for text in ("succ_c", "out: a b c ->", "out: x a ->", ": a ->"):
        with pytest.raises(InputError, match="no drain"):
            parse_drain(text)
    assert parse_bound("out >= 0..6 mmol/gDW/h @ 5") == demand("out", 0.0, 6.0, penalty=5.0)
    for text in ("EX_x=0..5 g/L", "EX_x=0..5 mol/gDW/h"):
        with pytest.raises(InputError, match="a flux is not given in"):
            parse_bound(text)
    for text in ("EX", "EX=1", "EX=a..b", "=1..2"):
        with pytest.raises(InputError, match="no bounds"):
            parse_limits(text)


def test_bounds_that_cannot_move_are_refused_at_once() -> None:
    moving = [uptake("EX_glc_D_e", 12), uptake("PGI", 5), uptake("EX_o2_e", 20, 30), demand("Biomass_Ecoli_core", 0, 1)]
    with pytest.raises(InputError) as caught:
        compile_metabolism("textbook", moving=moving, outputs=["EX_nothing_e"])
    text = str(caught.value)
    for words in ("Did you mean EX_glc__D_e", "'PGI' is no exchange", "30 .. 20", "cannot be demanded", "EX_nothing_e"):
        assert words in text
    with pytest.raises(InputError, match="no uptake moves"):
        compile_metabolism("textbook", moving=[THREE[2]])


def test_a_genome_scale_model_grows_as_published_and_weighs_one_gram() -> None:
    """0.982372 1/h on its own medium (10 mmol/gDW/h of glucose), as cobrapy's documentation and tests have it."""
    found = compile_metabolism("iJO1366", moving=[uptake(GLUCOSE, 12.0), demand("ATPM", 0.0, 8.0)], lazy=True)
    cells = found.evaluate([[10.0, 3.15], [0.0, 8.0]])
    assert cells.growth == pytest.approx([0.982372, 0.0], abs=1e-6)
    assert cells.deficit[:, 0] == pytest.approx([0.0, 8.0], abs=1e-7)
    assert found.program.growth_mass == pytest.approx(1.0, abs=1e-5)
    assert read_network("textbook").growth_mass == pytest.approx(1.54, abs=0.01)


def test_a_limit_on_an_uptake_that_moves_is_refused_and_not_ignored():
    from seedtrain.simulation._metabolism import Edits, compile_metabolism, parse_bound

    with pytest.raises(InputError, match="EX_glc__D_e is given a limit"):
        compile_metabolism(
            "textbook",
            moving=[parse_bound("EX_glc__D_e=0..10"), parse_bound("EX_o2_e=0..20")],
            edits=Edits(bounds={"EX_glc__D_e": (0.0, 0.0)}),
        )
