"""Ledgers to attack, and the attacker's means: raw SQL with the guards off."""

import base64
import json

import apsw

from seedtrain.record import Draft, append_signed, enrol_person, open_ledger
from seedtrain.record._store import SqliteStore
from seedtrain.record._verifier import NO_EVENT, Tree, checkpoint_text, key_id, leaf_hash


def reading(number, value="7.01", batch="RHCOL3-001"):
    payload = {"phase": "production/growth/batch", "tag": "pH", "value": value, "number": number, "origin": "simulated"}
    return Draft("step.value_recorded", batch, payload, "system", "2026-03-01T08:00:00Z")


def build(path, commits=(1, 3, 1, 5, 2), signed=True):
    """A closed ledger of commits of these sizes, and a person's signature before its last commit."""
    with open_ledger(path) as ledger:
        number = 0
        for place, size in enumerate(commits):
            if signed and place == len(commits) - 1:
                operator = enrol_person(ledger, "Wang Fang", ["operator"], scripted=True)
                draft = Draft("step.checked", "RHCOL3-001", {"phase": "thaw", "meaning": "checked"}, operator)
                append_signed(ledger, draft, "checked")
            ledger.append(*(reading(number + item) for item in range(size)))
            number += size
        return ledger.head.seq


def connection_of(ledger):
    """The connection through which a SQLite ledger writes."""
    assert isinstance(ledger._store, SqliteStore)
    return ledger._store._connection


def unguarded(path):
    """A connection on which UPDATE, DELETE and INSERT go through."""
    connection = apsw.Connection(str(path))
    for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    connection.pragma("ignore_check_constraints", True)
    return connection


def unchecked(path):
    """`unguarded`, and the tables hold whatever they are given."""
    connection = unguarded(path)
    connection.execute("CREATE TABLE plain AS SELECT seq, body, leaf FROM event")
    connection.execute("DROP TABLE event")
    connection.execute("ALTER TABLE plain RENAME TO event")
    return connection


def bodies(connection):
    return [row[0] for row in connection.execute("SELECT CAST(body AS BLOB) FROM event ORDER BY seq")]


def rewrite(path, bodies_new, *, key=None):
    """Replace all events by `bodies_new` with right hashes; with the server's `key` also all checkpoints."""
    connection = unchecked(path)
    with connection:
        connection.execute("DELETE FROM event")
        for seq, body in enumerate(bodies_new, start=1):
            row = (seq, body.decode(), leaf_hash(body))
            connection.execute("INSERT INTO event (seq, body, leaf) VALUES (?, ?, ?)", row)
        if key is not None:
            _sign_again(connection, bodies_new, key)
    connection.close()


def _sign_again(connection, bodies_new, key):
    sizes = [row[0] for row in connection.execute("SELECT size FROM checkpoint ORDER BY size")]
    origin = json.loads(bodies_new[0])["payload"]["ledger"]
    connection.execute("DELETE FROM checkpoint")
    tree = Tree()
    for seq, body in enumerate(bodies_new, start=1):
        tree.add(leaf_hash(body))
        if seq in sizes or seq == len(bodies_new):
            text = checkpoint_text(origin, seq, tree.root())
            raw = key_id(origin, key.public) + key.sign(text.encode())
            note = f"{text}\n\u2014 {origin} {base64.b64encode(raw).decode()}\n"
            connection.execute("INSERT INTO checkpoint VALUES (?, ?, ?)", (seq, note, b"".join(tree.peaks)))


def chained(events):
    """The bytes of `events` (dicts) with `seq` and `prev` set right again."""
    import hashlib

    made, previous = [], NO_EVENT
    for seq, event in enumerate(events, start=1):
        event = {**event, "seq": seq, "prev": previous}
        made.append(json.dumps(event, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode())
        previous = hashlib.sha256(made[-1]).hexdigest()
    return made


def first_bad(verdict):
    """The seq that the evidence names; None if it names none."""
    marks = [item for item in verdict.evidence if item.startswith("first bad event: seq ")]
    return int(marks[0].rsplit(" ", 1)[1]) if marks else None


def words(verdict):
    return {item.name: item.verdict for item in verdict.criteria}
