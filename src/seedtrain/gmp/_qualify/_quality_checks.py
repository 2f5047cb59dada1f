"""Quality: results that were corrected, lots and who releases them, alarms and gaps before a reviewer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from seedtrain.gmp._lots._decisions import change_lot_status, record_lot_test
from seedtrain.gmp._lots._received import receive_lots
from seedtrain.gmp._qualify._bench import Bench, expect, refused
from seedtrain.gmp._qualify._sample import BATCH, GOOD, Sample, salt
from seedtrain.gmp._quality._investigate import assess_laboratory, correct_result, find_investigation
from seedtrain.gmp._quality._review import open_review, review
from seedtrain.record import Draft, append_signed

OOS: Final = f"{BATCH}-OOS-01"
AT: Final = "2026-01-05T09:00:00.000000Z"


def _finished(bench: Bench) -> Sample:
    made = Sample.open(bench.place() / "record.db")
    made.start()
    made.weigh()
    made.measure()
    made.fill()
    made.finish()
    return made


def results(bench: Bench) -> list[str]:
    """OQ-30."""
    made = _finished(bench)
    try:
        made.results(GOOD | {"content": "0.09 %"})
        (line,) = [item for item in made.record.results if item.attribute == "content"]
        analyst = made.people["analyst"]
        _, opened = correct_result(made.ledger, BATCH, line.id, "0.90", reason="decimal point", actor=analyst)
        expect(len(opened) == 1, f"{len(opened)} investigations for one result out of specification")
        found = find_investigation(made.ledger, OOS)
        expect(not found.conclusion, "the correction ended the investigation")

        def assess() -> object:
            return assess_laboratory(made.ledger, OOS, findings="slip", assignable=True, actor=analyst)

        own = refused(assess, "assessing one's own correction")
        review(made.ledger, BATCH, made.people["reviewer"], comment="seen")
        decision = made.decide()
        expect(decision == "on_hold", f"the batch is {decision}, by the correction of who tested it")
        receive_lots(made.ledger, [salt("SALT-T", "quarantined")], analyst)
        record_lot_test(made.ledger, "SALT-T", "identity", "conforms", "= conforms", "FTIR", analyst, sample="Q-1")
        lot = refused(
            lambda: change_lot_status(made.ledger, "SALT-T", "released", "tested", analyst),
            "releasing the lot that one has tested",
        )
        change_lot_status(made.ledger, "SALT-T", "released", "tested", made.people["quality"])
    finally:
        made.ledger.close()
    return [f"0.09 % corrected to 0.90 %: {OOS} is open, the batch on hold", own, lot]


def alarms(bench: Bench) -> list[str]:
    """OQ-31."""
    made = _finished(bench)
    operator = made.people["operator"]
    try:
        for name, priority, words in (
            ("level.high", "low", ("raised", "acknowledged", "returned")),
            ("pH.low", "low", ("raised", "returned")),
            ("pressure.high", "critical", ("raised", "acknowledged", "returned")),
            ("foam.high", "low", ("shelved",)),
        ):
            for word in words:
                tag = name.partition(".")[0]
                payload = {"unit": "T-1", "tag": tag, "alarm": name, "priority": priority, "at": AT}
                payload |= {"reason": "foam is known", "by": "panel", "until": AT} if word == "shelved" else {}
                if word == "acknowledged":
                    append_signed(made.ledger, Draft("alarm.acknowledged", BATCH, payload, operator), "acknowledged")
                else:
                    made.ledger.append(Draft(f"alarm.{word}", BATCH, payload, "executor"))
        gap = {"unit": "T-1", "tag": "pH", "from": AT, "to": "2026-01-05T09:00:07.500000Z", "cause": "connection lost"}
        made.ledger.append(Draft("telemetry.gap", BATCH, gap | {"backfilled": False}, "executor"))
        made.results()
        opened = open_review(made.ledger, BATCH)
        shown = [item.item.words for item in opened.exceptions if item.item.kind in ("alarm", "data gap")]
        for part in ("pH.low", "pressure.high", "foam.high", "(7.5 s)"):
            expect(any(part in words for words in shown), f"{part} is not shown to the reviewer")
        expect(not any("level.high" in words for words in shown), "an alarm that was dealt with is in the way")
        reviewer = made.people["reviewer"]
        waiting = refused(lambda: review(made.ledger, BATCH, reviewer), "a review that acknowledges none of them")
        expect(made.decide() == "on_hold", "a batch is released past alarms that nobody acknowledged")
        review(made.ledger, BATCH, reviewer, comment="seen with the trend")
        expect(made.decide() == "released", f"still not released: {made.record.decisions[-1].reasons}")
    finally:
        made.ledger.close()
    return [*shown, waiting, f"each acknowledged: released; {opened.within.alarms} of lower priority collapsed"]


CHECKS: Final[dict[str, Callable[[Bench], list[str]]]] = {"OQ-30": results, "OQ-31": alarms}
