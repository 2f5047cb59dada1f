"""The stage engine: redone only when an input changes, whole or not at all, and repaired when damaged."""

from __future__ import annotations

import dataclasses
import json
import signal
import subprocess
import sys
import textwrap

import pytest

from seedtrain.base import UnavailableError, silent
from seedtrain.program._engine import KEPT_RESULTS, Stage, StageOutput, run_stage


class Counter:
    def __init__(self) -> None:
        self.runs = 0
        self.inputs = {"x": 1.5}

    def stage(self) -> Stage:
        def work(results, progress) -> StageOutput:
            self.runs += 1
            return StageOutput({"double": 2 * self.inputs["x"]}, {"note.txt": f"{self.inputs['x']}"})

        return Stage("double", lambda results: self.inputs, work)


def test_a_stage_runs_once_for_the_same_inputs(tmp_path) -> None:
    counter = Counter()
    first = run_stage(counter.stage(), {}, tmp_path, silent)
    again = run_stage(counter.stage(), {}, tmp_path, silent)
    assert (first.ran, again.ran, counter.runs) == (True, False, 1)
    assert again.data == {"double": 3.0}
    assert first.digest == again.digest
    assert (again.folder / "note.txt").read_text() == "1.5"


def test_a_changed_input_is_another_result_and_going_back_costs_nothing(tmp_path) -> None:
    counter = Counter()
    run_stage(counter.stage(), {}, tmp_path, silent)
    counter.inputs = {"x": 2.0}
    assert run_stage(counter.stage(), {}, tmp_path, silent).data == {"double": 4.0}
    counter.inputs = {"x": 1.5}
    assert not run_stage(counter.stage(), {}, tmp_path, silent).ran


@pytest.mark.parametrize("file", ["result.json", "note.txt", "stage.json"])
def test_a_damaged_result_is_made_again(tmp_path, file) -> None:
    counter = Counter()
    done = run_stage(counter.stage(), {}, tmp_path, silent)
    data = (done.folder / file).read_bytes()
    (done.folder / file).write_bytes(data.replace(b"3.0", b"4.0").replace(b"1.5", b"1.6")[:-1] + b" x")
    assert run_stage(counter.stage(), {}, tmp_path, silent).data == {"double": 3.0}
    assert counter.runs == 2


def test_only_the_newest_results_are_kept(tmp_path) -> None:
    counter = Counter()
    for number in range(KEPT_RESULTS + 3):
        counter.inputs = {"x": float(number)}
        newest = run_stage(counter.stage(), {}, tmp_path, silent)
    assert len(list((tmp_path / "double").iterdir())) == KEPT_RESULTS
    assert newest.folder.exists()


def test_a_kill_while_writing_leaves_nothing_that_counts(tmp_path) -> None:
    script = textwrap.dedent(f"""
        import os, signal
        from pathlib import Path
        import seedtrain.program._engine as stages
        from seedtrain.base import silent
        write = stages.write_json
        def killed(path, value):
            write(path, value)
            os.kill(os.getpid(), signal.SIGKILL)
        stages.write_json = killed
        work = lambda results, progress: stages.StageOutput({{"double": 3.0}}, {{"note.txt": "1.5"}})
        stage = stages.Stage("double", lambda results: {{"x": 1.5}}, work)
        stages.run_stage(stage, {{}}, Path({str(tmp_path)!r}), silent)
    """)
    done = subprocess.run([sys.executable, "-c", script], check=False)
    assert done.returncode == -signal.SIGKILL
    assert [path.name[0] for path in (tmp_path / "double").iterdir()] == ["."]
    counter = Counter()
    again = run_stage(counter.stage(), {}, tmp_path, silent)
    assert again.ran
    assert [path.name for path in (tmp_path / "double").iterdir()] == [again.folder.name]


def test_a_result_whose_other_traces_are_gone_is_made_again(tmp_path) -> None:
    counter = Counter()
    run_stage(counter.stage(), {}, tmp_path, silent)
    stage = dataclasses.replace(counter.stage(), holds=lambda result: result.data["double"] == 4.0)
    assert run_stage(stage, {}, tmp_path, silent).ran
    assert not run_stage(counter.stage(), {}, tmp_path, silent).ran


def test_a_place_that_cannot_be_written_is_a_typed_failure(tmp_path) -> None:
    (tmp_path / "double").write_text("a file where the folder should be")
    with pytest.raises(UnavailableError, match="cannot be stored"):
        run_stage(Counter().stage(), {}, tmp_path, silent)


def test_the_seal_names_key_and_digest(tmp_path) -> None:
    done = run_stage(Counter().stage(), {}, tmp_path, silent)
    seal = json.loads((done.folder / "stage.json").read_text())
    assert seal["key"] == done.key
    assert seal["result"] == done.digest
    assert done.folder.name == done.key[:16]
