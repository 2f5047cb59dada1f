"""Scenario 15, certificates and species tests: one is revoked or fails, and every downstream lot is held in seconds.

Traces both ways by their own commands; the same from the EPCIS export stands in the other file of this scenario.
"""

from __future__ import annotations

import json
import time

import pytest

from tests.gmp_scenarios.hand import BATCH, SALTS, WATER, Bench
from tests.worked import called

FOUND = "role,target,cq\nsample,porcine,24.1\nsample,porcine,24.3\nsample,porcine,24.0\nblank,porcine,\n"
FOUND += "sample,control,22\nblank,control,\ncontrol,porcine,20\n"
SECONDS = 10


@pytest.fixture
def bench(tmp_path):
    """A batch that took two salts of one supplier, and a second one that took only water."""
    found = Bench.ready(tmp_path)
    found.who["officer"] = found.enrol("The officer", "assurance_officer")
    issue = ("assurance", "certificate", "issue", "C-7", "--scheme", "BPJPH", "--issuer", "BPJPH")
    found.by("officer", *issue, "--material", "sodium-chloride", "--supplier", "Supplier", "--valid-from", "2026-01-01")
    found.start()
    for phase in (WATER, SALTS):
        found.run_phase(phase)
    return found


def holds(bench, lot):
    return bench.done(None, "lot", "show", lot)["holds"]


def names(rows):
    return {row["lot"] for row in rows}


def test_a_revoked_certificate_holds_what_was_made_and_the_trace_is_the_same_both_ways(bench):
    assert not holds(bench, "NACL-1")
    began = time.monotonic()
    revoked = bench.by("officer", "assurance", "certificate", "revoke", "C-7", "--reason", "withdrawn by the issuer")
    assert time.monotonic() - began < SECONDS
    assert revoked["held"] == ["NACL-1", BATCH]
    trace = bench.done(None, "lot", "trace", "NACL-1", "--to", "products")
    assert names(trace["products"]) == set(revoked["held"])
    back = bench.done(None, "lot", "trace", BATCH, "--to", "sources")
    assert {"NACL-1", "KCL-1", "WFI-1"} <= names(back["sources"])
    assert all(holds(bench, lot) for lot in revoked["held"])
    assert not any(holds(bench, lot) for lot in ("KCL-1", "WFI-1", "BOTTLE-1"))
    again = bench.by("officer", "assurance", "certificate", "revoke", "C-7", "--reason", "withdrawn by the issuer")
    assert again["held"] == revoked["held"]
    assert not any(order["fresh"] for order in again["orders"])


def test_a_certificate_whose_paper_is_not_there_is_refused_and_none_is_recorded(bench):
    issue = ("assurance", "certificate", "issue", "C-9", "--scheme", "BPJPH", "--issuer", "BPJPH")
    of = ("--material", "water", "--supplier", "Supplier", "--valid-from", "2026-01-01")
    answer = bench.signed(bench.who["officer"], *issue, *of, "--document", "no-such-paper.pdf")
    assert answer.code == 2
    assert "no-such-paper.pdf" in answer.words
    assert [row["number"] for row in bench.done(None, "assurance", "certificate", "list")] == ["C-7"]


def test_what_is_made_of_a_held_lot_afterwards_is_held_and_a_renewed_certificate_lifts_it_by_hand(bench):
    revoked = bench.by("officer", "assurance", "certificate", "revoke", "C-7", "--reason", "withdrawn by the issuer")
    hold = revoked["orders"][0]["hold"]
    judged = bench.run("assurance", "judge", BATCH, "--rules", "has-23000")
    by_name = {item["name"]: item for item in judged.data["criteria"]}
    assert by_name["nonconforming product"]["verdict"] == "fail"
    renew = ("assurance", "certificate", "issue", "C-8", "--scheme", "BPJPH", "--issuer", "BPJPH")
    bench.by("officer", *renew, "--material", "sodium-chloride", "--supplier", "Supplier", "--valid-from", "2026-01-01")
    assert holds(bench, BATCH)  # nothing is lifted by itself
    bench.by("qa", "lot", "lift", hold, "--reason", "certificate C-8 covers the same lots")
    assert not holds(bench, BATCH)
    assert not holds(bench, "NACL-1")


def test_a_species_test_that_fails_holds_everything_downstream(bench):
    table = bench.folder / "wells.csv"
    table.write_text(FOUND)
    said = called("verify", "species", table, "--json")
    assert said.document["verdict"] == "fail", said.out
    verdict = bench.folder / "verdict.json"
    verdict.write_text(json.dumps(said.document))
    recorded = bench.by("officer", "assurance", "species", "KCL-1", verdict)
    assert [row["lot"] for row in recorded["order"]["lots"]] == ["KCL-1", BATCH]
    assert holds(bench, BATCH)
    assert not holds(bench, "NACL-1")
    verdict.write_text("{")
    assert bench.refused("officer", "assurance", "species", "KCL-1", verdict).data["errors"][0]["line"] == 1
