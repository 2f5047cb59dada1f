"""A revocation among 100,000 lots: everything downstream is on hold within seconds."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime

import pytest

from seedtrain.gmp import MaterialCertificate, issue_certificate, lot_book, open_holds, revoke_certificate
from seedtrain.record import Draft, enrol_person, open_ledger
from tests.gmp.made import lot

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LOTS, CERTIFIED, BATCHES, SECONDS = 100_000, 500, 10_000, 10


def drafts(actor):
    for number in range(LOTS):
        mine = number < CERTIFIED
        item = lot(f"L-{number}", "gelatine" if mine else f"m{number % 500}", origins=("bovine" if mine else "plant",))
        yield Draft("lot.received", item.id, item.to_data(), actor, START)
    for batch in range(BATCHES):
        sources = [f"L-{(batch * 7 + at * 9973) % LOTS}" for at in range(5)]
        sources += [f"B-{batch - 50}"] if batch >= 50 and batch % 50 == 0 else []
        sources += [f"L-{batch % CERTIFIED}"] if batch < 8000 else []
        for source in sources:
            payload = {"lot": source, "material": "m", "amount": "1", "unit": "g", "phase": "p"}
            yield Draft("lot.consumed", f"B-{batch}", payload, actor, START)


@pytest.mark.slow
def test_a_revocation_among_100_000_lots_holds_what_an_own_walk_finds(tmp_path):
    with open_ledger(tmp_path / "record.db", clock=lambda: START) as ledger:
        officer = enrol_person(ledger, "The officer", ["assurance_officer"], scripted=True)
        every = list(drafts(officer))
        for start in range(0, len(every), 10_000):
            ledger.append(*every[start : start + 10_000])
        found = MaterialCertificate("C-1", "S", "I", "", "gelatine", "Supplier", date(2026, 1, 1), None)
        issue_certificate(ledger, found, officer)
        with lot_book(ledger) as book:  # the read model is kept up in daily work
            assert "L-0" in book
        began, cpu = time.monotonic(), time.process_time()
        held = set(revoke_certificate(ledger, "C-1", "letter", officer).held)
        took, own = time.monotonic() - began, time.process_time() - cpu
        into: dict[str, set[str]] = {}
        for draft in every:
            if draft.type == "lot.consumed":
                into.setdefault(str(draft.payload["lot"]), set()).add(draft.subject)
        expected, queue = set(), [f"L-{number}" for number in range(CERTIFIED)]
        while queue:
            name = queue.pop()
            if name not in expected:
                expected.add(name)
                queue += into.get(name, ())
        assert held == expected
        assert own < SECONDS, (own, took)  # of processor time: other programs do not count
        assert open_holds(ledger, "B-7950")
        print(f"{len(held)} lots and batches on hold in {took:.1f} s ({own:.1f} CPU s)")
