"""Genealogy both ways, and the origin of everything in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.gmp import (
    amend_lot,
    assure_origin,
    genealogy,
    genealogy_sheet,
    receive_lots,
    received_lots,
    where_used,
)
from seedtrain.quality import judge_origin
from seedtrain.record import Event
from tests.gmp.made import BATCH, Made, lot, lots


def event(seq, type, subject, payload):
    return Event(seq, "", str(seq), type, subject, "", "", "system", None, payload, None, None, "", b"")


def consumed(seq, batch, name):
    payload = {"lot": name, "material": "m", "amount": "1", "unit": "g", "phase": "p"}
    return event(seq, "lot.consumed", batch, payload)


LOTS = [f"L{number}" for number in range(7)]


@given(st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=20))
def test_upstream_and_downstream_are_each_others_mirror(pairs):
    """Any graph, cycles included: a is upstream of b exactly if b is downstream of a; nobody is left out or doubled."""
    events = [event(0, "batch.created", name, {}) for name in LOTS]
    events += [consumed(seq, LOTS[target], LOTS[source]) for seq, (source, target) in enumerate(sorted(pairs), 1)]
    up = {name: [line.lot for line in genealogy(events, name)] for name in LOTS}
    down = {name: [line.lot for line in where_used(events, name)] for name in LOTS}
    for first in LOTS:
        assert len(up[first]) == len(set(up[first]))
        for second in LOTS:
            assert (first in up[second]) == (second in down[first])
    reach = {(a, b) for a, b in pairs} | {(a, a) for a in range(7)}
    for _ in range(3):
        reach |= {(a, d) for a, b in reach for c, d in reach if b == c}
    assert {(LOTS.index(a), LOTS.index(b)) for b in LOTS for a in up[b]} == reach


def test_the_genealogy_of_a_batch_reaches_through_batches(made):
    made.run()
    made.batch = "B-2"
    made.create()
    made.consume("seed/expansion/charge", BATCH, "thing", "1")
    payload = {"lot": "B-2-lot", "material": "dressing", "amount": "1", "unit": "", "from": [BATCH, "EXTRA"]}
    made.add("lot.produced", payload)
    lines = {line.lot: line for line in genealogy(made.ledger.events(), "B-2-lot")}
    assert lines.keys() == {"B-2-lot", "B-2", BATCH, "EXTRA", "BANK-1", "SUGAR-1", "WATER-1", "VIAL-1"}
    assert [lines[name].depth for name in ("B-2-lot", "B-2", BATCH, "BANK-1")] == [0, 1, 2, 3]
    assert lines["BANK-1"].into == BATCH
    assert {line.lot for line in where_used(made.ledger.events(), "BANK-1")} == {"BANK-1", BATCH, "B-2", "B-2-lot"}
    with pytest.raises(InputError, match="knows no lot"):
        genealogy(made.ledger.events(), "nothing")
    rows = {row[0]: row for row in genealogy_sheet(lines.values()).rows}
    assert rows["EXTRA"][-1] == "unknown origin"
    assert rows["BANK-1"][-1] == "part 1: microbial origin; part 2: plant origin"


@pytest.mark.parametrize(
    ("origins", "expected"),
    [
        (("plant", "synthetic"), "pass"),
        (("plant", None), "inconclusive"),
        ((), "inconclusive"),
        (("animal",), "inconclusive"),
        (("bovine",), "pass"),
        (("plant", "porcine"), "fail"),
        ((None, "porcine"), "fail"),
    ],
)
def test_what_is_not_declared_is_unknown_and_never_absent(made, origins, expected):
    receive_lots(made.ledger, [lot("X", "feed", origins=origins)])
    made.create()
    for item in (*lots(), lot("X", "feed")):
        made.consume("seed/expansion/charge", item.id, item.material, "1")
    assert assure_origin(made.ledger.events(), BATCH).verdict == expected


def test_a_lot_that_was_never_received_and_a_batch_without_lots_are_unknown(made):
    made.create()
    assert assure_origin(made.ledger.events(), BATCH).verdict == "inconclusive"
    made.consume("seed/expansion/thaw", "BANK-1", "bank", "1")
    assert assure_origin(made.ledger.events(), BATCH).verdict == "pass"
    made.consume("seed/expansion/thaw", "GHOST", "bank", "1")
    verdict = assure_origin(made.ledger.events(), BATCH)
    assert verdict.verdict == "inconclusive"
    assert any("GHOST" in item for item in verdict.evidence)


def test_lots_are_received_once_and_not_as_something_else(tmp_path):
    made = Made.in_folder(tmp_path)
    head = made.ledger.head
    receive_lots(made.ledger, lots(), made.people["qc"])
    assert made.ledger.head == head
    with pytest.raises(InputError):
        receive_lots(made.ledger, [lot("SUGAR-1", "salt")], made.people["qc"])
    found = received_lots(made.ledger.events())
    assert found == {item.id: item for item in lots()}
    assert judge_origin(list(found.values())).verdict == "pass"
    made.ledger.close()


def test_a_lot_stated_anew_counts_as_stated_last_for_every_batch_that_used_it(made):
    made.run()
    assert assure_origin(made.ledger.events(), BATCH).verdict == "pass"
    found = lot("SUGAR-1", "sugar", origins=("plant", "porcine"))
    for wrong, reason, who in (
        (lot("NONE", "sugar"), "x", "qc"),
        (lot("SUGAR-1", "salt"), "x", "qc"),
        (found, " ", "qc"),
        (found, "supplier's letter", "nobody"),
    ):
        with pytest.raises(InputError):
            amend_lot(made.ledger, wrong, reason, made.people.get(who, who))
    assert amend_lot(made.ledger, found, "supplier's letter", made.people["qc"])
    assert amend_lot(made.ledger, found, "supplier's letter", made.people["qc"]) == ()
    assert received_lots(made.ledger.events())["SUGAR-1"] == found
    assert assure_origin(made.ledger.events(), BATCH).verdict == "fail"
    (first,) = made.ledger.events(subject="SUGAR-1", type="lot.received")
    assert first.payload["contains"] == [{"name": "part 1", "origin": "plant"}]
