"""A backup taken while the ledger is written verifies, restores, and is never made of a ledger that does not."""

import shutil
import threading

import pytest

from seedtrain.base import InputError, IntegrityError
from seedtrain.record import anchor_path, backup, key_path, open_ledger, verify
from tests.record.ledgers import build, reading, unguarded


def test_a_copy_taken_while_threads_append_verifies_restores_and_goes_on(tmp_path):
    path = tmp_path / "live" / "record.db"
    build(path)
    stop = threading.Event()
    with open_ledger(path) as ledger:

        def write():
            while not stop.is_set():
                ledger.append(reading(1))

        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        verdicts = [backup(path, tmp_path / f"copy-{number}") for number in range(3)]
        stop.set()
        for thread in threads:
            thread.join()
    assert [verdict.verdict for verdict in verdicts] == ["pass"] * 3
    stored = {path.name, anchor_path(path).name}
    assert {item.name for item in (tmp_path / "copy-2").iterdir()} == stored  # no keys
    restored = tmp_path / "copy-2" / path.name
    shutil.copytree(key_path(path), key_path(restored))
    with open_ledger(restored, create=False) as ledger:
        ledger.append(reading(2))
    assert verify(restored).verdict == "pass"
    assert verify(path).verdict == "pass"


def test_a_backup_older_than_its_anchors_is_not_taken_up_again_in_silence(tmp_path):
    """Restoring the events without what came after them is a cut tail, and the newer anchors say so."""
    path = tmp_path / "live" / "record.db"
    build(path)
    backup(path, tmp_path / "copy")
    with open_ledger(path) as ledger:
        ledger.append(reading(1))
    shutil.copy(tmp_path / "copy" / path.name, path)
    with pytest.raises(IntegrityError, match="cut"):
        open_ledger(path)


def test_a_ledger_that_does_not_verify_gives_no_backup_and_a_taken_folder_is_left_alone(tmp_path):
    path = tmp_path / "live" / "record.db"
    build(path)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    with pytest.raises(InputError, match="taken"):
        backup(path, tmp_path / "taken")
    with pytest.raises(InputError, match="no such ledger"):
        backup(tmp_path / "none.db", tmp_path / "copy")
    connection = unguarded(path)
    connection.execute("UPDATE event SET body = replace(body, '7.01', '7.00') WHERE seq = 5")
    connection.close()
    with pytest.raises(IntegrityError, match="seq 5"):
        backup(path, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
