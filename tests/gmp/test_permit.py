"""The hard stops: every refusal has a reason and a remedy, and nothing gets past the order of the procedure."""

from datetime import date, timedelta

import pytest

from seedtrain.base import InputError
from seedtrain.gmp import LedgerPermit, approval, approve_recipe, change_lot_status, correct_value, receive_lots
from seedtrain.recipe import Permit, PermitRequest
from seedtrain.record import Draft, append_signed, sign
from tests.gmp.made import BATCH, RECIPE, START, Made, control_recipe, lot

FIRST = "seed/expansion/thaw"


def ask(made, path=FIRST, *, lots=(), unit=None, batch=BATCH, control=None, time=START):
    place = made.control.recipe.phase_at(path)
    unit = unit or place.unit_procedure.unit or place.unit_procedure.unit_class
    permit = LedgerPermit(made.ledger, control or made.control)
    assert isinstance(permit, Permit)
    refusal = permit.check(PermitRequest(batch, path, unit, tuple(lots), time))
    assert refusal is None or (refusal.reason and refusal.remedy)
    return refusal


def test_the_first_phase_with_good_lots_may_start(made):
    made.create()
    assert ask(made, lots=["BANK-1", "SUGAR-1"]) is None


EXPIRY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        (None, "knows no lot"),
        (lot("L", "sugar", expiry=EXPIRY - timedelta(days=1)), "expired on 2026-03-01"),
        (lot("L", "sugar", status="quarantined"), "is quarantined"),
        (lot("L", "sugar", status="rejected"), "is rejected"),
        (lot("L", "sugar", expiry=EXPIRY), ""),
    ],
)
def test_a_lot_that_is_unknown_expired_quarantined_or_rejected_stops_the_phase(made, extra, reason):
    made.create()
    receive_lots(made.ledger, [extra] if extra else [])
    refusal = ask(made, lots=["BANK-1", "L"])
    assert (refusal.reason if refusal else "") == "" if not reason else reason in refusal.reason


def test_a_lot_quarantined_after_its_release_stops_the_next_phase(made):
    made.create()
    change_lot_status(made.ledger, "SUGAR-1", "quarantined", "supplier's warning", made.people["qc"])
    assert change_lot_status(made.ledger, "SUGAR-1", "quarantined", "again", made.people["qc"]) == ()
    assert "is quarantined" in ask(made, lots=["SUGAR-1"]).reason
    change_lot_status(made.ledger, "SUGAR-1", "released", "warning withdrawn", made.people["qc"])
    assert ask(made, lots=["SUGAR-1"]) is None
    for wrong in (("none", "released", "x"), ("SUGAR-1", "fine", "x"), ("SUGAR-1", "rejected", " ")):
        with pytest.raises(InputError):
            change_lot_status(made.ledger, *wrong, made.people["qc"])


def test_a_produced_lot_may_be_used_once_its_batch_is_released(made):
    made.run()
    made.batch = "B-2"
    made.create()
    assert "not released" in ask(made, lots=[BATCH], batch="B-2").reason
    made.batch = BATCH
    assert made.quality().decision == "released"
    assert ask(made, lots=[BATCH], batch="B-2") is None


def test_a_recipe_needs_the_signatures_of_two_different_persons(tmp_path):
    made = Made.in_folder(tmp_path, approved=False)
    made.create()
    assert "never approved" in ask(made).reason
    author = made.people["author"]
    with pytest.raises(InputError, match="of their own"):
        approve_recipe(made.ledger, made.control, author=author, approver=author)
    with pytest.raises(InputError, match="not enrolled"):  # stops after the author's signature
        approve_recipe(made.ledger, made.control, author=author, approver="person-99")
    assert "two different persons" in ask(made).reason
    (event,) = made.ledger.events(type="recipe.approved")
    sign(made.ledger, author, event.digest, "approval", subject=made.control.digest)
    assert "two different persons" in ask(made).reason  # the author a second time is not a second person
    head = made.ledger.head.seq
    assert approve_recipe(made.ledger, made.control, author=author, approver=made.people["qa"]).effective
    assert approve_recipe(made.ledger, made.control, author=author, approver=made.people["qa"]).effective
    assert made.ledger.head.seq == head + 1
    assert ask(made) is None
    made.ledger.append(Draft("recipe.retired", made.control.digest, {}, made.people["qa"]))
    assert "retired" in ask(made).reason
    made.ledger.close()


def test_a_recipe_changed_after_its_approval_gives_another_digest(made):
    made.create()
    other = control_recipe(RECIPE.replace("6.8 .. 7.2", "6.0 .. 8.0"))
    assert "was created with the recipe" in ask(made, control=other).reason
    made.batch = "B-2"
    made.control, kept = other, made.control
    made.create()
    assert "never approved" in ask(made, batch="B-2", control=other).reason
    # The changed text under the signed digest:
    (event,) = made.ledger.events(type="recipe.approved")
    forged = dict(event.payload) | {"digest": other.digest}
    draft = Draft("recipe.approved", other.digest, forged, made.people["author"])
    event, _ = append_signed(made.ledger, draft, "authorship")
    sign(made.ledger, made.people["qa"], event.digest, "approval", subject=other.digest)
    assert "not the one approved" in ask(made, batch="B-2", control=other).reason
    forged_one, good_one = approval(made.ledger, other.digest), approval(made.ledger, kept.digest)
    assert forged_one is not None
    assert not forged_one.effective
    assert good_one is not None
    assert good_one.recipe == kept.recipe


def test_at_every_point_of_the_batch_only_the_next_phase_may_start(made):
    """The whole square of progress and phase asked for."""
    made.create()
    phases = [place.path for place in made.control.recipe.phases()]
    for done in range(len(phases) + 1):
        for asked, path in enumerate(phases):
            refusal = ask(made, path)
            assert (refusal is None) == (asked == done), (done, path, refusal)
        if done < len(phases):
            made.phase(phases[done])
            if made.control.recipe.phase(phases[done]).hold_point:
                refusal = ask(made, phases[done + 1])
                assert "hold point" in refusal.reason
                made.release_hold_point(phases[done])


def test_the_wrong_unit_the_wrong_batch_and_a_decided_batch_are_refused(made):
    assert "no batch" in ask(made).reason
    made.create()
    assert "belongs on F" in ask(made, unit="T").reason
    made.batch = "B-2"
    assert made.run().quality().decision == "released"
    assert "is released" in ask(made, batch="B-2").reason


def test_without_the_second_persons_check_nothing_goes_on(made):
    made.create()
    made.phase(FIRST, checker="")
    assert "was not checked" in ask(made, "seed/expansion/charge").reason
    made.check(FIRST, "operator")
    assert "was not checked" in ask(made, "seed/expansion/charge").reason
    made.check(FIRST)
    assert ask(made, "seed/expansion/charge") is None


def test_a_correction_takes_the_check_before_it_back(made):
    made.create()
    made.phase(FIRST)
    (entry,) = [item for item in made.record.values if item.kind == "entry"]
    correct_value(made.ledger, BATCH, entry.id, "no", reason="other vial", actor=made.people["operator"])
    assert "was not checked" in ask(made, "seed/expansion/charge").reason
