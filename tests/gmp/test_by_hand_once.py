"""One act is one act: weighings told twice, ends told twice, and phases ended by somebody who had no part in them."""

import pytest

from seedtrain import gmp
from seedtrain.base import InputError
from seedtrain.recipe import Command, IllegalCommand, State
from seedtrain.record import enrol_person
from tests.gmp.by_hand import FILL, GOOD_LOT, STIR, WEIGH, Shop

BATCH = "O-1"


@pytest.fixture
def shop(tmp_path):
    found = Shop.open(tmp_path)
    gmp.start_batch(found.ledger, found.control, BATCH, found.actors["anna"])
    yield found
    found.ledger.close()


def do(shop, act, *words, who="anna", **more):
    return act(shop.ledger, BATCH, *words, shop.actors[who], **more)


def refused(shop, match, act, *words, **more):
    head = shop.ledger.head
    with pytest.raises(InputError, match=match):
        do(shop, act, *words, **more)
    assert shop.ledger.head == head


def weigh(shop):
    do(shop, gmp.begin_phase, WEIGH, equipment=["BAL-1"])
    do(shop, gmp.dispense, WEIGH, GOOD_LOT, "10", "g")
    for tag, value in (("gross", "20.0"), ("tare", "10.0")):
        do(shop, gmp.enter_value, WEIGH, tag, value, "g")


def run(shop):
    """The whole batch, up to its end."""
    weigh(shop)
    do(shop, gmp.complete_phase, WEIGH)
    do(shop, gmp.check_by_second, WEIGH, who="bela")
    do(shop, gmp.begin_phase, STIR)
    do(shop, gmp.enter_value, STIR, "appearance", "clear", "")
    do(shop, gmp.complete_phase, STIR)
    do(shop, gmp.sign_phase, STIR, who="cora")
    do(shop, gmp.clear_line, "L-1", found="empty")
    do(shop, gmp.begin_phase, FILL)
    do(shop, gmp.enter_value, FILL, "filled", "3", "")
    do(shop, gmp.complete_phase, FILL)


@pytest.mark.parametrize(
    ("amount", "unit"), [("10", "g"), ("10.0", "g"), ("10.000", "g"), ("0.01", "kg"), ("1e1", "g")]
)
def test_an_equal_amount_is_the_same_weighing_however_it_is_written(shop, amount, unit):
    do(shop, gmp.begin_phase, WEIGH, equipment=["BAL-1"])
    do(shop, gmp.dispense, WEIGH, GOOD_LOT, "10", "g", instrument="BAL-1")
    head = shop.ledger.head
    found = do(shop, gmp.dispense, WEIGH, GOOD_LOT, amount, unit)
    assert shop.ledger.head == head
    assert [item.amount for item in found.consumed] == ["10"]
    # Who weighs the same once more says so; the ticket then names that weighing, and no other amount.
    for spelled in ("10.0", "10"):
        found = do(shop, gmp.dispense, WEIGH, GOOD_LOT, spelled, "g", reference="T-2")
    assert [(item.amount, item.reference) for item in found.consumed] == [("10", ""), ("10.0", "T-2")]
    refused(shop, "weighing T-2 of SALT-1 is recorded", gmp.dispense, WEIGH, GOOD_LOT, "9", "g", reference="T-2")
    # An equal amount of another person, or of another balance, is not told to be theirs.
    told = "a weighing of SALT-1 is recorded in make/mix/weigh: 10 g by person-1 on BAL-1"
    refused(shop, told, gmp.dispense, WEIGH, GOOD_LOT, amount, unit, who="bela")
    refused(shop, told, gmp.dispense, WEIGH, GOOD_LOT, amount, unit, instrument="BAL-2")


def test_who_had_no_part_in_a_phase_says_why_they_end_it(shop):
    weigh(shop)
    refused(shop, "has neither begun make/mix/weigh nor entered", gmp.complete_phase, WEIGH, who="bela")
    refused(shop, "has neither begun", gmp.complete_phase, WEIGH, who="bela", reason="  ")
    do(shop, gmp.complete_phase, WEIGH, who="bela", reason="anna was called away; I watched the last weighing")
    (step,) = gmp.batch_record(shop.ledger.events(subject=BATCH), BATCH).steps
    assert (step.took_part, step.performed, step.completed_by) == (False, True, shop.actors["bela"])
    *_, signature = shop.ledger.events(subject=BATCH, type="signature.applied")
    assert signature.payload["meaning"] == f"completed, performed by others: {WEIGH}"
    shown = [item.item for item in gmp.open_review(shop.ledger, BATCH).exceptions if item.item.kind == "intervention"]
    words = f"{WEIGH} was completed by {shop.actors['bela']}, who had not acted in it (anna was called away; I watched"
    assert [item.words.startswith(words) for item in shown] == [True]
    # They acted in it by ending it: neither of the two is its second person.
    refused(shop, "same person", gmp.check_by_second, WEIGH, who="bela")
    do(shop, gmp.check_by_second, WEIGH, who="cora")


def test_one_entry_is_a_part_in_a_phase(shop):
    weigh(shop)
    do(shop, gmp.correct_entry, WEIGH, "tare", "10.5", who="bela", reason="misread")
    (step,) = do(shop, gmp.complete_phase, WEIGH, who="bela").steps
    assert step.took_part
    kinds = {item.item.kind for item in gmp.open_review(shop.ledger, BATCH).exceptions}
    assert "intervention" not in kinds


def test_ends_are_safe_to_repeat_in_every_state_and_no_other_end_is_taken(shop):
    weigh(shop)
    do(shop, gmp.complete_phase, WEIGH, reason="all there")
    run_to_end = [
        lambda: do(shop, gmp.command_batch, Command.HOLD, reason="alarm"),
        lambda: do(shop, gmp.command_batch, Command.RESTART),
        lambda: do(shop, gmp.command_batch, Command.STOP, reason="leak"),
    ]
    for change in run_to_end:
        change()
        head = shop.ledger.head
        for reason in ("all there", ""):
            do(shop, gmp.complete_phase, WEIGH, reason=reason)
        change()  # the last order again
        assert shop.ledger.head == head
        refused(shop, "is complete since .* by person-1", gmp.complete_phase, WEIGH, who="bela", reason="all there")
        refused(shop, r"is complete since .* \(all there\)", gmp.complete_phase, WEIGH, reason="another")
    refused(shop, "not legal|takes no|cannot", gmp.command_batch, Command.HOLD, reason="alarm")


def test_a_batch_ends_once_whatever_was_decided_since(shop):
    run(shop)
    assert do(shop, gmp.finish_batch, amount="3.0", unit="kg").state is State.COMPLETE
    gmp.stop_batch(shop.ledger, BATCH, shop.actors["dora"], "on_hold", "a complaint")
    for decided in ("on_hold", "rejected"):
        gmp.stop_batch(shop.ledger, BATCH, shop.actors["dora"], decided, "a complaint")
        head = shop.ledger.head
        for amount, unit in (("3.0", "kg"), ("3", "kg"), ("3000", "g")):
            assert do(shop, gmp.finish_batch, amount=amount, unit=unit).amount == "3.0 kg"
        assert shop.ledger.head == head
        for other in ({"amount": "4", "unit": "kg"}, {"amount": "3", "unit": "L"}, {}, {"amount": "3"}):
            refused(shop, "was ended by person-1, with 3.0 kg", gmp.finish_batch, **other)
        refused(shop, "was ended by person-1", gmp.finish_batch, who="bela", amount="3", unit="kg")
        with pytest.raises(IllegalCommand):
            do(shop, gmp.command_batch, Command.ABORT, reason="x")


def test_a_batch_without_a_product_ends_once_too(shop):
    run(shop)
    for _ in range(2):
        assert do(shop, gmp.finish_batch).lot is None
    refused(shop, "with no product", gmp.finish_batch, amount="3", unit="kg")


def test_a_batch_is_started_again_only_as_it_was(shop):
    start = (shop.ledger, shop.control, BATCH, shop.actors["anna"])
    head = shop.ledger.head
    assert gmp.start_batch(*start).header.trial is False
    assert shop.ledger.head == head
    with pytest.raises(InputError, match="is taken"):
        gmp.start_batch(*start, simulated=True)


def test_what_a_correction_takes_back_is_missing_until_it_is_signed_anew(shop):
    """21 CFR 211.188(b)(11): the last phase has neither second person nor hold point, only who performed it."""
    run(shop)
    do(shop, gmp.finish_batch, amount="3", unit="kg")
    do(shop, gmp.correct_entry, FILL, "filled", "3.0", who="bela", reason="as it stands on the counter")
    lacks = f"{FILL} lacks the signature of who performed it"
    assert lacks in gmp.release_verdict(shop.ledger, BATCH).evidence
    kinds = [item.item.kind for item in gmp.open_review(shop.ledger, BATCH).exceptions]
    assert "missing signature" in kinds
    do(shop, gmp.sign_phase, FILL)
    assert lacks not in gmp.release_verdict(shop.ledger, BATCH).evidence


def test_who_gave_the_batch_an_order_neither_reviews_nor_decides(shop):
    boss = enrol_person(shop.ledger, "Boss", ["shift_leader", "reviewer", "quality_assurance"], scripted=True)
    gmp.command_batch(shop.ledger, BATCH, Command.HOLD, boss, reason="alarm")
    with pytest.raises(InputError, match="cannot review it"):
        gmp.review(shop.ledger, BATCH, boss, comment="seen")
    with pytest.raises(InputError, match="cannot decide on it"):
        gmp.stop_batch(shop.ledger, BATCH, boss, "rejected", "x")


def test_an_amount_that_was_put_right_is_the_same_weighing_by_its_first_figure_and_its_last(shop):
    do(shop, gmp.begin_phase, WEIGH, equipment=["BAL-1"])
    do(shop, gmp.dispense, WEIGH, GOOD_LOT, "10", "g")
    given = (shop.ledger, GOOD_LOT, BATCH, "9.5", "g", shop.actors["anna"])
    gmp.correct_consumption(*given, reason="misread")
    head = shop.ledger.head
    for amount in ("10", "10.0", "9.5", "9.50"):
        do(shop, gmp.dispense, WEIGH, GOOD_LOT, amount, "g")
    assert shop.ledger.head == head
