"""Scenario 4: a signature is replayed on another record, meaning or place: rejected, and an alert is raised."""

import json

import pytest

from seedtrain.base import InputError
from seedtrain.record import Draft, key_path, open_ledger
from seedtrain.record._keys import KeyFolder
from tests.gmp_scenarios.store import Store
from tests.record.ledgers import bodies, chained, rewrite, unguarded


@pytest.fixture
def store(tmp_path):
    made = Store.ready(tmp_path)
    made.receive("S-1", "S-2")
    return made


def signature_of(store, lot):
    return next(row for row in store.events("--subject", lot) if row["type"] == "signature.applied")


def digest_of(store, lot):
    return next(row["digest"] for row in store.events("--subject", lot) if row["type"] == "lot.received")


def replays(store):
    own = signature_of(store, "S-1")
    payload = own["payload"]
    return {
        "another record": ("S-2", {**payload, "record_digest": digest_of(store, "S-2")}, own["actor"]),
        "another meaning": ("S-1", {**payload, "meaning": "release"}, own["actor"]),
        "another person": ("S-1", payload, store.who["second"]),
        "again": ("S-1", payload, own["actor"]),
        "the newest checkpoint": ("S-1", {**payload, "checkpoint": "1:" + "00" * 32}, own["actor"]),
    }


@pytest.mark.parametrize(
    "name", ["another record", "another meaning", "another person", "again", "the newest checkpoint"]
)
def test_a_program_that_replays_a_signature_is_refused_and_raises_an_alert(store, name):
    """Whoever can run a program against the ledger, past every command, still cannot move a signature."""
    subject, payload, actor = replays(store)[name]
    before = store.events()
    for nonce in (payload["nonce"], "fresh"):
        with store.surroundings(), open_ledger(store.record) as ledger, pytest.raises(InputError):
            ledger.append(Draft("signature.applied", subject, {**payload, "nonce": nonce}, actor, id=f"{nonce}-again"))
    fresh = store.events("--after", before[-1]["seq"])
    assert [row["type"] for row in fresh] == ["alert.raised"] * 2
    alerts = store.done(None, "person", "alerts")
    assert [(row["kind"], row["subject"], row["open"]) for row in alerts] == [("signature", actor, True)] * 2
    assert all(subject in row["words"] for row in alerts)
    assert "signature" in store.said("person", "alerts")
    assert store.verified()[0] == 0


@pytest.mark.parametrize(
    "name", ["another record", "another meaning", "another person", "again", "the newest checkpoint"]
)
def test_a_replay_written_into_the_file_with_the_servers_key_is_named(store, name):
    subject, payload, actor = replays(store)[name]
    connection = unguarded(store.record)
    events = [json.loads(body) for body in bodies(connection)]
    connection.close()
    last = events[-1]
    events.append({**last, "subject": subject, "actor": actor, "payload": payload, "id": payload["nonce"]})
    rewrite(store.record, chained(events), key=KeyFolder(key_path(store.record)).server(create=False))
    assert store.verified()[1]["signatures"] == "fail"
    assert store.first_bad() == len(events)
