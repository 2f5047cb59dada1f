"""A whole run: the same inputs give the same dossier, another seed does not, and what is stored says what it is."""

from __future__ import annotations

import json

import pytest

from seedtrain.base import digest_file
from tests.worked import CAMPAIGN_STAGES, STAGES, command, copied, forget, run_stages, story


def results(folder) -> dict[str, str]:
    """The digest of the result of each stage by name."""
    return {path.parent.parent.name: digest_file(path) for path in (folder / "out" / "stages").glob("*/*/result.json")}


def test_the_run_says_what_it_left(finished) -> None:
    document = json.loads(finished.with_suffix(".json").read_text())
    assert [row["stage"] for row in document["stages"]] == list(CAMPAIGN_STAGES)
    assert all(row["ran"] for row in document["stages"])
    assert document["simulated"] is True
    assert document["decision"] in {"released", "rejected", "on_hold"}
    assert {row["stage"]: row["result"] for row in document["stages"]} == results(finished)
    out = finished / "out"
    assert "simulated batch, not for use" in (out / "dossier.html").read_text()
    assert (out / "dossier.pdf").read_bytes().startswith(b"%PDF")
    assert json.loads((out / "gap.json").read_text())["criteria"]
    assert not list(out.glob("*.tmp")) + list(out.glob("*pending*")) + list((out / "stages").glob("*/.*"))
    assert list((out / "stages" / "gene").glob("*/*.gb"))


def test_another_folder_and_nothing_stored_give_the_same_stages_and_dossier(easy, easy_finished, undrawn) -> None:
    """All but the gene and the strain are done again, elsewhere: no place, time or key of the first run is in them."""
    before = results(easy_finished)
    digest = json.loads(easy_finished.with_suffix(".json").read_text())["digest"]
    again = [name for name in STAGES if name not in ("gene", "strain")]
    for name in again:
        forget(easy, name)
    ran, document = run_stages(easy)
    assert ran == again
    assert document["digest"] == digest
    now = {row["stage"]: row["result"] for row in document["stages"]}
    assert now == {
        row["stage"]: row["result"] for row in json.loads(easy_finished.with_suffix(".json").read_text())["stages"]
    }
    assert set(now) == set(before)
    assert story(easy) == story(easy_finished)


def test_another_seed_is_another_measurement_of_the_same_process(easy, easy_finished, undrawn) -> None:
    ran, document = run_stages(easy, "--seed", "2")
    assert ran == ["batch", "economics", "gap", "dossier"]
    first = json.loads(easy_finished.with_suffix(".json").read_text())
    assert document["digest"] != first["digest"]
    assert document["batch"] == "RHCOL3-002"
    values = [
        [event for event in told if event[0] == "result.recorded"] for told in (story(easy_finished), story(easy))
    ]
    assert len(values[1]) == 2 * len(values[0])
    assert values[1][: len(values[0])] == values[0]
    assert any(
        json.loads(old)["value"] != json.loads(new)["value"]
        for (_, _, old), (_, _, new) in zip(values[0], values[1][len(values[0]) :], strict=True)
    )
    ran, document = run_stages(easy)
    assert (ran, document["digest"]) == ([], first["digest"])


@pytest.mark.slow
def test_a_lost_ledger_is_made_again(easy, easy_finished, undrawn) -> None:
    """A record that is gone cannot be cited: the batch that it was of is not taken for done."""
    stages = copied(easy / "out" / "stages" / "batch", easy / "kept")
    forget(easy, "batch")
    copied(stages, easy / "out" / "stages" / "batch")
    ran, document = run_stages(easy)
    assert "batch" in ran
    assert document["batch"] == "RHCOL3-001"
    assert document["digest"] == json.loads(easy_finished.with_suffix(".json").read_text())["digest"]
    assert command("record", "verify", easy / "out" / "record.db").code == 0
