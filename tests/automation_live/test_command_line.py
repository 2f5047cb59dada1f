"""A batch on a plant from the command line: refused with every fault at once, started, killed, taken over, answered."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from seedtrain.record import enrol_person, open_ledger
from tests.automation_live.made import BATCH, control, ledger_in, served
from tests.automation_opcua.served import drafted
from tests.worked import COMMAND, Said, called

pytest.importorskip("asyncua", reason="the group `plant` is not installed")
PASSWORD = "correct horse battery 9A!"  # noqa: S105 - of a person in a test
SIMULATED = ("--simulated",)


@dataclass
class Bench:
    """A ledger with people and lots, a plant that runs, its mapping, and the recipe as it is executed."""

    folder: Path
    who: str
    url: str
    begun: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def record(self) -> Path:
        return self.folder / "record.db"

    def mapping(self, text: str | None = None, name: str = "mapping.yaml") -> Path:
        path = self.folder / name
        path.write_text(drafted(self.url) if text is None else text, encoding="utf-8")
        return path

    def signed(self, *words: object) -> Said:
        """A command that the person signs."""
        with _password() as descriptor:
            more = ("--as", self.who, "--password-fd", descriptor, "--record", self.record)
            return called("batch", *words, *more)

    def process(self, *asked: object, signed: bool = False) -> subprocess.Popen[str]:
        """A command in a process of its own."""
        given = ["batch", *map(str, asked), "--record", str(self.record)]
        with _password() as descriptor:
            more = ["--as", self.who, "--password-fd", str(descriptor)] if signed else []
            process = subprocess.Popen(
                [str(COMMAND), *given, *more],
                pass_fds=[descriptor],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self.begun.append(process)
        return process

    def status(self) -> dict[str, Any]:
        said = called("batch", "status", BATCH, "--record", self.record, "--json")
        return dict(said.document) if said.code == 0 else {}

    def until(self, true: Callable[[], Any], seconds: float) -> float:
        began = time.monotonic()
        while not true():
            assert time.monotonic() - began < seconds, self.status()
            time.sleep(0.1)
        return time.monotonic() - began


@contextmanager
def _password() -> Iterator[int]:
    end, start = os.pipe()
    os.write(start, f"{PASSWORD}\n".encode())
    os.close(start)
    try:
        yield end
    finally:
        os.close(end)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("bench")
    with ledger_in(folder) as ledger:
        who = enrol_person(ledger, "Olga", ["operator"], password=PASSWORD)
    (folder / "recipe.yaml").write_text(control().recipe.to_yaml(), encoding="utf-8")
    with served(folder, speed=3600.0) as process:
        found = Bench(folder, who, process.url)
        try:
            yield found
        finally:
            for item in found.begun:  # what a test that failed has left
                if item.poll() is None:
                    item.kill()
                    item.communicate()


def test_every_fault_is_told_at_once_and_nothing_moves(bench: Bench):
    text = drafted(bench.url)
    text = text.replace("  shake_flask:\n", "  flask:\n", 1)  # a phase of the recipe has no unit
    text = text.replace("s=T/FunctionSet/pH/CurrentValue", "s=T/FunctionSet/ph/CurrentValue", 1)  # a missing node
    text = text.replace("s=centrifuge/FunctionSet/temperature/CurrentValue", "s=centrifuge/Model", 1)  # no number
    text = text.replace(
        "  T:\n",
        "  T:\n    safe: {targets: {stirrer: 100 1/min, temperature: 10 bar}}\n    interlocks: [{when: hot}]\n",
        1,
    )
    mapping = bench.mapping(text, "wrong.yaml")
    with open_ledger(bench.record, read_only=True) as ledger:
        head = ledger.head
    said = bench.signed("start", bench.folder / "recipe.yaml", "--batch", BATCH, "--mapping", mapping, "--json")
    assert said.code == 2
    words = [f"{item['message']} {item['remedy']}" for item in said.document["errors"]]
    for wanted in (
        "was never approved",
        "has no node nsu=",
        "is not a number but of data type",
        "no function 'stirrer' is mapped",
        "safe.targets.temperature",
        "'hot' is no condition",
        "has no unit 'shake_flask'",
    ):
        assert any(wanted in item for item in words), (wanted, words)
    with open_ledger(bench.record, read_only=True) as ledger:
        assert ledger.head == head


def test_files_of_alarms_and_of_good_batches_are_read_before_anything_is_recorded(bench: Bench):
    wrong = bench.folder / "alarms.yaml"
    wrong.write_text("notify: [{command: [x], priority: loud}]\n", encoding="utf-8")
    with open_ledger(bench.record, read_only=True) as ledger:
        head = ledger.head
    given = (
        "--mapping",
        bench.mapping(),
        *SIMULATED,
        "--allow-missing",
        "--alarms",
        wrong,
        "--golden",
        wrong,
        "--json",
    )
    said = bench.signed("start", bench.folder / "recipe.yaml", "--batch", "L-9", *given)
    assert said.code == 2
    words = " ".join(item["message"] for item in said.document["errors"])
    assert "alarms" in words
    assert "loud" in words
    assert "alarms.yaml" in json.dumps(said.document)
    assert len(said.document["errors"]) >= 3  # of both files
    with open_ledger(bench.record, read_only=True) as ledger:
        assert ledger.head == head


def test_what_is_no_batch_id_is_told_before_what_the_store_lacks(bench: Bench):
    given = ("--mapping", bench.mapping(), *SIMULATED, "--allow-missing", "--json")
    said = bench.signed("start", bench.folder / "recipe.yaml", "--batch", "L 1/..", *given)
    assert said.code == 2
    assert [item["message"] for item in said.document["errors"]] == ["'L 1/..' is not a batch id"]


def test_lots_that_a_later_phase_needs_are_missed_before_anything_moves(bench: Bench, tmp_path: Path):
    with open_ledger(tmp_path / "record.db") as ledger:
        who = enrol_person(ledger, "Olga", ["operator"], password=PASSWORD)
        head = ledger.head
    poor = Bench(tmp_path, who, bench.url)
    asked = ("start", bench.folder / "recipe.yaml", "--batch", "M-1", "--mapping", poor.mapping(), *SIMULATED)
    said = poor.signed(*asked, "--json")
    assert said.code == 2
    words = [f"{item['message']} {item['remedy']}" for item in said.document["errors"]]
    assert any("filling/fill/fill will lack vial: there is no released lot" in item for item in words), words
    assert all("--allow-missing" in item for item in words)
    with open_ledger(tmp_path / "record.db", read_only=True) as ledger:
        assert ledger.head == head


def test_a_batch_is_started_killed_taken_over_confirmed_and_answered(bench: Bench):
    mapping, recipe = bench.mapping(), bench.folder / "recipe.yaml"
    begun = bench.process("start", recipe, "--batch", BATCH, "--mapping", mapping, *SIMULATED, signed=True)
    bench.until(lambda: (bench.status().get("plant") or {}).get("waits_for", {}).get("of") == "checker", 60)
    begun.send_signal(signal.SIGKILL)
    begun.communicate()
    status = bench.status()
    assert (status["state"], status["plant"]["driven"]) == ("running", False)  # nobody has looked yet

    taken = bench.process("resume", BATCH, "--mapping", mapping)
    spent = bench.until(lambda: bench.status()["state"] == "held", 30)
    assert spent < (5.0 if os.getloadavg()[0] < 2.0 else 15.0)  # of which the most is Python's own start
    status = bench.status()
    assert status["simulated"] is True
    bench.until(lambda: bench.status()["plant"]["driven"], 30)
    assert "the executor was lost: found between two phases" in status["plant"]["waits_for"]["words"]
    assert [item["done"] for item in status["plant"]["units"]] == [1, 0, 0, 0]
    shown = called("batch", "status", BATCH, "--record", bench.record, "--lang", "zh")
    assert f"seedtrain batch confirm {BATCH}" in shown.out

    crew = bench.process("answer", BATCH, "--json")
    confirmed = bench.signed("confirm", BATCH)
    assert confirmed.code == 0
    assert "T " in confirmed.out  # how the units stand, and nothing that the executor does by itself
    assert "batch begin" not in confirmed.out
    out, _ = taken.communicate(timeout=120)
    assert taken.returncode == 0, out
    assert f"{BATCH}: complete" in out
    answered, _ = crew.communicate(timeout=30)
    assert json.loads(answered)["scripted"] is True
    with open_ledger(bench.record, read_only=True) as ledger:
        kinds = [event.type for event in ledger.events(subject=BATCH)]
        assert kinds.count("batch.attached") == 2
        assert kinds.count("step.started") == kinds.count("step.completed") == 11
        assert "telemetry.sealed" in {event.type for event in ledger.events()} or kinds.count("segment.stored") > 3
    review = called("batch", "review", BATCH, "--record", bench.record)
    assert "the executor was lost" in review.out
