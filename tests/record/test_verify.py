"""Attacks: whatever is changed, removed, inserted or cut is found, and the first bad event is named."""

import json
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.record import anchor_path, key_path, open_ledger, verify
from seedtrain.record._keys import KeyFolder
from tests.record.ledgers import (
    bodies,
    build,
    chained,
    first_bad,
    reading,
    rewrite,
    unchecked,
    unguarded,
    words,
)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    path = tmp_path_factory.mktemp("original") / "record.db"
    build(path)
    return path


@pytest.fixture
def path(original, tmp_path):
    return copy(original, tmp_path)


def copy(original, folder):
    shutil.copytree(original.parent, folder, dirs_exist_ok=True)
    return folder / original.name


def test_an_untouched_ledger_passes_on_every_criterion(path):
    verdict = verify(path)
    assert verdict.verdict == "pass"
    names = {"chain", "roots", "signatures", "anchors", "key", "storage"}
    assert words(verdict) == dict.fromkeys(names, "pass")
    assert set(verdict.to_data()) == {"verdict", "criteria", "evidence", "versions", "seed"}


SIZE = 16  # events of `build`: created, 1 + 3 + 1 + 5, enrolled, checked, signature, 2


@settings(max_examples=40)
@given(seq=st.integers(1, SIZE), place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_flipped_bit_of_any_event_names_that_event(original, tmp_path_factory, seq, place, bit):
    path = copy(original, tmp_path_factory.mktemp("flip"))
    connection = unchecked(path)
    assert len(bodies(connection)) == SIZE
    raw = bytearray(bodies(connection)[seq - 1])
    raw[int(place * len(raw))] ^= 1 << bit
    connection.execute("UPDATE event SET body = CAST(? AS TEXT) WHERE seq = ?", (bytes(raw), seq))
    connection.close()
    verdict = verify(path)
    assert verdict.verdict == "fail"
    assert first_bad(verdict) == seq
    assert words(verdict)["chain"] == "fail"
    assert words(verdict)["storage"] == "fail"  # the guards are gone


@pytest.mark.parametrize("seq", range(1, SIZE + 1))
def test_a_value_edited_with_its_stored_hash_names_the_commit_or_the_event(path, seq):
    """The attacker also mends the stored leaf hash; the signed roots still bracket the event."""
    connection = unguarded(path)
    from seedtrain.record._verifier import leaf_hash

    body = bodies(connection)[seq - 1].replace(b'"type":"', b'"type":"x')
    connection.execute("UPDATE event SET body = ?, leaf = ? WHERE seq = ?", (body.decode(), leaf_hash(body), seq))
    connection.close()
    verdict = verify(path)
    assert verdict.verdict == "fail"
    assert words(verdict)["roots"] == "fail"
    last_of_earlier_commit = max(size for size in (0, 1, 2, 5, 6, 11, 12, 14, 16) if size < seq)
    assert last_of_earlier_commit < first_bad(verdict) <= seq


@pytest.mark.parametrize("seq", range(1, SIZE))
def test_a_removed_event_is_named(path, seq):
    connection = unguarded(path)
    connection.execute("DELETE FROM event WHERE seq = ?", (seq,))
    connection.close()
    verdict = verify(path)
    assert words(verdict)["chain"] == "fail"
    assert first_bad(verdict) == seq


@pytest.mark.parametrize("seq", range(1, SIZE))
def test_two_events_that_changed_places_are_named(path, seq):
    connection = unchecked(path)
    here = bodies(connection)
    for at, body in ((seq, here[seq]), (seq + 1, here[seq - 1])):
        connection.execute("UPDATE event SET body = ? WHERE seq = ?", (body.decode(), at))
    connection.close()
    verdict = verify(path)
    assert words(verdict)["chain"] == "fail"
    assert first_bad(verdict) == seq


@pytest.mark.parametrize("seq", [2, 7, SIZE])
def test_an_inserted_event_is_named(path, seq):
    connection = unguarded(path)
    events = [json.loads(body) for body in bodies(connection)]
    connection.close()
    forged = {**events[1], "id": "forged", "payload": {"value": "7.00"}}
    rewrite(path, chained([*events[: seq - 1], forged, *events[seq - 1 :]]))
    verdict = verify(path)
    assert verdict.verdict == "fail"
    assert words(verdict)["roots"] == "fail"
    assert first_bad(verdict) <= seq


@pytest.mark.parametrize("kept", [14, 12, 1])
def test_a_cut_tail_is_seen_by_the_anchors_alone(path, kept):
    connection = unguarded(path)
    connection.execute("DELETE FROM event WHERE seq > ?", (kept,))
    connection.execute("DELETE FROM checkpoint WHERE size > ?", (kept,))
    connection.close()
    verdict = verify(path)
    assert words(verdict)["chain"] == words(verdict)["roots"] == "pass"
    assert words(verdict)["anchors"] == "fail"
    assert first_bad(verdict) == kept + 1


def test_a_tail_cut_within_a_commit_is_seen(path):
    connection = unguarded(path)
    connection.execute("DELETE FROM event WHERE seq > ?", (SIZE - 1,))
    connection.close()
    verdict = verify(path)
    assert words(verdict)["roots"] == "fail"
    assert first_bad(verdict) == SIZE


def test_a_ledger_rewritten_with_valid_hashes_and_the_servers_key_is_exposed_by_the_anchors(path):
    connection = unguarded(path)
    events = [json.loads(body) for body in bodies(connection)]
    connection.close()
    events[3]["payload"]["value"] = "7.00"
    events = [event for event in events if event["type"] != "signature.applied"]  # no person's key is in his hands
    rewrite(path, chained(events), key=KeyFolder(key_path(path)).server(create=False))
    verdict = verify(path)
    assert words(verdict)["chain"] == words(verdict)["roots"] == words(verdict)["signatures"] == "pass"
    assert words(verdict)["anchors"] == "fail"
    assert first_bad(verdict) <= 4


def test_without_anchors_or_an_outside_key_nothing_passes(path):
    copied = anchor_path(path).read_bytes()
    anchor_path(path).unlink()
    assert verify(path).verdict == "inconclusive"
    elsewhere = path.parent / "worm.anchors"
    elsewhere.write_bytes(copied)
    assert verify(path, elsewhere).verdict == "pass"
    key = KeyFolder(key_path(path)).server_public
    assert key is not None
    shutil.rmtree(key_path(path))
    assert words(verify(path, elsewhere))["key"] == "inconclusive"
    assert verify(path, elsewhere, server_key=key.hex()).verdict == "pass"
    assert words(verify(path, elsewhere, server_key="ab" * 32))["key"] == "fail"
    with pytest.raises(InputError):
        verify(path, server_key="ab")


def test_an_empty_or_foreign_anchor_file_is_not_a_pass(path, tmp_path):
    anchor_path(path).write_text("")
    assert words(verify(path))["anchors"] == "inconclusive"
    build(tmp_path / "other" / "record.db")
    shutil.copy(anchor_path(tmp_path / "other" / "record.db"), anchor_path(path))
    assert words(verify(path))["anchors"] == "fail"


@pytest.mark.parametrize("size", [1, 6, SIZE])
def test_a_removed_checkpoint_is_found(path, size):
    connection = unguarded(path)
    connection.execute("DELETE FROM checkpoint WHERE size = ?", (size,))
    connection.close()
    verdict = verify(path)
    assert verdict.verdict == "fail"
    assert words(verdict)["anchors"] == "fail"
    assert words(verdict)["roots"] == ("fail" if size == SIZE else "pass")


@settings(max_examples=25)
@given(size=st.sampled_from([1, 2, 5, 6, 11, 12, 14, SIZE]), place=st.floats(0, 1, exclude_max=True))
def test_any_changed_character_of_a_checkpoint_is_found(original, tmp_path_factory, size, place):
    path = copy(original, tmp_path_factory.mktemp("note"))
    connection = unguarded(path)
    note = connection.execute("SELECT note FROM checkpoint WHERE size = ?", (size,)).get
    at = int(place * len(note))
    changed = note[:at] + ("A" if note[at] != "A" else "B") + note[at + 1 :]
    connection.execute("UPDATE checkpoint SET note = ? WHERE size = ?", (changed, size))
    connection.close()
    assert verify(path).verdict == "fail"


@settings(max_examples=25)
@given(st.data())
def test_any_flipped_bit_of_the_file_is_found_or_changes_nothing(original, tmp_path_factory, data):
    """Bytes of the raw file: free space may change unseen, and then every event reads as before."""
    path = copy(original, tmp_path_factory.mktemp("raw"))
    raw = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(raw)
    try:
        verdict = verify(path).verdict
    except InputError:  # the file does not say any more that it is a ledger
        return
    if verdict == "pass":
        with open_ledger(original, read_only=True) as before, open_ledger(path, read_only=True) as after:
            assert [event.body for event in before.events()] == [event.body for event in after.events()]


def test_a_backup_that_was_restored_verifies_again(path, tmp_path):
    restored = copy(path, tmp_path / "restored")
    assert verify(restored).verdict == "pass"
    with open_ledger(restored) as ledger:
        ledger.append(reading(99))
    assert verify(restored).verdict == "pass"
