"""Holds, stock and the read model: what the tables say is what the events say, and no amount is lost."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from seedtrain.base import InputError
from seedtrain.gmp import (
    Part,
    Particulars,
    change_lot_status,
    consume_lot,
    discard_lot,
    genealogy,
    hold_downstream,
    invalidate_lot_test,
    kept,
    lift_hold,
    lot_book,
    lot_faults,
    merge_lots,
    move_lot,
    open_holds,
    read_one,
    receive_goods,
    receive_lots,
    received_lots,
    record_lot_test,
    ship_lot,
    split_lot,
    where_used,
)
from seedtrain.quantity import parse
from seedtrain.record import SYSTEM, Draft, enrol_person, open_ledger, rebuild, verify
from tests.gmp.made import BATCH, lot

DAY = date(2026, 11, 1)
NAMES = [f"L{number}" for number in range(6)]


@pytest.fixture
def stock(tmp_path):
    """A ledger with one person for every duty, and a released lot of sugar."""
    with open_ledger(tmp_path / "record.db") as ledger:
        person = enrol_person(ledger, "Many", ["quality_control", "warehouse", "operator", "qa"], scripted=True)
        receive_lots(ledger, [lot("S", "sugar", quantity="10 kg")], person)
        yield ledger, person


def stock_in(book, name):
    found = book.stock(name)
    assert found is not None
    return found


def payload_of(name, **more):
    return lot(name, "m", quantity="5 kg").to_data() | more


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("batch.created"), st.sampled_from(NAMES), st.just({})),
        st.tuples(st.just("lot.received"), st.sampled_from(NAMES), st.builds(lambda: payload_of("x"))),
        st.tuples(
            st.just("lot.amended"), st.sampled_from(NAMES), st.builds(lambda: payload_of("x", quantity="4", unit="kg"))
        ),
        st.tuples(
            st.just("lot.status_changed"),
            st.sampled_from(NAMES),
            st.sampled_from(["released", "rejected", "quarantined"]).map(lambda word: {"before": "", "status": word}),
        ),
        st.tuples(
            st.just("lot.consumed"),
            st.sampled_from(NAMES),
            st.tuples(st.sampled_from(NAMES), st.sampled_from(["m", "n"])).map(
                lambda two: {"lot": two[0], "material": two[1], "amount": "1", "unit": "g", "phase": "p"}
            ),
        ),
        st.tuples(
            st.just("lot.produced"),
            st.sampled_from(NAMES),
            st.tuples(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=2)).map(
                lambda two: {"lot": two[0], "material": "p", "amount": "2", "unit": "g", "from": two[1]}
            ),
        ),
        st.tuples(
            st.sampled_from(["lot.split", "lot.merged"]),
            st.sampled_from(NAMES),
            st.lists(st.sampled_from(NAMES), min_size=1, max_size=2).map(
                lambda found: payload_of("x", **{"from": [{"lot": n, "amount": "1", "unit": "kg"} for n in found]})
            ),
        ),
        st.tuples(
            st.sampled_from(["lot.held", "lot.hold_lifted"]),
            st.sampled_from(NAMES),
            st.sampled_from(["H1", "H2"]).map(lambda hold: {"hold": hold, "root": "L0", "into": "", "depth": 0}),
        ),
    ),
    max_size=25,
)


def said(answer):
    try:
        return answer()
    except InputError as error:
        return str(error)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EVENTS, st.integers(0, 25))
def test_the_tables_answer_as_the_events_do_and_are_rebuilt_identically(tmp_path_factory, drafts, halfway):
    """Any events in any order, read in one go or in two: the same lines in the same order as the fold gives."""
    stated, held = set(), set()
    with open_ledger(tmp_path_factory.mktemp("law") / "record.db") as ledger:
        for at, (kind, subject, payload) in enumerate(drafts):
            if kind in ("lot.received", "lot.split", "lot.merged") and subject in stated:
                continue  # the commands give it an id of its own, which the ledger takes once
            if kind == "lot.held" and (subject, payload["hold"]) in held:
                continue
            stated |= {subject} if kind in ("lot.received", "lot.split", "lot.merged") else set()
            held |= {(subject, payload["hold"])} if kind == "lot.held" else set()
            ledger.append(Draft(kind, subject, payload, SYSTEM, reason="because"))
            if at == halfway:
                with lot_book(ledger):
                    pass
        events = list(ledger.events())
        with lot_book(ledger) as book:
            assert {item.id: item.lot for item in book.entries() if item.lot} == received_lots(events)
            for name in NAMES:
                for ask, answer in ((genealogy, book.genealogy), (where_used, book.where_used)):
                    assert said(lambda: answer(name)) == said(lambda: ask(events, name))  # noqa: B023
        (made,) = (item for item in rebuild(ledger) if item.name == "lots")
        assert made.identical
        assert made.before


class Warehouse(RuleBasedStateMachine):
    """Receive, use, discard, ship, split, merge at random: an independent account of every gram, no overdraft."""

    def __init__(self):
        super().__init__()
        import tempfile
        from pathlib import Path

        self.folder = tempfile.TemporaryDirectory()
        self.ledger = open_ledger(Path(self.folder.name) / "record.db")
        self.person = enrol_person(self.ledger, "M", ["quality_control", "warehouse", "operator", "qa"], scripted=True)
        self.left: dict[str, Decimal] = {}
        self.taken_in, self.gone = Decimal(0), Decimal(0)
        self.number = 0

    def teardown(self):
        self.ledger.close()
        self.folder.cleanup()

    def fresh(self):
        self.number += 1
        return f"L{self.number}"

    @rule(grams=st.integers(1, 10**6))
    def receive(self, grams):
        name = self.fresh()
        receive_lots(self.ledger, [lot(name, "sugar", quantity=f"{grams} g")], self.person)
        self.left[name] = Decimal(grams)
        self.taken_in += grams

    @precondition(lambda self: self.left)
    @rule(
        data=st.data(),
        milligrams=st.integers(1, 2 * 10**9),
        unit=st.sampled_from(["mg", "g", "kg"]),
        how=st.sampled_from(["use", "discard", "ship", "split"]),
    )
    def take(self, data, milligrams, unit, how):
        name = data.draw(st.sampled_from(sorted(self.left)))
        amount = Decimal(milligrams) / {"mg": 1, "g": 10**3, "kg": 10**6}[unit]
        grams, text = Decimal(milligrams) / 1000, format(amount, "f")
        child = self.fresh()
        act = {
            "use": lambda: consume_lot(self.ledger, name, text, unit, BATCH, self.person, reference=child),
            "discard": lambda: discard_lot(self.ledger, name, text, unit, "spilt", self.person, reference=child),
            "ship": lambda: ship_lot(self.ledger, name, text, unit, "A Ltd", self.person, document=child),
            "split": lambda: split_lot(self.ledger, name, [Part(child, text, unit)], self.person),
        }[how]
        if grams > self.left[name]:
            head = self.ledger.head
            with pytest.raises(InputError, match=r"left|remain"):
                act()
            assert self.ledger.head == head
            return
        act()
        self.left[name] -= grams
        if how == "split":
            self.left[child] = grams
        else:
            self.gone += grams

    @precondition(lambda self: len([1 for item in self.left.values() if item > 0]) > 1)
    @rule(data=st.data())
    def merge(self, data):
        names = data.draw(
            st.lists(
                st.sampled_from(sorted(n for n, left in self.left.items() if left > 0)),
                min_size=2,
                max_size=3,
                unique=True,
            )
        )
        into = self.fresh()
        merge_lots(self.ledger, names, into, self.person)
        self.left[into] = sum((self.left[name] for name in names), Decimal(0))
        self.left |= dict.fromkeys(names, Decimal(0))

    @invariant()
    def nothing_is_lost(self):
        with lot_book(self.ledger) as book:
            found = {item.id: stock_in(book, item.id) for item in book.entries() if item.lot}
            remaining = {name: Decimal(0) for name in found}
            for name, item in found.items():
                grams = {"mg": Decimal("0.001"), "g": Decimal(1), "kg": Decimal(1000)}[item.unit]
                remaining[name] = item.remaining * grams
                assert not item.unreckoned
                assert item.remaining >= 0
                assert item.taken_in == item.consumed + item.discarded + item.shipped + item.passed_on + item.remaining
        assert remaining == self.left
        assert self.taken_in == self.gone + sum(remaining.values())


TestWarehouse = Warehouse.TestCase
TestWarehouse.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)


def test_what_is_made_of_a_held_lot_is_held_before_and_after(made):
    made.run()
    order = hold_downstream(made.ledger, "SUGAR-1", "certificate withdrawn", cause="C-7")
    assert [(line.lot, line.depth, line.into) for line in order.lots] == [("SUGAR-1", 0, ""), (BATCH, 1, "SUGAR-1")]
    assert order.fresh == 2
    assert hold_downstream(made.ledger, "SUGAR-1", "certificate withdrawn", cause="C-7").fresh == 0
    made.batch = "B-2"
    made.create()
    made.consume("seed/expansion/charge", BATCH, "thing", "1")
    (held,) = open_holds(made.ledger, "B-2")  # made after the order, of a lot that it held
    assert (held.lot, held.root, held.hold) == (BATCH, "SUGAR-1", order.hold)
    assert hold_downstream(made.ledger, "SUGAR-1", "certificate withdrawn", cause="C-7").fresh == 1
    assert received_lots(made.ledger.events())["SUGAR-1"].status == "quarantined"
    assert open_holds(made.ledger, "WATER-1") == ()
    with pytest.raises(InputError, match="holds no lot 'WATER-1'"):
        lift_hold(made.ledger, order.hold, "investigated", made.people["qa"], lots=["WATER-1"])
    assert lift_hold(made.ledger, order.hold, "not affected", made.people["qa"], lots=["B-2"]) == ("B-2",)
    assert open_holds(made.ledger, "B-2") == ()
    assert open_holds(made.ledger, BATCH)
    assert hold_downstream(made.ledger, "SUGAR-1", "certificate withdrawn", cause="C-7").fresh == 0  # stays free
    assert set(lift_hold(made.ledger, order.hold, "renewed", made.people["qa"])) == {"SUGAR-1", BATCH}
    assert received_lots(made.ledger.events())["SUGAR-1"].status == "released"
    again = hold_downstream(made.ledger, "SUGAR-1", "certificate withdrawn", cause="C-7")
    assert again.hold != order.hold
    assert again.fresh == 3
    assert verify(made.ledger.path).verdict == "pass"


def test_a_lot_is_released_after_tests_only_and_a_failed_one_stops_everything_downstream(made):
    qc, qa = made.people["qc"], made.people["qa"]
    receive_lots(made.ledger, [lot("NEW", "sugar", status="quarantined")], qc)
    assert "is quarantined" in lot_faults(made.ledger, "NEW", DAY)[0]
    with pytest.raises(InputError, match="no test of its identity"):
        change_lot_status(made.ledger, "NEW", "released", "looks good", qa)
    with pytest.raises(InputError, match=r"may not do lot\.decide"):
        change_lot_status(made.ledger, "NEW", "released", "looks good", made.people["operator"])
    record_lot_test(made.ledger, "NEW", "identity", "conforms", "= conforms", "FTIR", qc, sample="Q-1")
    with pytest.raises(InputError, match="needs another person"):  # who tested it, whatever other role they have
        change_lot_status(made.ledger, "NEW", "released", "tested", qc)
    namesake = enrol_person(made.ledger, "The qc", ["qa"], scripted=True)
    with pytest.raises(InputError, match="same person"):
        change_lot_status(made.ledger, "NEW", "released", "tested", namesake)
    change_lot_status(made.ledger, "NEW", "released", "tested", qa)
    assert lot_faults(made.ledger, "NEW", DAY) == ()
    made.create()
    made.consume("seed/expansion/charge", "NEW", "sugar", "1")
    failed = record_lot_test(made.ledger, "NEW", "lead", parse("3 ug/g"), "<= 1 ug/g", "ICP", qc, sample="Q-2")
    assert failed.payload["state"] == "oos"
    assert [held.root for held in open_holds(made.ledger, made.batch)] == ["NEW"]
    change_lot_status(made.ledger, "NEW", "quarantined", "lead", qa)
    with pytest.raises(InputError, match="lead 3 ug/g out of specification"):
        change_lot_status(made.ledger, "NEW", "released", "again", qa)
    with pytest.raises(InputError, match="is recorded already"):  # no second value for one sample
        record_lot_test(made.ledger, "NEW", "lead", parse("0.5 ug/g"), "<= 1 ug/g", "ICP", qc, sample="Q-2")
    invalidate_lot_test(made.ledger, "NEW", failed.id, "wrong dilution, see I-4", qa)
    change_lot_status(made.ledger, "NEW", "released", "investigation I-4", qa)
    assert any("on hold" in reason for reason in lot_faults(made.ledger, "NEW", DAY))  # lifting is another decision


def test_split_parts_have_their_own_status_and_carry_holds_patients_do_not_mix(stock):
    ledger, person = stock
    split_lot(ledger, "S", [Part("S-1", "2", "kg"), Part("S-2", "500", "g", "cold room")], person)
    head = ledger.head
    split_lot(ledger, "S", [Part("S-1", "2", "kg"), Part("S-2", "500", "g", "cold room")], person)
    assert ledger.head == head
    change_lot_status(ledger, "S-1", "rejected", "wet", person)
    assert lot_faults(ledger, "S", DAY) == lot_faults(ledger, "S-2", DAY) == ()
    assert "rejected" in lot_faults(ledger, "S-1", DAY)[0]
    with pytest.raises(InputError, match="S-1 is rejected"):
        merge_lots(ledger, ["S-1", "S-2"], "M", person)
    hold_downstream(ledger, "S", "supplier's letter")
    split_lot(ledger, "S", [Part("S-3", "1", "kg")], person)
    assert [held.root for held in open_holds(ledger, "S-3")] == ["S"]
    for act, words in (
        (lambda: consume_lot(ledger, "S-2", "1", "g", BATCH, person), "on hold"),
        (lambda: ship_lot(ledger, "S-2", "1", "g", "A", person), "on hold"),
        (lambda: split_lot(ledger, "S", [Part("S-4", "7", "kg")], person), "6.5 kg left"),
        (lambda: split_lot(ledger, "S", [Part("S", "1", "kg"), Part("S-2", "1", "kg")], person), "is taken"),
        (lambda: split_lot(ledger, "S", [Part("S-5", "1", "L")], person), "does not convert"),
        (lambda: discard_lot(ledger, "S", "-1", "kg", "x", person), "above 0"),
        (lambda: discard_lot(ledger, "S", "1", "kg", " ", person), "reason"),
        (lambda: move_lot(ledger, "S", " ", person), "nowhere"),
    ):
        head = ledger.head
        with pytest.raises(InputError, match=words):
            act()
        assert ledger.head == head
    beside = {"P-1": Particulars(patient="token-1"), "P-2": Particulars(patient="token-2")}
    receive_lots(ledger, [lot(name, "cells") for name in beside], person, particulars=beside)
    with pytest.raises(InputError, match="for another patient"):
        merge_lots(ledger, list(beside), "P", person)
    with lot_book(ledger) as book:
        assert book.entry("S-2").particulars.location == "cold room"
        assert str(stock_in(book, "S").remaining) == "6.5"


def test_one_reference_is_one_use_and_two_at_once_cannot_take_the_last(stock):
    import threading

    ledger, person = stock
    first = consume_lot(ledger, "S", "1", "kg", BATCH, person, reference="ticket 1")
    assert consume_lot(ledger, "S", "1", "kg", BATCH, person, reference="ticket 1").id == first.id
    with pytest.raises(InputError, match="amount 1, not 2"):
        consume_lot(ledger, "S", "2", "kg", BATCH, person, reference="ticket 1")
    refused = []

    def take(ticket):
        try:
            consume_lot(ledger, "S", "6", "kg", BATCH, person, reference=ticket)
        except InputError:
            refused.append(1)

    threads = [threading.Thread(target=take, args=(f"ticket {number}",)) for number in (2, 3, 4)]
    for item in threads:
        item.start()
    for item in threads:
        item.join()
    assert len(refused) == 2
    with lot_book(ledger) as book:
        assert str(stock_in(book, "S").remaining) == "3"


def test_a_lot_with_a_retest_date_only_is_kept_until_quality_states_an_expiry(stock):
    ledger, person = stock
    texts = {"lot": "R", "material": "resin", "quantity": "5 L", "supplier": "Acme", "retest": "2027-01-01"}
    assert receive_goods(ledger, read_one(texts), person)
    assert kept(ledger, "R").until is None
    assert "tested again since 2027-01-01" in lot_faults(ledger, "R", date(2027, 1, 1))[-1]
    assert not any("expired" in reason for reason in lot_faults(ledger, "R", date(2090, 1, 1)))
    until = kept(ledger, "S").until
    assert until is not None
    merge_lots(
        ledger, ["S", *(part.subject for part in split_lot(ledger, "S", [Part("S-9", "1", "kg")], person))], "M", person
    )
    assert kept(ledger, "M").record_class == "lot"
    assert kept(ledger, "M").until == until
