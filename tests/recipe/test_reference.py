"""The reference page holds every key and the catalogue of now."""

from __future__ import annotations

import pytest

from seedtrain.recipe import PHASE_KINDS
from seedtrain.recipe._entries import (
    BasisEntry,
    CalculationEntry,
    DispensingEntry,
    ManualEntryEntry,
    MaterialEntry,
    OperationEntry,
    PhaseEntry,
    RecipeEntry,
    ReconciliationEntry,
    StrategyEntry,
    UnitProcedureEntry,
    YieldEntry,
)
from tests.recipe.reference import PAGE, catalogue, page

ENTRIES = [
    *(RecipeEntry, BasisEntry, MaterialEntry, UnitProcedureEntry, OperationEntry, PhaseEntry, StrategyEntry),
    *(ManualEntryEntry, CalculationEntry, DispensingEntry, YieldEntry, ReconciliationEntry),
]


def test_the_catalogue_on_the_page_is_that_of_the_code():
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "run: python -m tests.recipe.reference"
    assert all(f"### {name}\n" in catalogue() for name in PHASE_KINDS)


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_key_is_explained(entry):
    text = PAGE.read_text(encoding="utf-8")
    assert [key for key in entry.model_fields if f"`{key}`" not in text] == []


@pytest.mark.parametrize("kind", PHASE_KINDS.values(), ids=PHASE_KINDS)
def test_the_catalogue_is_whole(kind):
    for name, item in kind.parameters.items():
        assert item.name == name
        assert item.words
        if item.is_number:
            assert item.lowest < item.highest
        else:
            assert item.required != bool(item.choices)
        assert name not in kind.monitored
    grouped = {name for groups in (kind.one_of, kind.any_of, kind.together) for group in groups for name in group}
    assert grouped <= set(kind.parameters)
    assert not any(kind.parameters[name].required for name in grouped)
