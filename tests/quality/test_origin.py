"""Lots and what is inside them: what nobody declared is unknown, never absent."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrain.base import InputError, InputErrors, parse_document, read_document, signed_bytes, use_language, validate
from seedtrain.quality import (
    ANIMAL_ORIGINS,
    ORIGINS,
    Constituent,
    Lot,
    LotEntry,
    Material,
    judge_origin,
    origin_words,
    origins,
)
from seedtrain.quantity import Quantity

PLANT = Path(__file__).parents[2] / "examples" / "collagen" / "plant.yaml"


def lot(identifier, *declared):
    inside = tuple(Constituent(f"part {at}", origin) for at, origin in enumerate(declared))
    return Lot(identifier, "peptone", "a supplier", Quantity(1, "kg"), date(2028, 5, 31), "released", inside)


declared = st.lists(st.sampled_from([*ORIGINS, "animal", None]), max_size=5)
stores = st.lists(declared, max_size=5).map(lambda lists: [lot(f"L-{at}", *item) for at, item in enumerate(lists)])


@given(stores, st.sampled_from(ORIGINS))
def test_the_law_of_origins(lots, excluded):
    inside = [item.origin for one in lots for item in one.contains]
    found = judge_origin(lots, excluded).verdict
    open_words = {None, "animal"} if excluded in ANIMAL_ORIGINS else {None}
    if excluded in inside:
        assert found == "fail"
    elif not lots or any(not one.contains for one in lots) or open_words & set(inside):
        assert found == "inconclusive"
    else:
        assert found == "pass"


@given(stores.filter(bool), st.data())
def test_a_declaration_taken_away_never_makes_it_better(lots, data):
    rank = {"pass": 0, "inconclusive": 1, "fail": 2}
    before = judge_origin(lots, "porcine").verdict
    at = data.draw(st.integers(0, len(lots) - 1))
    hidden = replace(lots[at], contains=tuple(Constituent(item.name, None) for item in lots[at].contains))
    after = judge_origin([*lots[:at], hidden, *lots[at + 1 :]], "porcine").verdict
    if before != "fail":
        assert rank[after] >= rank[before]
    assert after != "pass" or before == "pass"


@given(stores)
def test_every_constituent_is_counted_once(lots):
    counted = sum(len(items) for items in origins(lots).values())
    assert counted == sum(max(len(one.contains), 1) for one in lots)


def test_any_animal_origin_can_be_excluded_at_once():
    assert judge_origin([lot("L", "plant", "bovine")], "animal").verdict == "fail"
    assert judge_origin([lot("L", "plant", "animal")], "animal").verdict == "fail"
    assert judge_origin([lot("L", "plant", "mineral")], "animal").verdict == "pass"
    with pytest.raises(InputError, match="no origin 'pork'"):
        judge_origin([], "pork")


def test_the_example_store_is_unknown_because_of_one_protease():
    document = read_document(PLANT)
    lots = [validate(document, LotEntry, ("lots", key)).lot(key) for key in document.data["lots"]]
    found = judge_origin(lots, "porcine")
    assert found.verdict == "inconclusive"
    assert [item.name for item in found.criteria if item.verdict != "pass"] == ["PEP-3305"]
    assert "protease" in found.evidence[0]
    assert origins(lots)["unknown"] == ("PEP-3305: protease used for the hydrolysis",)
    for one in lots:
        assert Lot.from_data(one.id, one.to_data()) == one
        signed_bytes(one.to_data())


def test_a_lot_entry_reports_its_faults_with_places():
    text = (
        "material: peptone\nsupplier: x\nquantity: 0 kg\nexpiry: 2027-02-30\nstatus: ok\n"
        "contains:\n  - {name: a, origin: pork}\n"
    )
    with pytest.raises(InputErrors) as caught:
        validate(parse_document(text, "plant.yaml"), LotEntry)
    found = {item.position.line: item for item in caught.value.parts if item.position}
    assert sorted(found) == [3, 4, 5, 7]
    assert "not above zero" in found[3].message
    assert "not a day of the calendar" in found[4].message
    assert "porcine" in found[7].remedy


@pytest.mark.parametrize("text", ["20270531", "1800000000", "31.05.2027", "2027-5-3"])
def test_only_iso_dates_are_dates(text):
    document = parse_document(f"material: a\nsupplier: b\nquantity: 1 kg\nexpiry: {text}\nstatus: released\n", "p.yaml")
    with pytest.raises(InputError, match="not a date"):
        validate(document, LotEntry)


def test_origins_have_words_and_materials_are_raw_or_made():
    for origin in (*ORIGINS, "animal", "unknown"):
        english = origin_words(origin)
        with use_language("zh"):
            assert origin_words(origin) != english
    assert Material("glucose").raw
    assert not Material("feed", {"glucose": Quantity(500, "g/L")}).raw
