"""What verdicts of reads and constructs say, on a Chinese page: every line, value, limit, class and kind."""

from __future__ import annotations

import re

import pytest

from seedtrain.base import use_language
from seedtrain.bioinformatics import (
    Reference,
    clone_page,
    construct_page,
    design_construct,
    evidence_words,
    read_plan,
    simulate_reads,
    value_words,
    verify_clone,
)
from seedtrain.bioinformatics._constructs._overhangs import weaknesses
from seedtrain.quality import Verdict
from seedtrain.report import render_html
from tests.bioinformatics_constructs.made import PLANS, folder_with
from tests.judges import needs

from .made import clone, planted

LETTERS = re.compile(r"[A-Za-z]{4,}")
KEPT = {
    "SHA-256",
    "host",
    "IUPAC",
    "pydna",
    "seedtrain",
    "mappy",
    "pyabpoa",
    "GenBank",
    "FASTA",
    "circular",
    "linear",
    "poly-A",
}
"""Names that stand in a Chinese text as well."""


def told(verdict: Verdict) -> list[str]:
    """Every text of a verdict that people read, beside names."""
    texts = [str(item) for one in verdict.criteria for item in (one.value, one.limit) if item is not None]
    return [text for text in texts if LETTERS.search(text)]


@pytest.fixture(scope="module")
def report():
    reference = clone()
    text = reference.sequence
    loose = Reference("p1", text[:600] + "N" + text[601:], notes=("lower_case",))
    wrong = planted(reference)
    reads = simulate_reads(wrong["deletion of 45 bases"], 60, seed=2) + simulate_reads(wrong["A30 to A24"], 40, seed=3)
    return verify_clone(reads, loose, others=[("host: x", "ACGT" * 500)])


def test_every_line_of_a_clone_has_its_chinese_and_json_does_not(report):
    before = report.verdict.to_data()
    with use_language("zh"):
        assert report.verdict.to_data() == before
        for line in report.verdict.evidence:
            shown = evidence_words(line)
            assert shown != line
            left = re.sub(r"(ins|del)[ACGT.]+|[0-9a-f]{64}", "", shown)
            assert not [word for word in LETTERS.findall(left) if word not in KEPT], shown
        assert all(value_words(text) != text for text in told(report.verdict))
        page = render_html(clone_page(report))
    for english in ("substitutions, plain", "methylation motif", "none found", "bases of something else"):
        assert english not in page
    for english in report.verdict.evidence:
        assert evidence_words(english) == english


@needs("pydna")
@pytest.mark.parametrize("name", PLANS)
def test_every_line_of_a_construct_has_its_chinese(name, tmp_path):
    made = design_construct(read_plan(folder_with(tmp_path, PLANS[name])))
    with use_language("zh"):
        assert all(value_words(text) != text for text in told(made.verdict) if "kcal/mol" not in text)
        assert all(evidence_words(line) != line for line in made.verdict.evidence)
        page = render_html(construct_page(made))
    assert "PCR products" not in page
    assert "identical" not in page


def test_lots_and_what_is_odd_have_their_chinese():
    names = {"mixture": "混合"}
    odd = [
        *weaknesses(["AATT", "ACTG", "AATG", "GGCC"]),
        "overhangs judged by rules: no table of ligations for this enzyme",
        "overhangs judged by ligations counted: mine.csv",
        "trace a.ab1, SHA-256 00: 300 good bases, forward from 1 to 300, identity 99 %",
        "difference: 2601 break of 40, Q60 in a.ab1, in doubt, outside what is judged",
        "mixed peak at 7: G at 30 % of the called peak, in one trace only",
        "2 sites where one strand alone differs: taken for errors of the method",
        "deletion of 45 bases at 10 to 55: 8 reads, 10 % (5 % to 20 %)",
    ]
    with use_language("zh"):
        assert all(evidence_words(line) != line for line in odd)
        assert evidence_words("mixture: fail, 9 %", names) == "混合：不合格，9 %"
        assert "正向" in evidence_words(odd[-5])
        assert "2601 断点，40" in evidence_words(odd[-4])
        assert value_words("homopolymers of 6 to 8") == "6 至 8 个碱基的同聚物"
        assert value_words("12 of 30") == "30 中的 12"
        assert value_words("a name of 30") == "a name of 30"
