"""What a batch will lack from the store is told before anything moves, as the phase itself would tell it later."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.automation import Shortage, batch_state, shortages, start_live
from seedtrain.gmp import LedgerPermit
from seedtrain.quality import Lot
from seedtrain.quantity import parse
from seedtrain.record import Draft, Ledger, open_ledger
from tests.automation.made import lots
from tests.automation_live.made import BATCH, connected, control, ledger_in, served, starter

TODAY = date(2026, 3, 2)
CHARGED, FED = 101.0, 500.0 * 0.1 * math.expm1(0.2 * 6.0) / 0.2
"""g of sugar: 0.1 and 10 L at 10 g/L; a feed of 100 mL/h that rises by 0.2 1/h for six hours, at 500 g/L."""


def store(**changes: str | None) -> list[Lot]:
    """The lots of the small recipe; by material another quantity, or None: none of it."""
    kept = [lot for lot in lots() if lot.material not in changes]
    made = (
        Lot(f"NEW-{name}", name, "x", parse(text), date(2030, 1, 1), "released")
        for name, text in changes.items()
        if text
    )
    return [*kept, *made]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger(tmp_path / "record.db")


def short(ledger: Ledger, held: Sequence[Lot], drawn: str = "base") -> tuple[Shortage, ...]:
    def own(step: object) -> tuple[str, ...]:
        return (drawn,) if getattr(step, "path", "").endswith("/fed") else ()

    return shortages(control(), ledger, held, TODAY, own)


def test_a_store_that_has_everything_lacks_nothing(ledger: Ledger):
    assert short(ledger, lots()) == ()


def test_each_material_is_told_once_at_the_first_phase_that_lacks_it(ledger: Ledger):
    found = short(ledger, store(sugar="500 g", salts=None, **{"ammonia-water": None}))
    assert [(item.material, item.phase.rpartition("/")[2]) for item in found] == [
        ("sugar", "fed"),
        ("ammonia-water", "fed"),  # what the unit draws by itself
        ("salts", "resuspend"),
    ]
    assert "short" in found[0].reason
    assert "no released lot of salts" in found[2].reason
    words = str(found[0].error(control().recipe))
    assert "production/main/fed will lack sugar" in words
    assert "control.yaml:" in words
    assert "--allow-missing" in words


@settings(max_examples=60, deadline=None)
@given(grams=st.floats(1.0, 1500.0))
def test_it_is_enough_where_the_whole_batch_finds_it(grams: float):
    """The limit is what the phases take one after the other, the last of them with its tolerance on top."""
    found = short(cast("Ledger", _Nothing()), store(sugar=f"{grams!r} g"))
    assert (not [item for item in found if item.material == "sugar"]) == (grams >= CHARGED + 1.05 * FED)


class _Nothing:
    """A ledger in which nothing was used yet."""

    def events(self, **_: object) -> list[object]:
        return []


def test_what_other_batches_took_is_gone_and_what_expires_does_not_count(ledger: Ledger):
    payload = {"lot": "WATER-1", "material": "water", "amount": "4995", "unit": "kg", "phase": "x"}
    held = store(water=None) + [lot for lot in lots() if lot.material == "water"]
    ledger.append(Draft("lot.consumed", "OTHER", payload, "executor"))
    assert [item.material for item in short(ledger, held)] == ["water"]
    old = [replace(lot, expiry=date(2026, 3, 1)) if lot.material == "bank" else lot for lot in store()]
    assert next(item.material for item in short(ledger, old)) == "bank"


def test_a_lot_in_quarantine_may_still_be_released(ledger: Ledger):
    held = [replace(lot, status="quarantined") if lot.material == "salts" else lot for lot in lots()]
    (found,) = short(ledger, held)
    assert found.waiting == ("SALT-1",)
    assert found.remedy == f"Release SALT-1 before {found.phase} begins."
    rejected = [replace(lot, status="rejected") if lot.material == "salts" else lot for lot in lots()]
    (found,) = short(ledger, rejected)
    assert found.waiting == ()


def test_what_a_person_starts_without_stands_in_the_record(tmp_path: Path):
    pytest.importorskip("asyncua", reason="the group `plant` is not installed")
    with served(tmp_path) as process, connected(process.url) as plant, ledger_in(tmp_path) as ledger:
        found = shortages(control(), ledger, store(salts=None), TODAY)
        given_up = [item.to_data() for item in found]
        start_live(
            control(),
            plant,
            ledger,
            batch=BATCH,
            actor=starter(ledger),
            permit=LedgerPermit(ledger, control()),
            simulated=True,
            missing=given_up,
        )
        created = batch_state(ledger, BATCH).created
        assert created is not None
        assert created["missing"] == given_up
