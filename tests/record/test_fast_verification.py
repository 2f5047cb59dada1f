"""The fast way of verifying says what the careful way says: it accepts nothing that `_check_each` would refuse."""

import hashlib
import json
import os
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seedtrain.base import signed_bytes
from seedtrain.record import _verifier as verifier
from seedtrain.record import anchor_path, key_path, open_ledger, verify
from seedtrain.record._keys import KeyFolder
from seedtrain.record._store import SqliteStore
from tests.record.ledgers import bodies, build, first_bad, reading, unchecked, words
from tests.record.test_verifier import JSON

EVENT = {
    "seq": 7,
    "prev": "ab" * 32,
    "id": "x",
    "type": "step.value_recorded",
    "subject": "B",
    "occurred_at": "2026-03-01T08:00:00.000000Z",
    "recorded_at": "2026-03-01T08:00:00.000000Z",
    "actor": "system",
    "device": None,
    "payload": {},
    "reason": None,
    "corrects": None,
}


def accepted(layouts, line):
    """Whether the fast way takes this line for an event, and then that it reads the same out of it."""
    rows = layouts.rows(line + b"\n", [line])
    if rows is None:
        return False
    event = verifier._parse(line)
    assert event is not None
    read = [event["prev"], event["recorded_at"], str(event["seq"]), event["type"]]
    assert [item.decode() for item in rows[0]] == read
    return True


@given(st.dictionaries(st.text(st.characters(max_codepoint=127)), JSON), st.data())
def test_an_event_is_accepted_and_what_differs_from_it_in_one_byte_only_if_it_is_canonical_too(payload, data):
    line = signed_bytes({**EVENT, "payload": payload})
    layouts = verifier._Layouts()
    assert accepted(layouts, line)
    assert accepted(layouts, line)  # the second time by its layout
    at = data.draw(st.integers(0, len(line) - 1))
    new = data.draw(
        st.sampled_from([b"", b"0", b" ", b'"', b"\\", b"{", b"}", b",", b":", b"-", b"\x7f", b"\x00", b"\xff"])
    )
    changed = line[:at] + new + line[at + data.draw(st.integers(0, 1)) :]
    if b"\n" not in changed:
        event = verifier._parse(changed)
        assert accepted(verifier._Layouts(), changed) <= (event is not None)
        whole = event is not None and len(event["prev"]) == 64 and event["prev"].isascii()
        assert accepted(layouts, changed) <= (event is not None)
        assert not whole or accepted(verifier._Layouts(), changed)  # an honest ledger never needs the careful way


NOT_CANONICAL = {
    "a space": ('"seq":7', '"seq": 7'),
    "keys out of order": ('"a":1,"b":2', '"b":2,"a":1'),
    "a key twice": ('"a":1,"b":2', '"a":1,"a":2'),
    "an escape that is not needed": ('"text"', '"te\\u0078t"'),
    "a slash escaped": ('"text"', '"te\\/xt"'),
    "capital hexadecimal digits": ('"\\u001f"', '"\\u001F"'),
    "a long escape": ('"\\n"', '"\\u000a"'),
    "minus nothing": ("[1,2]", "[1,-0]"),
    "a leading nought": ("[1,2]", "[1,02]"),
    "an exponent": ("[1,2]", "[1,2e0]"),
    "a comma too many": ("[1,2]", "[1,2,]"),
    "half a pair": ('"text"', '"\\ud800"'),
    "seq as text": ('"seq":7', '"seq":"7"'),
    "prev as null": (f'"{"ab" * 32}"', "null"),
    "a field more": ('"seq":7', '"seq":7,"sequel":1'),
    "two events in a line": ('"type":"step.value_recorded"}', '"type":"step.value_recorded"},{}'),
}


@pytest.mark.parametrize(("old", "new"), NOT_CANONICAL.values(), ids=NOT_CANONICAL)
def test_the_same_data_written_in_another_way_is_refused(old, new):
    for escapes in (["\x1f", "\n"], ["plain"]):  # lines without escapes are read by a shorter expression
        line = signed_bytes({**EVENT, "payload": {"a": 1, "b": 2, "c": escapes, "d": [1, 2], "e": "text"}})
        layouts = verifier._Layouts()
        assert accepted(layouts, line)
        text = line.decode()
        assert old in text or escapes == ["plain"]
        changed = text.replace(old, new, 1).encode()
        if old in text:
            assert verifier._parse(changed) is None
            assert not accepted(layouts, changed)
            assert not accepted(verifier._Layouts(), changed)


def chained(count, link=lambda _seq, made: made[-1]):
    """Lines of events in a chain; `link` says what stands in `prev`, given the hashes made so far."""
    lines, made = [], [verifier.NO_EVENT]
    for seq in range(1, count + 1):
        lines.append(signed_bytes({**EVENT, "seq": seq, "prev": link(seq, made), "payload": {"n": seq}}))
        made.append(hashlib.sha256(lines[-1]).hexdigest())
    return lines


def examined(lines, count=None):
    chunk = verifier.Chunk(1, count or len(lines), b"\n".join(lines) + b"\n", b"", [])
    layouts = verifier._Layouts()
    known = chained(2)
    assert layouts.rows(b"\n".join(known) + b"\n", known)  # so that the lines are read by their layout
    return verifier.examine(chunk, layouts)


def test_links_of_the_wrong_length_that_are_right_one_after_the_other_are_seen():
    assert examined(chained(40))
    moved = {20: lambda made: made[-1][:63], 21: lambda made: made[-2][63:] + made[-1]}
    lines = chained(40, lambda seq, made: moved.get(seq, lambda made: made[-1])(made))
    assert examined(lines) is None
    part = examined(chained(40, lambda seq, made: made[-1] if seq > 1 else "\xe9" * 32))  # 64 bytes, and no hash
    assert part is not None
    assert part["prev"] != verifier.NO_EVENT


def test_a_line_break_within_a_text_is_seen():
    lines = chained(40)
    broken = [
        line.replace(b'"subject":"B"', b'"subject":"B\n"') if seq == 20 else line for seq, line in enumerate(lines)
    ]
    assert broken != lines
    assert examined(broken) is None
    assert examined(broken, 41) is None


@given(st.integers(1, 300), st.integers(1, 300))
@example(verifier.CHUNK, 1)
def test_the_peaks_within_a_chunk_are_those_of_the_tree(count, size):
    leaves = [verifier.leaf_hash(b"%d" % number) for number in range(count)]
    lines = chained(count)
    size = min(size, count)
    chunk = verifier.Chunk(1, count, b"\n".join(lines) + b"\n", b"", [size])
    part = verifier.examine(chunk, verifier._Layouts())
    assert part is not None
    tree = verifier.Tree()
    for line in lines[:size]:
        tree.add(verifier.leaf_hash(line))
    assert part["peaks"][0] == b"".join(tree.peaks).hex()
    assert verifier.examine(verifier.Chunk(1, count, chunk.blob, b"".join(leaves), []), verifier._Layouts()) is None


def inputs(path):
    anchors = anchor_path(path).read_text().split("\n")
    return anchors, KeyFolder(key_path(path)).server_public


def test_both_ways_give_the_same_report(tmp_path):
    path = tmp_path / "record.db"
    build(path)
    anchors, key = inputs(path)
    store = SqliteStore(path, read_only=True)
    for lines, known in ((anchors, key), (None, key), (anchors, None), ([], key)):
        fast = verifier._check_whole(store.leaves, store.notes, lines, known)
        assert fast == verifier._check_each(store.leaves, store.notes, lines, known)
    wrong = b"\x01" * 32
    assert verifier._check_whole(store.leaves, store.notes, anchors, wrong) is None
    size, root = anchors[0].split("\\n")[1:3]
    other = anchors[0].replace(f"{size}\\n{root}", f"{size}\\n{'B' if root[0] == 'A' else 'A'}{root[1:]}")
    assert other != anchors[0]
    assert verifier._check_whole(store.leaves, store.notes, [*anchors[1:], other], key) is None
    assert verifier._check_whole(lambda: (), store.notes, anchors, key) is None
    store.close()


@pytest.fixture(scope="module")
def long_ledger(tmp_path_factory):
    """Longer than what one process examines, in commits that do not meet the chunks."""
    path = tmp_path_factory.mktemp("long") / "record.db"
    with open_ledger(path) as ledger:
        while ledger.head.seq < verifier.CHUNK * (verifier.CHUNKS_HERE + 3):
            ledger.append(*(reading(number) for number in range(701)))
    return path


def test_a_long_ledger_is_examined_by_helpers_with_the_same_report(long_ledger, monkeypatch):
    anchors, key = inputs(long_ledger)
    store = SqliteStore(long_ledger, read_only=True)
    careful = verifier._check_each(store.leaves, store.notes, anchors, key)
    for helpers in (0, 1, 3):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, count=helpers: set(range(count + 1)), raising=False)
        assert verifier._check_whole(store.leaves, store.notes, anchors, key) == careful
    store.close()


def test_a_helper_that_is_killed_is_replaced_by_ourselves(long_ledger, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    assert verify(long_ledger).verdict == "pass"


@pytest.mark.slow
@settings(max_examples=25)
@given(st.data())
def test_any_flipped_bit_in_a_long_ledger_is_named(long_ledger, tmp_path_factory, data):
    import shutil

    folder = tmp_path_factory.mktemp("flip")
    shutil.copytree(long_ledger.parent, folder, dirs_exist_ok=True)
    path = folder / long_ledger.name
    connection = unchecked(path)
    stored = bodies(connection)
    seq = data.draw(st.integers(1, len(stored)))
    raw = bytearray(stored[seq - 1])
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    connection.execute("UPDATE event SET body = CAST(? AS TEXT) WHERE seq = ?", (bytes(raw), seq))
    connection.close()
    verdict = verify(path)
    assert (words(verdict)["chain"], first_bad(verdict)) == ("fail", seq)
    shutil.rmtree(folder)


def test_an_event_of_many_layouts_is_read_event_by_event():
    layouts = verifier._Layouts()
    for number in range(verifier.MOST_LAYOUTS + 5):
        assert accepted(layouts, signed_bytes({**EVENT, "payload": {f"key_{number}": [{"x": 1}]}}))
    assert len(layouts.known) == verifier.MOST_LAYOUTS
    assert json.loads(signed_bytes(EVENT))["seq"] == 7
