"""Limits and specifications as files write them."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from seedtrain.base import InputError, InputErrors, parse_document, read_document, validate
from seedtrain.quality import Limit, Specification, SpecificationEntry, SpecificationLine
from seedtrain.quantity import QuantityError

RECIPE = Path(__file__).parents[2] / "examples" / "collagen" / "recipe.yaml"


class RecipePart(BaseModel):
    specification: list[SpecificationEntry]


def test_the_example_specification_reads_and_round_trips():
    document = read_document(RECIPE)
    count = len(document.data["specification"])
    lines = [validate(document, SpecificationEntry, ("specification", at)).line() for at in range(count)]
    found = Specification(tuple(lines))
    assert Specification.from_data(found.to_data()) == found
    assert found.line("endotoxin").limit.unit == "EU/mg"
    assert found.line("endotoxin").assay_cv == pytest.approx(0.2)
    assert found.line("identity").limit.word == "conforms"
    assert found.line("bioburden").assay_cv is None


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("<= 0.50 EU/mg", (2, 2)),
        ("90.0 .. 110 mg", (1, 0)),
        (">= 95 %", (0, 0)),
        ("<= 1e-3 g", (3, 3)),
        ("<= 1e3 g", (0, 0)),
    ],
)
def test_places_are_those_that_are_written(text, places):
    assert Limit.parse(text).places == places


@pytest.mark.parametrize("text", ["conforms", "", "= ", "< 5 %", "5 %", "<= 5 ppm", "<= conforms"])
def test_what_is_no_limit_is_refused(text):
    with pytest.raises(QuantityError):
        Limit.parse(text)


def test_faults_of_entries_stand_at_their_place():
    text = (
        "specification:\n"
        "  - {attribute: purity, method: HPLC, limit: 95 %}\n"
        "  - {attribute: dna, method: qPCR, limit: <= 10 ppm, assay_cv: 120 %}\n"
        "  - {attribute: dna, limit: <= 10 ng/mg, cv: 5 %}\n"
    )
    with pytest.raises(InputErrors) as caught:
        validate(parse_document(text, "r.yaml"), RecipePart)
    found = [(item.position.line, item.message) for item in caught.value.parts if item.position]
    assert [line for line, _ in found] == [2, 3, 3, 4, 4]
    assert "'95 %' is not a range" in found[0][1]
    assert "ppm" in found[1][1]
    assert "out of 0 .. 100 %" in found[2][1]


def test_an_attribute_stands_once_and_an_unknown_one_lists_the_known():
    line = SpecificationLine("purity", "HPLC", Limit.parse(">= 95 %"))
    with pytest.raises(InputError, match="stands twice"):
        Specification((line, line))
    with pytest.raises(InputError, match="no attribute 'dna'") as caught:
        Specification((line,)).line("dna")
    assert "purity" in caught.value.remedy
