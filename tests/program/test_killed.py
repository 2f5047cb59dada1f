"""A run killed with SIGKILL anywhere goes on to the dossier that it would have made; the ledger is only added to."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.worked import ROOT, STAGES, called, copied, edit, forget, run_stages, story

POINTS = {
    "gene": ("gene", "2"),
    "strain": ("strain", "3"),
    "bench": ("bench", "2"),
    "scale": ("scale", "4"),
    "economics": ("economics", "1"),
    "gap": ("draws", "40"),
    "dossier": ("dossier", "2"),
}
BATCH_POINTS = (
    ("person.enrolled", "4", "after"),
    ("lot.received", "1", "before"),
    ("batch.created", "1", "after"),
    ("step.started", "9", "after"),
    ("lot.consumed", "12", "after"),
    ("step.completed", "20", "before"),
    ("deviation.opened", "1", "before"),
    ("deviation.opened", "1", "after"),
    ("lot.produced", "1", "after"),
    ("deviation.closed", "1", "after"),
    ("result.recorded", "1", "after"),
    ("batch.reviewed", "1", "before"),
    ("batch.released", "1", "after"),
)


def kill(folder: Path, *how: str) -> None:
    """Run in a process that ends as `tests.program.killed` says, and see that it was killed."""
    words = [sys.executable, "-m", "tests.program.killed", str(folder), *how]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr or "it came to its end"


def verified(folder: Path) -> bool:
    said = called("record", "verify", folder / "out" / "record.db", "--json")
    return said.code == 0 and said.document["verdict"] == "pass"


def digest_of(finished: Path) -> str:
    return str(json.loads(finished.with_suffix(".json").read_text())["digest"])


@pytest.mark.parametrize(
    "stage",
    [
        pytest.param(name, marks=pytest.mark.slow) if name in ("gene", "scale", "economics", "gap") else name
        for name in POINTS
    ],
)
def test_a_run_killed_in_a_stage_goes_on_to_the_same_dossier(easy, easy_finished, stage) -> None:
    forget(easy, stage)
    if stage == "dossier":
        for name in ("dossier.html", "dossier.pdf"):
            (easy / "out" / name).unlink()
    kill(easy, *POINTS[stage])
    left = easy / "out" / "stages" / stage
    assert not left.exists() or not [path for path in left.iterdir() if not path.name.startswith(".")]
    if stage == "dossier":
        assert not list((easy / "out").glob("*dossier*"))
    ran, document = run_stages(easy)
    assert ran == [stage]
    assert document["digest"] == digest_of(easy_finished)
    assert document["batch"] == "RHCOL3-001"
    assert story(easy) == story(easy_finished)


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["campaign", "before", "fit", "choose", "compare"])
def test_a_run_killed_in_its_campaign_goes_on_to_the_same_dossier(finished, tmp_path, stage, undrawn) -> None:
    """What the campaign's stages found stands in their results, so that going on with them changes nothing after."""
    folder = copied(finished, tmp_path / "killed")
    forget(folder, stage)
    kill(folder, stage, "1")
    left = folder / "out" / "stages" / stage
    assert not left.exists() or not [path for path in left.iterdir() if not path.name.startswith(".")]
    ran, document = run_stages(folder)
    assert ran == [stage]
    assert document["digest"] == digest_of(finished)
    assert not (folder / "out" / "fit.starts.json").exists()


def test_a_batch_killed_again_and_again_is_one_batch_with_one_record(easy, easy_finished, undrawn) -> None:
    forget(easy, "batch")
    for point in (BATCH_POINTS[4], BATCH_POINTS[-1]):
        kill(easy, "event", *point)
        assert verified(easy), point
    ran, document = run_stages(easy)
    assert ran == ["batch", "dossier"]  # it cites another ledger
    assert (document["batch"], document["digest"]) == ("RHCOL3-001", digest_of(easy_finished))
    assert story(easy) == story(easy_finished)
    assert verified(easy)
    assert not (easy / "out" / "batch.pending.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize("point", BATCH_POINTS, ids="-".join)
def test_a_batch_killed_at_any_event(easy, easy_finished, point) -> None:
    forget(easy, "batch")
    kill(easy, "event", *point)
    assert verified(easy)
    assert run_stages(easy)[1]["digest"] == digest_of(easy_finished)
    assert story(easy) == story(easy_finished)
    assert verified(easy)


@pytest.mark.slow
def test_a_run_killed_while_levers_are_moved(finished, tmp_path) -> None:
    folder = copied(finished, tmp_path / "collagen")
    forget(folder, "gap")
    kill(folder, "gap", "30")
    ran, document = run_stages(folder)
    assert (ran, document["digest"]) == (["gap"], digest_of(finished))


@pytest.mark.slow
def test_a_run_killed_in_every_stage_in_turn(finished, tmp_path) -> None:
    folder = tmp_path / "collagen"
    folder.mkdir()
    for path in finished.glob("*.*"):
        (folder / path.name).write_bytes(path.read_bytes())
    done: list[str] = []
    points = POINTS | {"gap": ("gap", "30"), "batch": ("event", "lot.consumed", "20", "after")}
    for stage in STAGES:
        kill(folder, *points.get(stage, (stage, "1")))
        stored = [name for name in STAGES if list((folder / "out" / "stages").glob(f"{name}/[!.]*"))]
        assert stored == done
        done.append(stage)
    ran, document = run_stages(folder)
    assert (ran, document["digest"]) == (["dossier"], digest_of(finished))
    assert story(folder) == story(finished)


def test_other_inputs_append_another_batch_and_leave_the_first_as_it_was(easy, easy_finished, undrawn) -> None:
    first = story(easy)
    edit(easy / "plant.yaml", "duration: 40 min", "duration: 45 min")
    ran, document = run_stages(easy)
    assert ran == ["batch", "gap", "dossier"]
    before = json.loads(easy_finished.with_suffix(".json").read_text())
    results = [{row["stage"]: row["result"] for row in told["stages"]} for told in (before, document)]
    assert all(results[0][name] == results[1][name] for name in STAGES if name not in ran)
    assert document["batch"] == "RHCOL3-002"
    assert document["digest"] != digest_of(easy_finished)
    again = story(easy)
    assert again[: len(first)] == first
    kinds = Counter(kind for kind, _, _ in again[len(first) :])
    assert kinds["batch.created"] == kinds["lot.produced"] == 1
    assert not kinds.keys() & {"person.enrolled", "lot.received", "recipe.approved", "ledger.created"}
    assert verified(easy)
    assert run_stages(easy)[0] == []


@pytest.mark.slow
def test_a_killed_batch_is_left_as_it_is_when_the_inputs_change(easy, undrawn) -> None:
    forget(easy, "batch")
    kill(easy, "event", "lot.consumed", "12", "after")
    begun = story(easy)
    edit(easy / "plant.yaml", "duration: 40 min", "duration: 45 min")
    _, document = run_stages(easy)
    assert document["batch"] == "RHCOL3-002"
    assert [event for event in story(easy)[len(begun) :] if event[1] == "RHCOL3-001"] == []
    assert verified(easy)
