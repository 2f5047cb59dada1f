"""Scenario 13: formula, unit or limit changed after approval: another digest; a stranger's calculation agrees."""

import math
import shutil
from fractions import Fraction
from typing import Any

import apsw
import pytest

from seedtrain.recipe import read_recipe
from seedtrain.record._verifier import leaf_hash
from tests.gmp_scenarios.hand import BATCH, FILL, PHASES, RECIPE, VOLUME, Bench
from tests.gmp_scenarios.journey import Journey

CHANGES = {
    "formula": ("(gross - tare) / density", "(gross + tare) / density"),
    "unit": (
        "unit: mL\n                places: 1\n                action: 995",
        "unit: L\n                places: 1\n                action: 995",
    ),
    "limit": ("action: 7.30 .. 7.50", "action: 7.20 .. 7.60"),
    "proven": ("proven: 7.20 .. 7.60", "proven: 7.10 .. 7.60"),
    "tolerance": ("{amount: 8.0 g, tolerance: 1 %}", "{amount: 8.0 g, tolerance: 5 %}"),
    "theoretical": ("theoretical: 1000 mL", "theoretical: 1100 mL"),
    "second person": ("second_person: true # 21", "second_person: false # 21"),
    "course": ("course: aseptic filling", "course: filling"),
    "instruction": ("until the liquid is clear", "until it is nearly clear"),
}


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_any_change_of_the_recipe_gives_another_digest_or_is_refused(tmp_path, change, approved):
    before, after = CHANGES[change]
    text = RECIPE.read_text("utf-8")
    assert before in text
    tampered = tmp_path / "recipe.yaml"
    tampered.write_text(text.replace(before, after), "utf-8")
    answer = approved.signed(approved.who["operator"], "batch", "start", tampered, "--batch", "PBS-X")
    assert answer.code == 2
    assert ("never approved" in answer.words) != (change == "unit"), answer.words
    if change == "unit":  # the formula no longer fits its unit: the file is refused with its place
        assert answer.data["errors"][0]["line"] == 68
    else:
        assert read_recipe(tampered).digest != read_recipe(RECIPE).digest
    assert approved.run("batch", "status", "PBS-X").code == 2


@pytest.fixture(scope="module")
def approved(tmp_path_factory):
    return Bench.ready(tmp_path_factory.mktemp("approved"))


def test_a_comment_or_the_layout_of_the_file_changes_nothing(tmp_path, approved):
    same = tmp_path / "recipe.yaml"
    same.write_text("# another word\n" + RECIPE.read_text("utf-8"), "utf-8")
    assert approved.by("operator", "batch", "start", same, "--batch", "PBS-SAME")["state"] == "running"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    bench = Bench.ready(tmp_path_factory.mktemp("made"))
    bench.start()
    bench.run_batch()
    return bench


def calculated(bench: Journey, batch: str = BATCH) -> dict[str, dict[str, Any]]:
    """Formula, inputs and result of every calculated value, from the exported events alone."""
    events = bench.done(None, "record", "show", bench.record, "--subject", batch)
    found = {}
    for event in events:
        payload = event["payload"]
        if event["type"] in ("step.value_recorded", "value.corrected") and "formula" in payload:
            found[f"{payload['phase']}/{payload['tag']}"] = payload
    return found


def entered(bench: Journey) -> dict[str, Fraction]:
    events = bench.done(None, "record", "show", bench.record, "--subject", BATCH)
    found: dict[str, Fraction] = {}
    for event in events:
        payload = event["payload"]
        is_entry = event["type"] in ("step.value_recorded", "value.corrected") and payload["kind"] == "entry"
        if is_entry and payload["value"].replace(".", "").isdigit():
            found[f"{payload['phase']}/{payload['tag']}"] = Fraction(payload["value"])
        if event["type"] == "lot.consumed":
            name = f"dispensed {payload['material']}"
            found[name] = found.get(name, Fraction(0)) + Fraction(payload["amount"])
    return found


def test_an_independent_calculation_agrees_with_the_record(made):
    """In exact fractions and without the application: inputs as recorded, and as they stand in their own events."""
    values, known = calculated(made), entered(made)
    assert set(values) == {f"{VOLUME}/made", f"{FILL}/yield", f"{FILL}/reconciled-bottle"}
    for payload in values.values():
        inputs = {name: Fraction(item["value"]) for name, item in payload["inputs"].items()}
        for name, item in payload["inputs"].items():
            if item["source"] != "recipe":
                assert known[item["source"]] == inputs[name]
        exact = eval(payload["formula"], {"__builtins__": {}}, inputs)  # noqa: S307  # the formula is Python's too
        scale = 10 ** payload["places"]
        half_up = Fraction(math.floor(exact * scale + Fraction(1, 2)), scale)
        assert Fraction(payload["value"]) == half_up
        low, high = payload["low"], payload["high"]
        assert payload["within"] == ((low is None or Fraction(low) <= half_up) and half_up <= Fraction(high))
    answer = made.run("batch", "recalculate", BATCH)
    assert answer.code == 0
    assert [item["faults"] for item in answer.data["values"]] == [[], [], []]


def test_a_corrected_input_moves_what_was_calculated_from_it(tmp_path):
    bench = Bench.ready(tmp_path)
    bench.start()
    for phase in PHASES[:4]:
        bench.run_phase(phase)
    before = calculated(bench)[f"{VOLUME}/made"]
    assert before["value"] == "1000.0"
    bench.refused("operator", "batch", "correct", BATCH, VOLUME, "tare", "1506.0", "--reason", " ")
    bench.by("operator", "batch", "correct", BATCH, VOLUME, "tare", "1506.0", "--reason", "misread")
    after = calculated(bench)[f"{VOLUME}/made"]
    assert (after["value"], after["before"]) == ("998.0", "1000.0")
    found = bench.done(None, "batch", "status", BATCH)
    (line,) = [item for item in found["values"] if item["tag"] == "made"]
    assert (line["value"], line["recorded"]) == ("998.0", "1000.0")
    assert "misread" in line["corrections"][0]["reason"]
    assert bench.run("batch", "recalculate", BATCH).code == 0
    # The signature over the phase was put before the correction: nothing goes on before it is given again.
    clear = ("batch", "clear", BATCH, "FILL-1", "--found", "empty")
    bench.by("operator", *clear)
    begin = ("batch", "begin", BATCH, FILL, "--unit", "FILL-1")
    assert "signature" in bench.refused("operator", *begin).words
    assert "no hold point" in bench.refused("second", "batch", "sign", BATCH, VOLUME).words
    bench.by("operator", "batch", "sign", BATCH, VOLUME)
    bench.by("operator", *begin)


def test_the_recipe_in_the_ledger_cannot_be_changed_under_a_running_batch(made, tmp_path):
    """Whoever edits the stored bytes (triggers dropped) breaks the chain, and the batch's own copy its digest."""
    for path in made.folder.iterdir():
        if path.is_file() and not path.name.endswith(("-wal", "-shm")):
            shutil.copy(path, tmp_path)
    folder = Journey(tmp_path)
    shutil.copytree(made.record.parent / "record.db.keys", tmp_path / "record.db.keys", dirs_exist_ok=True)
    with apsw.Connection(str(folder.record)) as connection:
        for (name,) in list(connection.execute("select name from sqlite_master where type = 'trigger'")):
            connection.execute(f'drop trigger "{name}"')
        query = "select seq, body from event where type = 'batch.created'"
        ((seq, body),) = list(connection.execute(query))
        forged = str(body).replace("gross - tare", "gross + tare")
        assert forged != body
        connection.execute("update event set body = ? where seq = ?", (forged, seq))
    assert folder.run("record", "verify", folder.record).code == 1
    answer = folder.run("batch", "recalculate", BATCH)
    assert answer.code == 1
    assert f"seq {seq}: the event's bytes are not those that its stored hash was made of" in answer.words
    with apsw.Connection(str(folder.record)) as connection:  # who knows that rewrites the hash as well
        connection.execute("update event set leaf = ? where seq = ?", (leaf_hash(forged.encode()), seq))
    assert folder.run("record", "verify", folder.record).code == 1
    answer = folder.run("batch", "recalculate", BATCH)
    assert answer.code != 0
    assert "gives the digest" in answer.words
