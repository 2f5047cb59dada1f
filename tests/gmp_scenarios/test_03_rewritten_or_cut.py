"""Scenario 3: the chain rewritten, or its tail cut, with valid hashes: the checkpoint kept outside exposes it."""

import json
import shutil

import pytest

from seedtrain.record import anchor_path, key_path
from seedtrain.record._keys import KeyFolder
from tests.gmp_scenarios.store import Store, put_guards_back, receipt
from tests.record.ledgers import bodies, chained, rewrite, unguarded


@pytest.fixture
def store(tmp_path):
    made = Store.ready(tmp_path / "site")
    made.receive("S-1", "S-2", "S-3")
    shutil.copy(anchor_path(made.record), tmp_path / "write-once")
    return made


def stored(store):
    connection = unguarded(store.record)
    events = [json.loads(body) for body in bodies(connection)]
    connection.close()
    return events


def forged_anchors(store):
    """The attacker writes the anchors beside the ledger anew, from its checkpoints."""
    connection = unguarded(store.record)
    notes = [row[0] for row in connection.execute("SELECT note FROM checkpoint ORDER BY size")]
    connection.close()
    lines = [json.dumps({"checkpoint": note}, ensure_ascii=False, separators=(",", ":")) for note in notes]
    anchor_path(store.record).write_text("\n".join(lines) + "\n")
    put_guards_back(store.record)


def test_a_chain_rewritten_with_valid_hashes_fails_by_its_signed_roots(store):
    events = stored(store)
    changed = next(event for event in events if event["type"] == "lot.received" and event["subject"] == "S-1")
    changed["payload"]["supplier"] = "Another"
    rewrite(store.record, chained(events))
    code, words, _ = store.verified()
    assert (code, words["chain"], words["roots"]) == (1, "pass", "fail")


def test_with_the_servers_key_stolen_too_the_anchors_and_the_persons_signatures_expose_it(store, tmp_path):
    events = stored(store)
    changed = next(event for event in events if event["type"] == "lot.received" and event["subject"] == "S-1")
    changed["payload"]["supplier"] = "Another"
    rewrite(store.record, chained(events), key=KeyFolder(key_path(store.record)).server(create=False))
    code, words, _ = store.verified()
    assert (code, words["chain"], words["roots"], words["anchors"]) == (1, "pass", "pass", "fail")
    forged_anchors(store)
    _, words, _ = store.verified()
    assert (words["anchors"], words["signatures"]) == ("pass", "fail")  # S-1 was signed for, by somebody else's key
    _, words, _ = store.verified("--anchors", tmp_path / "write-once")
    assert words["anchors"] == "fail"


def cut(store, events):
    """Forget everything from the last receipt on, events and checkpoints."""
    last = next(event["seq"] for event in reversed(events) if event["type"] == "lot.received")
    connection = unguarded(store.record)
    connection.execute("DELETE FROM event WHERE seq >= ?", (last,))
    connection.execute("DELETE FROM checkpoint WHERE size >= ?", (last,))
    connection.close()
    return last


def test_a_cut_tail_is_refused_by_the_next_command_and_exposed_by_the_copy_outside(store, tmp_path):
    last = cut(store, stored(store))
    assert store.first_bad() == last
    refused = store.signed(store.who["first"], *receipt("S-4"))
    assert refused.code == 1
    assert "its tail is cut or rewritten" in refused.words
    forged_anchors(store)  # now nothing here shows it ...
    store.receive("S-3")
    assert store.verified()[0] == 0
    code, words, evidence = store.verified("--anchors", tmp_path / "write-once")
    assert (code, words["anchors"]) == (1, "fail")
    assert any(f"size {last + 1} is" in line for line in evidence), evidence  # ... but the copy outside does


def test_the_stranger_finds_it_with_the_anchors_from_outside(store, tmp_path):
    cut(store, stored(store))
    forged_anchors(store)
    assert store.stranger(tmp_path / "out")[0] == 0
    shutil.copy(tmp_path / "write-once", tmp_path / "out" / "anchors.jsonl")
    answer = store.run("record", "verify", tmp_path / "out")
    assert answer.code == 1
    assert any("the tail is cut" in line for line in answer.data["evidence"])
