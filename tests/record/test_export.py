"""The export and its one-file verifier, run where Seedtrain cannot be imported."""

import json
import shutil
import site
import subprocess
import sys

import pytest

from seedtrain.base import InputError
from seedtrain.record import export, open_ledger, verify
from tests.record.ledgers import build, first_bad, reading


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    build(folder / "record.db")
    export(folder / "record.db", folder / "out")
    return folder / "out"


def stranger(folder, *options):
    """Run `verify.py` without the site module: the packages are there, the editable Seedtrain is not."""
    packages = site.getsitepackages()
    program = (
        f"import sys, runpy; sys.path += {packages!r}\n"
        "try:\n    import seedtrain\n    sys.exit('seedtrain can be imported')\nexcept ImportError:\n    pass\n"
        f"sys.argv = ['verify.py', {str(folder)!r}, *{list(options)!r}]\n"
        f"runpy.run_path({str(folder / 'verify.py')!r}, run_name='__main__')"
    )
    command = [sys.executable, "-I", "-S", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=folder)
    return done.returncode, json.loads(done.stdout) if done.stdout.startswith("{") else done.stderr


def test_a_stranger_verifies_the_export_and_agrees_with_us(exported):
    code, report = stranger(exported)
    assert (code, report["verdict"]) == (0, "pass"), report
    assert (report["events"], report["signatures"]) == (16, 1)
    assert verify(exported).verdict == "pass"
    key = json.loads((exported / "keys.json").read_text())["server_public_key"]
    assert stranger(exported, "--key", key)[0] == 0
    assert stranger(exported, "--key", "ab" * 32)[0] == 1
    assert stranger(exported, "--key")[0] == 2


def change(text, old, new):
    assert old in text
    return text.replace(old, new, 1)


DAMAGE = {
    "a value": ("events.jsonl", lambda text: change(text, '"7.01"', '"7.00"'), "fail", 2),
    "the tail": ("events.jsonl", lambda text: "".join(text.splitlines(keepends=True)[:-1]), "fail", 16),
    "an event": ("events.jsonl", lambda text: "".join(text.splitlines(keepends=True)[1:]), "fail", 1),
    "a checkpoint": ("checkpoints.jsonl", lambda text: "".join(text.splitlines(keepends=True)[:-1]), "fail", 15),
    "the anchors": ("anchors.jsonl", lambda text: "", "inconclusive", None),
}


@pytest.mark.parametrize(("name", "edit", "expected", "seq"), DAMAGE.values(), ids=DAMAGE)
def test_a_stranger_sees_damage_and_agrees_with_us(exported, tmp_path, name, edit, expected, seq):
    folder = tmp_path / "out"
    shutil.copytree(exported, folder)
    (folder / name).write_text(edit((folder / name).read_text()))
    code, report = stranger(folder)
    assert code == {"fail": 1, "inconclusive": 3}[expected]
    assert report["first_bad_seq"] == seq
    verdict = verify(folder)
    assert (verdict.verdict, first_bad(verdict)) == (expected, seq)


@pytest.mark.parametrize("name", ["certificate.pdf", "old/events.jsonl", ".hidden"])
def test_a_file_that_was_put_into_the_folder_is_named(exported, tmp_path, name):
    folder = tmp_path / "out"
    shutil.copytree(exported, folder)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("nobody vouches for this")
    code, report = stranger(folder)
    assert (code, report["verdict"], report["first_bad_seq"]) == (1, "fail", None)
    assert [(fault["criterion"], fault["words"].split()[0]) for fault in report["findings"]] == [("files", name)]
    verdict = verify(folder)
    assert verdict.verdict == "fail"
    assert any(name in line for line in verdict.evidence)


def test_without_the_leaf_hashes_the_damage_is_still_seen(exported, tmp_path):
    folder = tmp_path / "out"
    shutil.copytree(exported, folder)
    (folder / "leaves.txt").unlink()
    assert stranger(folder)[0] == 0
    events = folder / "events.jsonl"
    events.write_text(change(events.read_text(), '"7.01"', '"7.00"'))
    code, report = stranger(folder)
    assert (code, report["first_bad_seq"]) == (1, 2)


def test_what_cannot_be_read_is_said_and_a_taken_folder_is_left_alone(exported, tmp_path):
    (tmp_path / "verify.py").write_bytes((exported / "verify.py").read_bytes())
    code, words = stranger(tmp_path)
    assert code == 2
    assert "keys.json" in words
    with pytest.raises(InputError, match="not an export"):
        verify(tmp_path)
    with pytest.raises(InputError, match="taken"):
        export(exported.parent / "record.db", tmp_path)
    with pytest.raises(InputError, match="no such ledger"):
        export(tmp_path / "none.db", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_ledger_in_use_can_be_exported_and_verified(tmp_path):
    build(tmp_path / "record.db")
    with open_ledger(tmp_path / "record.db") as ledger:
        ledger.append(reading(99))
        export(tmp_path / "record.db", tmp_path / "out")
        assert verify(tmp_path / "record.db").verdict == "pass"
    assert verify(tmp_path / "out").verdict == "pass"
