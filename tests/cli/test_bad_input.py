"""Bad input: typed, with place, value and remedy, all faults of all files at once, and nothing half-written."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.worked import COLLAGEN, ROOT, called, command, copied, edit, forget, run_stages

STOP = "GERGAPGFRGPAGPNGIPGEKGPAGERGAP"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The worked example as the user has it, before any run."""
    folder = tmp_path / "collagen"
    folder.mkdir()
    for path in COLLAGEN.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    return folder


# file, what stands there, what is written instead, what the error must say
FAULTS = {
    "unknown attribute": ("need.yaml", "attribute: titre", "attribute: tiitre", ("'tiitre'", "Did you mean 'titre'?")),
    "unit of another dimension": ("need.yaml", "value: 4 g/L", "value: 4 L/h", ("4 L/h", "concentration")),
    "unknown operator": (
        "need.yaml",
        'operator: "<="\n    value: 0.5 EU',
        'operator: "=="\n    value: 0.5 EU',
        ("'=='", "<="),
    ),
    "unknown origin": ("need.yaml", "value: porcine", "value: pork", ("'pork'", "porcine")),
    "negative limit": ("need.yaml", "value: 400 kg CO2e/kg", "value: -400 kg CO2e/kg", ("-400", "negative")),
    "weight out of range": ("need.yaml", "weight: 1\n", "weight: 11\n", ("11", "0 .. 10")),
    "product file missing": (
        "need.yaml",
        "product: product.fasta",
        "product: nothing.fasta",
        ("nothing.fasta", "FASTA"),
    ),
    "wrong unit": ("recipe.yaml", "pressure: 80 MPa", "pressure: 80 mL", ("80 mL", "pressure")),
    "unknown phase": ("recipe.yaml", "do: homogenise", "do: homogenize", ("'homogenize'", "homogenise")),
    "negative volume": ("recipe.yaml", "volume: 5 mL, inducer", "volume: -5 mL, inducer", ("-5 mL", "0")),
    "overfilling": ("recipe.yaml", "rate: 6.2 mL/h", "rate: 62 mL/h", ("BENCH-1L", "0.8 L")),
    "unknown unit of the basis": ("recipe.yaml", "unit: BENCH-1L", "unit: BENCH-9L", ("'BENCH-9L'", "BENCH-1L")),
    "unknown culture": (
        "recipe.yaml",
        "culture: ecoli_balanced",
        "culture: ecoli_balancd",
        ("ecoli_balancd", "ecoli_balanced"),
    ),
    "parameter missing": (
        "recipe.yaml",
        "set: {flux: 4e-9 m/s, solids_fraction: 0.5,",
        "set: {solids_fraction: 0.5,",
        ("flux",),
    ),
    "strategy of no phase": (
        "recipe.yaml",
        "at: production/growth/fed-batch",
        "at: production/growth/fed",
        ("production/growth/fed",),
    ),
    "unit missing": ("plant.yaml", "nominal_volume: 200 L", "volume: 200 L", ("nominal_volume",)),
    "seed vessel missing": (
        "plant.yaml",
        "seeds: [FLASK-500, SEED-20]",
        "seeds: [FLASK-500, SEED-21]",
        ("'SEED-21'", "SEED-20"),
    ),
    "no pilot vessel": ("plant.yaml", "scale: pilot", "scale: seed", ("scale: pilot",)),
    "fault in no unit": ("plant.yaml", "unit: PILOT-200\n", "unit: PILOT-2\n", ("'PILOT-2'", "PILOT-200")),
    "origin of no kind": (
        "plant.yaml",
        "{name: maize starch, origin: plant}",
        "{name: maize starch, origin: vegetable}",
        ("vegetable", "plant"),
    ),
    "expiry no date": ("plant.yaml", "expiry: 2031-03-31", "expiry: 2031-02-31", ("2031-02-31",)),
    "duplicate key": (
        "plant.yaml",
        "    supplier: Starchworks (invented)\n",
        "    supplier: A\n    supplier: B\n",
        ("'supplier'", "twice"),
    ),
    "unknown key": ("need.yaml", "company:", "firm:", ("'firm'",)),
    "stop codon inside": ("product.fasta", f"{STOP}{STOP}", f"{STOP}*{STOP}", ("'*'", "stop codon")),
}
ELSEWHERE = {
    "negative volume",
    "duplicate key",
    "overfilling",
    "unit missing",
    "no pilot vessel",
    "product file missing",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_with_its_place_value_and_remedy_and_nothing_is_written(program, fault) -> None:
    file, old, new, words = FAULTS[fault]
    path = program / file
    text = path.read_text()
    if file == "product.fasta":
        path.write_text(text.replace(old, new, 1))
        changed = range(2, 10)
    else:
        first = edit(path, old, new)
        changed = range(first, first + new.count("\n") + 1)
    said = called("run", program)
    assert said.code == 2, said.out + said.err
    assert said.out == ""
    assert all(word in said.err for word in words), said.err
    assert "remedy: " in said.err
    assert f"{path}:" in said.err
    place = said.err.split(f"{path}:")[1].split(" ")[0].rstrip(":").split(":")
    assert len(place) == 2
    assert min(int(number) for number in place) >= 1
    if fault not in ELSEWHERE:
        assert int(place[0]) in changed, said.err
    if file != "product.fasta":
        assert "^" in said.err.splitlines()[-1] or "^\n" in said.err, said.err
    assert not (program / "out").exists()
    # the same for machines: one document
    document = called("run", program, "--json").document
    assert document["exit_code"] == 2
    assert any(entry["line"] == int(place[0]) and entry["remedy"] for entry in document["errors"])


def test_all_faults_of_all_files_come_at_once(program) -> None:
    edit(program / "need.yaml", "attribute: titre", "attribute: tiitre")
    edit(program / "need.yaml", "value: porcine", "value: porc")
    edit(program / "plant.yaml", "seeds: [FLASK-250]", "seeds: [FLASK-251]")
    edit(program / "recipe.yaml", "do: homogenise", "do: homogenize")
    edit(program / "recipe.yaml", "pressure: 80 MPa", "pressure: 80 mL")
    said = command("run", program, "--json")
    assert said.code == 2
    entries = said.document["errors"]
    files = [Path(entry["file"]).name for entry in entries]
    assert {"need.yaml", "plant.yaml", "recipe.yaml"} == set(files)
    assert all(entry["line"] and entry["column"] and entry["remedy"] for entry in entries), entries
    assert not (program / "out").exists()
    printed = called("run", program)
    assert printed.code == 2
    assert f"{len(entries)} faults" in printed.err
    assert "Traceback" not in printed.err


@pytest.mark.parametrize("file", ["need.yaml", "plant.yaml", "recipe.yaml", "product.fasta"])
@pytest.mark.parametrize("kind", ["missing", "empty", "binary", "folder", "huge nesting"])
def test_what_is_no_such_file_at_all(program, file, kind) -> None:
    path = program / file
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind != "missing":
        content = {"empty": b"", "binary": bytes(range(256)) * 40, "huge nesting": b"[" * 5000}[kind]
        path.write_bytes(content)
    said = called("run", program, "--json")
    assert said.code == 2, said.out + said.err
    entries = said.document["errors"]
    assert any(entry["file"] and Path(entry["file"]).name == file for entry in entries) or file == "product.fasta"
    assert all(entry["message"] for entry in entries)
    assert not (program / "out").exists()


def test_a_folder_that_is_none(tmp_path, program) -> None:
    said = called("run", tmp_path / "nothing")
    assert said.code == 2
    assert "there is no such folder" in said.err
    assert "seedtrain new" in said.err
    said = called("run", program / "recipe.yaml")
    assert said.code == 2
    assert "is a file" in said.err


def test_options_and_commands_that_are_none() -> None:
    for words in (["nonsense"], ["run"], ["run", "x", "--nonsense"], ["run", "x", "--seed", "one"], ["record", "x"]):
        said = called(*words)
        assert (said.code, said.out) == (2, ""), words
        assert said.err
        document = called(*words, "--json").document
        assert document["exit_code"] == 2
        assert document["errors"][0]["message"]


def test_a_negative_seed_is_refused(program) -> None:
    said = called("run", program, "--seed", "-1", "--json")
    assert said.code == 2
    assert "-1" in said.document["errors"][0]["message"]
    assert not (program / "out").exists()


# disks and neighbours


def test_a_place_that_cannot_be_written_is_unavailable(program) -> None:
    (program / "out").write_text("a file where the folder should be")
    said = called("run", program, "--json")
    assert said.code == 4
    assert said.document["exit_code"] == 4
    assert said.document["errors"][0]["remedy"]


@pytest.mark.parametrize(("stage", "bytes_"), [("bench", 20_000), ("batch", 200_000), ("dossier", 60_000)])
def test_a_full_disk_stops_the_run_and_the_same_command_goes_on(easy, easy_finished, stage, bytes_) -> None:
    """A limit on the size of files stands for the full disk: the same call fails in the same place."""
    forget(easy, stage)

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, bytes_))

    said = command("run", easy, "--json", preexec_fn=limited)
    assert said.code == 4, said.out + said.err
    assert "Traceback" not in said.err
    assert said.document["errors"][0]["message"]
    ran, document = run_stages(easy)
    assert ran == ([stage, "dossier"] if stage == "batch" else [stage])
    assert document["digest"] == json.loads(easy_finished.with_suffix(".json").read_text())["digest"]
    assert called("record", "verify", easy / "out" / "record.db").code == 0


def test_a_folder_that_is_read_only_is_unavailable(program) -> None:
    script = (
        "import os, sys; from pathlib import Path; from seedtrain.cli import main; import seedtrain.program\n"
        "seedtrain.program.read_program(Path(sys.argv[1]))  # everything is imported before the user changes\n"
        "if os.getuid() == 0: os.setuid(65534)  # root may write anywhere: be somebody else\n"
        "main(['run', sys.argv[1], '--json'])"
    )
    with tempfile.TemporaryDirectory() as base:
        Path(base).chmod(0o755)
        folder = copied(program, Path(base) / "collagen")
        folder.chmod(0o555)
        words = [sys.executable, "-c", script, str(folder)]
        eager = {**os.environ, "EAGER_IMPORT": "1"}  # whatever a door offers is imported with it
        done = subprocess.run(words, capture_output=True, text=True, check=False, cwd="/", env=eager)
        folder.chmod(0o755)
        assert not (folder / "out").exists()
    assert done.returncode == 4, done.stderr
    assert "cannot be written" in json.loads(done.stdout)["errors"][0]["message"]


def test_two_runs_in_one_folder_exclude_each_other_and_a_killed_one_leaves_no_lock(easy) -> None:
    script = (
        "import sys, time; from pathlib import Path; from seedtrain.program import run_program\n"
        "def wait(done, words):\n"
        "    print('begun', flush=True); time.sleep(600)\n"
        "run_program(Path(sys.argv[1]), progress=wait)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(easy)], stdout=subprocess.PIPE, cwd=ROOT) as first:
        try:
            assert first.stdout is not None
            assert first.stdout.readline() == b"begun\n"
            said = called("run", easy, "--json")
            assert said.code == 2
            assert "another run" in said.document["errors"][0]["message"]
        finally:
            first.kill()
    assert run_stages(easy)[0] == []


def test_a_ledger_that_was_changed_behind_its_back_fails_its_check(easy) -> None:
    ledger = easy / "out" / "record.db"
    raw = ledger.read_bytes()
    assert b'"amount":"352.' in raw
    ledger.write_bytes(raw.replace(b'"amount":"352.', b'"amount":"353.', 1))
    said = called("record", "verify", ledger, "--json")
    assert said.code == 1
    assert said.document["verdict"] == "fail"


def test_a_descriptor_that_gives_no_text_is_told(tmp_path: Path) -> None:
    """One that was closed is by now the ledger, or whatever else the command has opened."""
    from seedtrain.base import InputError
    from seedtrain.cli._signing import Secrets

    path = tmp_path / "record.db"
    path.write_bytes(b"SQLite format 3\0\xff\xfe")
    for flags in (os.O_RDONLY, os.O_WRONLY):
        descriptor = os.open(path, flags)
        try:
            with pytest.raises(InputError, match="gives no text"):
                Secrets(descriptor).ask("Password:")
        finally:
            os.close(descriptor)
