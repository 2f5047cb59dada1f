"""100,000 lots: traces, the recall list and a hold in seconds, and the same as an own walk over all events."""

import json
import random
import time
from datetime import date

import pytest

from seedtrain.gmp import (
    hold_downstream,
    import_lots,
    lot_book,
    open_holds,
    recall_list,
    receive_lots,
    received_lot,
    write_epcis,
)
from seedtrain.quality import Constituent, Lot
from seedtrain.quantity import Quantity
from seedtrain.record import Draft, enrol_person, open_ledger, rebuild

RAW, PRODUCED = 30_000, 70_000
AT_ONCE = 5_000


def used(batch, name, person):
    payload = {"lot": name, "material": "m", "amount": "10", "unit": "g", "phase": "p", "origin": "simulated"}
    return Draft("lot.consumed", batch, payload, person)


def batches(person):
    """Products of three raw lots and, nearly always, of an earlier product: everything hangs together."""
    rng = random.Random(7)
    for number in range(PRODUCED):
        batch = f"B-{number}"
        sources = [f"RAW-{rng.randrange(RAW)}" for _ in range(3)] if number else ["RAW-0"]
        if 0 < number < PRODUCED * 0.98:
            sources.append(f"B-{rng.randrange(max(1, number // 3))}")
        yield Draft("batch.created", batch, {"recipe": "r", "origin": "simulated"}, person)
        for name in dict.fromkeys(sources):
            yield used(batch, name, person)
        made = {"lot": batch, "material": "product", "amount": "100", "unit": "g", "from": [], "origin": "simulated"}
        yield Draft("lot.produced", batch, made, person)
        if number % 10 == 0:
            sent = {"amount": "5", "unit": "g", "material": "product", "to": f"Clinic {number % 97}"}
            yield Draft("lot.shipped", batch, sent, person)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    with open_ledger(tmp_path_factory.mktemp("many") / "record.db") as ledger:
        person = enrol_person(ledger, "Many", ["quality_control", "warehouse", "qa"], scripted=True)
        inside = (Constituent("sugar", "plant"),)
        lots = [
            Lot(f"RAW-{number}", "m", "S", Quantity(100, "kg"), date(2030, 1, 1), "released", inside)
            for number in range(RAW)
        ]
        for at in range(0, RAW, AT_ONCE):
            receive_lots(ledger, lots[at : at + AT_ONCE], person)
        pending = []
        for draft in batches(person):
            pending.append(draft)
            if len(pending) == AT_ONCE:
                ledger.append(*pending)
                pending = []
        ledger.append(*pending)
        yield ledger, person


class Clock:
    """Says what took how long, and stops what takes too long."""

    def __init__(self):
        self.told: list[str] = []

    def __call__(self, words, most, act):
        began, cpu = time.perf_counter(), time.process_time()
        found = act()
        seconds, own = time.perf_counter() - began, time.process_time() - cpu
        self.told.append(f"{words}: {seconds:.2f} s ({own:.2f} CPU s)")
        assert own < most, self.told
        return found


@pytest.mark.slow
def test_a_hundred_thousand_lots_are_traced_recalled_and_held_in_seconds(many, tmp_path, capsys):
    ledger, person = many
    clock = Clock()

    def first():
        with lot_book(ledger) as book:
            return sum(1 for _ in book.entries())

    assert clock("read model of 100,000 lots made", 120, first) == RAW + PRODUCED
    into: dict[str, list[str]] = {}
    for event in ledger.events(type="lot.consumed"):
        into.setdefault(event.payload["lot"], []).append(event.subject)
    reached, queue = {"RAW-0"}, ["RAW-0"]
    for here in queue:
        fresh = [name for name in into.get(here, ()) if name not in reached]
        reached.update(fresh)
        queue += fresh
    recall = clock(f"recall of {len(reached)} lots", 30, lambda: recall_list(ledger, "RAW-0"))
    assert {item.entry.id for item in recall.downstream} == reached
    assert sum(len(item.shipments) for item in recall.downstream) == sum(
        1 for event in ledger.events(type="lot.shipped") if event.subject in reached
    )
    few = clock("recall of a late lot", 1, lambda: recall_list(ledger, "B-69000"))
    assert len(few.downstream) == 1

    def back():
        with lot_book(ledger) as book:
            return book.genealogy("B-68000")

    assert len(clock("everything that went into one product", 1, back)) > 4
    order = clock(f"hold of {len(reached)} lots", 60, lambda: hold_downstream(ledger, "RAW-0", "certificate C-7"))
    assert order.fresh == len(reached)
    held = max(reached, key=lambda name: (len(name), name))
    assert open_holds(ledger, held)
    root = received_lot(ledger, "RAW-0")
    assert root is not None
    assert root.status == "quarantined"
    assert all(item.identical for item in clock("all read models made again", 180, lambda: rebuild(ledger)))
    count = clock("EPCIS of everything", 180, lambda: write_epcis(ledger, tmp_path / "events.jsonld"))
    with (tmp_path / "events.jsonld").open(encoding="utf-8") as stream:
        assert len(json.load(stream)["epcisBody"]["eventList"]) == count
    rows = "".join(f"N-{number},sugar,1 kg,S,2030-01-01\n" for number in range(20_000))
    (tmp_path / "lots.csv").write_text("lot,material,quantity,supplier,expiry\n" + rows)
    made = clock("CSV of 20,000 lots", 60, lambda: import_lots(ledger, tmp_path / "lots.csv", person))
    assert len(made.fresh) == 20_000
    with capsys.disabled():
        print("", *clock.told, sep="\n")
