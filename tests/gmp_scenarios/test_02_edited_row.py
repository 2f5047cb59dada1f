"""Scenario 2: a row is edited with the triggers dropped: the verifier names its seq, ours and the stranger's."""

import json

import pytest

from seedtrain.record._verifier import leaf_hash
from tests.gmp_scenarios.store import Store, put_guards_back
from tests.record.ledgers import unchecked, unguarded


@pytest.fixture
def store(tmp_path):
    made = Store.ready(tmp_path)
    made.receive("S-1", "S-2", "S-3")
    assert made.verified()[0] == 0
    return made


def received(store, lot):
    return next(row["seq"] for row in store.events("--subject", lot) if row["type"] == "lot.received")


def edited(connection, seq, old, new, *, leaf=False):
    (body,) = connection.execute("SELECT CAST(body AS BLOB) FROM event WHERE seq = ?", (seq,)).fetchone()
    changed = body.replace(old, new)
    assert changed != body
    connection.execute("UPDATE event SET body = ? WHERE seq = ?", (changed.decode(), seq))
    if leaf:
        connection.execute("UPDATE event SET leaf = ? WHERE seq = ?", (leaf_hash(changed), seq))


@pytest.mark.parametrize("leaf", [False, True], ids=["the row alone", "with its stored hash"])
@pytest.mark.parametrize(("old", "new"), [(b"25", b"24"), (b'"person-2"', b'"person-3"'), (b"Acme", b"Acne")])
def test_an_edited_row_is_named(store, tmp_path, old, new, leaf):
    seq = received(store, "S-2")
    connection = unguarded(store.record)
    edited(connection, seq, old, new, leaf=leaf)
    connection.close()
    assert store.first_bad() == seq
    assert store.verified()[1]["storage"] == "fail"  # the guards are gone
    code, found = store.stranger(tmp_path / "out")
    assert (code, found["verdict"], found["first_bad_seq"]) == (1, "fail", seq)


def test_nobody_acts_on_an_edited_row(store):
    seq = received(store, "S-2")
    connection = unguarded(store.record)
    edited(connection, seq, b"25", b"24")
    connection.close()
    put_guards_back(store.record)
    assert store.run("lot", "show", "S-1").code == 0  # what was not touched is read as before
    answer = store.run("lot", "show", "S-2")
    assert answer.code == 1
    assert f"seq {seq}: the event's bytes are not those that its stored hash was made of" in answer.words
    assert "seedtrain record verify" in answer.words


def test_an_edited_row_is_named_though_the_guards_are_back(store):
    seq = received(store, "S-1")
    connection = unguarded(store.record)
    edited(connection, seq, b"25", b"52", leaf=True)
    connection.close()
    put_guards_back(store.record)
    assert store.verified()[1]["storage"] == "pass"
    assert store.first_bad() == seq


@pytest.mark.parametrize("how", ["removed", "moved", "put in"])
def test_a_row_removed_moved_or_put_in_is_named(store, how):
    seq = received(store, "S-2")
    connection = unchecked(store.record)
    if how == "removed":
        connection.execute("DELETE FROM event WHERE seq = ?", (seq,))
    elif how == "moved":
        for one, other in ((seq, -1), (seq + 1, seq), (-1, seq + 1)):
            connection.execute("UPDATE event SET seq = ? WHERE seq = ?", (other, one))
    else:
        connection.execute("UPDATE event SET seq = -seq - 1 WHERE seq >= ?", (seq,))
        connection.execute("UPDATE event SET seq = -seq WHERE seq < 0")
        row = "SELECT ?, replace(body, 'S-2', 'S-9'), leaf FROM event WHERE seq = ?"
        connection.execute(f"INSERT INTO event {row}", (seq, seq + 1))
    connection.close()
    assert store.first_bad() == seq, store.verified()[2]


def test_a_lot_read_from_an_edited_row_does_not_change_what_the_signature_says(store):
    """The person's signature is over the digest of the event: whoever edits it has to sign as that person."""
    seq = received(store, "S-2")
    connection = unguarded(store.record)
    edited(connection, seq, b"25", b"24", leaf=True)
    connection.close()
    rows = store.events("--subject", "S-2")
    signature = next(row for row in rows if row["type"] == "signature.applied")
    assert signature["payload"]["record_digest"] != next(row for row in rows if row["seq"] == seq)["digest"]
    assert json.dumps(store.verified()[2]).count("signatures:") >= 1
