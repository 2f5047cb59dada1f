"""Culture files: every fault at its place, all of one file at once; digests; names that clash with nothing."""

from __future__ import annotations

import re

import numpy as np
import pytest

from seedtrain.base import InputError
from seedtrain.simulation import read_culture, shipped_cultures, simulate
from tests.simulation import cases


def test_every_shipped_culture_reads_and_says_what_it_is():
    assert set(shipped_cultures()) >= {"ecoli_balanced", "ecoli_anane_published"}
    for name in shipped_cultures():
        culture = read_culture(name)
        assert culture.name == name
        assert culture.source
        for parameter in culture.parameters.values():
            assert parameter.status in {"sourced", "fitted", "derived", "assumed"}
            assert parameter.source
            assert parameter.low <= parameter.value <= parameter.high


def test_a_path_reads_the_same_culture(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(cases.culture_text(), "utf-8")
    assert read_culture(path).digest == cases.culture().digest
    assert read_culture(str(path)).digest == cases.culture().digest


def test_an_unknown_culture_names_the_known_ones(tmp_path):
    with pytest.raises(InputError, match="ecoli_balanced"):
        read_culture("yeast")
    with pytest.raises(InputError, match=r"absent\.yaml"):
        read_culture(tmp_path / "absent.yaml")


@pytest.mark.parametrize(
    ("before", "after", "what", "at"),
    [
        ("mu: q_S_grow * Y_em", "mu: q_S_grow * Y_eme", "'Y_eme' is undefined", "mu"),
        ("air: DO / (DO + K_O)", "air: DO / (DO + spam(K_O))", "unknown function 'spam'", "air"),
        ("air: DO / (DO + K_O)", "air: DO / (DO + q_S)", "'q_S' is undefined here", "air"),
        ("K_S: {value: 0.0381 g/L", "K_S: {value: 0.0381 g/furlong", "furlong", "K_S"),
        ("K_S: {value: 0.0381 g/L", "K_S: {value: 0.9 g/L", "lies outside its range", "K_S"),
        ("K_S: {value: 0.0381 g/L, range: 0.005 .. 0.1 g/L", "K_S: {value: 0.0381 g/L, range: 1 .. 2 h", "time", "K_S"),
        ("produces: {M: 1}", "produces: {M: 1.5}", "more is made than the electrons", "fermentation"),
        ("produces: {X: Y_em}", "produces: {X: 2 * Y_em}", "more is made than the electrons", "growth"),
        ("produces: {M: 1}", "produces: {Q: 1}", "'Q' is not a species", "Q"),
        ("consumes: {X: Y_em}", "consumes: {X: mu}", "a yield is constant", "X"),
        ("composition: {C: 2, H: 4, O: 2}", "composition: {C: 2, H: 4, K: 2}", "'K' is not counted", "K"),
        ("composition: {C: 2, H: 4, O: 2}", "composition: {C: DO, H: 4, O: 2}", "a composition is constant", "C"),
        ("biomass: X\n", "biomass: Z\n", "'Z' is not a species", "biomass"),
        ("ash: 5 %", "ash: 120 %", "no mass fraction", "ash"),
        ("status: fitted", "status: guessed", "fitted", "status"),
        ("outputs: {mu: mu", "outputs: {mu: growth_rate", "'growth_rate' is not defined", "mu"),
        ("  air: DO", "  exp: DO", "cannot be a symbol", "exp"),
        ("  air: DO", "  K_S: DO", "already stands in parameters", "K_S"),
        ("design: true", "design: perhaps", "perhaps", "design"),
        ("title:", "titel:", "", ""),
    ],
)
def test_a_fault_is_found_at_its_place(before, after, what, at):
    faults = cases.culture_faults({before: after})
    assert any(what in str(fault) for fault in faults)
    for fault in faults:
        assert fault.position is not None
        assert fault.position.line > 0
        assert "^" in fault.excerpt
    if at:
        assert any(at in fault.excerpt for fault in faults)


def test_all_faults_of_a_file_come_at_once():
    faults = cases.culture_faults({"air: DO / (DO + K_O)": "air: DO / (DO + K_X)", "biomass: X\n": "biomass: Z\n"})
    words = " ".join(str(fault) for fault in faults)
    assert "K_X" in words
    assert "'Z'" in words


def test_a_published_form_cannot_be_marked_for_design():
    with pytest.raises(InputError, match="close no balance"):
        cases.build_culture(cases.culture_text({"design: false": "design: true"}, "ecoli_anane_published"))


def test_the_digest_looks_at_values_and_not_at_layout():
    culture = cases.culture()
    laid_out = cases.culture_text({"K_O: {value: 0.001 mmol/L,": "K_O: {   value: 0.001 mmol/L, # the same\n    "})
    assert cases.build_culture(laid_out).digest == culture.digest
    moved = cases.culture_text({"K_O: {value: 0.001 mmol/L": "K_O: {value: 0.002 mmol/L"})
    assert cases.build_culture(moved).digest != culture.digest
    assert cases.build_culture(moved).structure == culture.structure
    assert cases.build_culture(moved).digest == culture.with_parameters({"K_O": 0.002}).digest


def test_unknown_parameters_and_values_that_are_none_are_refused():
    with pytest.raises(InputError, match="no parameter 'q_X'"):
        cases.culture().with_parameters({"q_X": 1.0})
    with pytest.raises(InputError, match="finite"):
        cases.culture().with_parameters({"K_S": float("nan")})


def test_a_culture_may_use_any_name_that_the_engine_uses_inside():
    clash = {"K_ap": "kLa", "m_S": "F0", "q_S_over": "ratio", "K_sm": "power", "air": "u", "lack": "v"}
    text = cases.culture_text()
    for before, after in clash.items():
        text = re.sub(rf"\b{before}\b", after, text)
    renamed = cases.build_culture(text)
    assert "F0" in renamed.parameters
    plain, clashing = cases.run(), simulate(renamed, cases.tank(), cases.recipe())
    for symbol in ("X", "S", "A", "P", "OUR"):
        np.testing.assert_array_equal(plain[symbol], clashing[symbol])
