"""The batch: sequence, hard stops, entries, corrections, recipes, review, release, deviations, genealogy."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Final

from seedtrain.gmp._by_hand._enter import dispense
from seedtrain.gmp._by_hand._phase import check_by_second
from seedtrain.gmp._by_hand._remarks import correct_entry
from seedtrain.gmp._by_hand._start import start_batch
from seedtrain.gmp._lots._genealogy import genealogy, where_used
from seedtrain.gmp._lots._received import receive_lots
from seedtrain.gmp._master._approval import approve_recipe
from seedtrain.gmp._permit import LedgerPermit
from seedtrain.gmp._qualify._bench import Bench, expect, refused
from seedtrain.gmp._qualify._sample import BATCH, FILL, LOT, MEASURE, WEIGH, Sample, salt
from seedtrain.gmp._quality._excursions import open_deviations
from seedtrain.gmp._quality._release import decide_release
from seedtrain.gmp._quality._review import review
from seedtrain.gmp._retention import erase_personal
from seedtrain.quantity import parse
from seedtrain.recipe import Command, IllegalCommand, PermitRequest, State, next_state
from seedtrain.record import anchor_path, enrol_person, moment, person_name, retire, verify

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def _sample(bench: Bench, *, approved: bool = True) -> Iterator[Sample]:
    made = Sample.open(bench.place() / "record.db", approved=approved)
    try:
        yield made
    finally:
        made.ledger.close()


def sequence(bench: Bench) -> list[str]:
    """OQ-12."""
    with _sample(bench) as made:
        made.start()
        lines = [refused(lambda: made.begin(MEASURE), "the second phase before the first")]
        made.begin(WEIGH)
        lines.append(refused(lambda: made.begin(FILL), "a phase while another runs"))
        lines.append(refused(lambda: made.complete(WEIGH), "completing a phase in which entries are missing"))
        lines.append(refused(lambda: made.complete(WEIGH, "checker"), "completing a phase without a part in it"))
    illegal = 0
    for state in State:
        for command in Command:
            try:
                next_state(state, command)
            except IllegalCommand:
                illegal += 1
    expect(illegal > 0, "every command is legal in every state")
    return [*lines, f"{illegal} of {len(State) * len(Command)} pairs of ISA-88 state and command are refused"]


def hard_stops(bench: Bench) -> list[str]:
    """OQ-13."""
    with _sample(bench) as made:
        people = made.people
        receive_lots(
            made.ledger, [salt("SALT-Q", "quarantined"), salt("SALT-E", expiry=date(2020, 1, 1))], people["analyst"]
        )
        made.start()
        made.begin(WEIGH)

        def give(lot: str) -> Callable[[], object]:
            return lambda: dispense(made.ledger, BATCH, WEIGH, lot, "9.0", "g", people["operator"])

        lines = [refused(give("SALT-Q"), "a lot in quarantine"), refused(give("SALT-E"), "a lot out of date")]
        lines.append(refused(give("SALT-X"), "a lot that nobody received"))
        dispense(made.ledger, BATCH, WEIGH, LOT, "9.5", "g", people["operator"])
        expect(not made.record.consumed[-1].keeps_limits, "9.5 g counts as 9.0 g within 1 %")
        lines.append("9.5 g where the recipe asks for 9.0 g within 1 %: recorded as an excursion")
    with _sample(bench, approved=False) as made:
        start = refused(
            lambda: start_batch(made.ledger, made.control, BATCH, made.people["operator"]), "a recipe nobody approved"
        )
    return [*lines, start]


def entries(bench: Bench) -> list[str]:
    """OQ-14."""
    with _sample(bench) as made:
        made.start()
        made.weigh(check=False)
        own = refused(
            lambda: check_by_second(made.ledger, BATCH, WEIGH, made.people["operator"]), "the check of one's own work"
        )
        next_one = refused(lambda: made.begin(MEASURE), "going on without the second person's check")
        check_by_second(made.ledger, BATCH, WEIGH, made.people["checker"])
        made.begin(MEASURE)
        unit = refused(lambda: made.enter(MEASURE, "gross", "1205", "s"), "a weight in seconds")
        word = refused(lambda: made.enter(MEASURE, "gross", "heavy", "g"), "a weight that is a word")
        made.enter(MEASURE, "gross", "1205", "g")
        made.enter(MEASURE, "tare", "200", "g")
        made.enter(MEASURE, "pH", "9.0")
        values = made.record.values_of(MEASURE)
        expect(values["net"].value == "1005.0", f"1205 g - 200 g is calculated as {values['net'].value}")
        expect(not values["pH"].within, "pH 9.0 counts as within 6.5 .. 7.5")
    return [own, next_one, unit, word, "net = 1205 g - 200 g = 1005.0 g; pH 9.0 is marked as out of 6.5 .. 7.5"]


def corrections(bench: Bench) -> list[str]:
    """OQ-15."""
    with _sample(bench) as made:
        made.start()
        made.weigh()
        operator = made.people["operator"]

        def correct(reason: str) -> object:
            return correct_entry(made.ledger, BATCH, WEIGH, "appearance", "hazy", operator, reason=reason)

        words = refused(lambda: correct(" "), "a correction without a reason")
        step = made.record.step(WEIGH)
        assert step is not None
        expect(step.checked, "the check does not count before")
        correct("looked again")
        line, step = made.record.values_of(WEIGH)["appearance"], made.record.step(WEIGH)
        assert step is not None
        expect(line.value == "clear" and line.current == "hazy", "the old value is not in sight")
        expect(not step.checked, "the check counts after a correction")
        seq = refused(lambda: made.begin(MEASURE), "going on without a new check")
    return [words, "clear, corrected to hazy (looked again): both are in the record; the check is taken back", seq]


def recipe(bench: Bench) -> list[str]:
    """OQ-16."""
    with _sample(bench, approved=False) as made:
        author, approver = made.people["author"], made.people["approver"]
        alone = refused(
            lambda: approve_recipe(made.ledger, made.control, author=author, approver=author),
            "approving one's own recipe",
        )
        approve_recipe(made.ledger, made.control, author=author, approver=approver)
        made.start()
        changed = made.control.recipe.with_value(WEIGH, "duration", parse("50 min"))
        other = type(made.control)(changed, changed.digest, made.control.unit, made.control.volume, 1.0)
        request = PermitRequest(BATCH, WEIGH, "production_vessel", (), moment(made.record.header.created_at))
        refusal = LedgerPermit(made.ledger, other).check(request)
        expect(refusal is not None, "a batch goes on by another recipe than its own")
        assert refusal is not None
    return [alone, f"one value changed in the recipe: {refusal.reason}"]


def release(bench: Bench) -> list[str]:
    """OQ-17."""
    with _sample(bench) as made:
        made.start()
        made.weigh()
        made.measure()
        made.fill()
        made.finish()
        made.results()
        expect(made.decide() == "on_hold", "a batch that nobody reviewed is released")
        operator = made.people["operator"]
        own_review = refused(lambda: review(made.ledger, BATCH, operator, comment="seen"), "reviewing one's own batch")
        own = refused(lambda: decide_release(made.ledger, BATCH, operator), "releasing one's own batch")
        review(made.ledger, BATCH, made.people["reviewer"], comment="seen")
        decision = made.decide()
        expect(
            decision == "released", f"a batch in which all is well is {decision}: {made.record.decisions[-1].reasons}"
        )
    with _sample(bench) as bad:
        bad.start()
        bad.weigh()
        bad.measure()
        bad.fill()
        bad.finish()
        decision = bad.judge({"identity": "conforms", "content": "0.50 %"})
        expect(decision != "released", "a batch with a failing result is released")
    return [
        "not reviewed: on hold",
        own_review,
        own,
        "reviewed: released",
        f"content 0.50 % (limit 0.85 .. 0.95): {decision}",
    ]


def deviations(bench: Bench) -> list[str]:
    """OQ-18."""
    with _sample(bench) as made:
        made.start()
        made.weigh()
        made.measure(pH="8.1")
        made.fill()
        made.finish()
        open_deviations(made.ledger, BATCH, made.people["operator"])
        found = made.record.deviations
        expect([item.tag for item in found] == ["pH"], f"pH 8.1 opened {[item.tag for item in found]}")
        made.results()
        review(made.ledger, BATCH, made.people["reviewer"], comment="seen")
        expect(made.decide() == "on_hold", "a batch with an open deviation is released")
        made.close_deviations()
        review(made.ledger, BATCH, made.people["reviewer"], comment="seen")
        expect(made.decide() == "released", f"still not released: {made.record.decisions[-1].reasons}")
    return [found[0].words, "open: on hold; closed with impact, cause and action by another person: released"]


def erasure(bench: Bench) -> list[str]:
    """OQ-28."""
    with bench.ledger() as ledger:
        admin = enrol_person(ledger, "The admin", ["administrator"], scripted=True)
        someone = enrol_person(ledger, "Somebody", ["checker"], scripted=True)
        retire(ledger, someone, "left", by=admin)
        erase_personal(ledger, someone, contact_only=False, reason="asked for", by=admin)
        expect(person_name(ledger, someone) is None, "the name is readable after its erasure")
        path = ledger.path
    expect(verify(path).verdict == "pass", "the ledger does not verify after an erasure")
    raw = path.read_bytes() + anchor_path(path).read_bytes()
    expect(b"Somebody" not in raw, "the name stands in the ledger in clear")
    with _sample(bench) as made:
        made.start()
        made.weigh()
        admin = enrol_person(made.ledger, "The admin", ["administrator"], scripted=True)
        operator = made.people["operator"]
        retire(made.ledger, operator, "left", by=admin)

        def erase() -> object:
            return erase_personal(made.ledger, operator, contact_only=False, reason="asked for", by=admin)

        kept = refused(erase, "erasing somebody whose record is kept")
    return ["nobody's record: the name is gone, the chain holds", kept]


def tracing(bench: Bench) -> list[str]:
    """OQ-29."""
    ledger = bench.sample.ledger
    up = [line.lot for line in genealogy(ledger.events(), BATCH)]
    down = [line.lot for line in where_used(ledger.events(), LOT)]
    expect(LOT in up, f"{LOT} is not found upstream of {BATCH}")
    expect(BATCH in down, f"{BATCH} is not found downstream of {LOT}")
    return [f"into {BATCH}: {', '.join(up[1:])}; {LOT} went into {', '.join(down[1:])}"]


CHECKS: Final[dict[str, Callable[[Bench], list[str]]]] = {
    "OQ-12": sequence,
    "OQ-13": hard_stops,
    "OQ-14": entries,
    "OQ-15": corrections,
    "OQ-16": recipe,
    "OQ-17": release,
    "OQ-18": deviations,
    "OQ-28": erasure,
    "OQ-29": tracing,
}
