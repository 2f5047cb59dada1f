"""What was acknowledged stays: kill -9 anywhere, and any order of commits, reopenings and repetitions."""

import os
import random
import shutil
import subprocess
import sys
import time

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from seedtrain.record import Draft, append_signed, enrol_person, open_ledger, verify
from tests.record.ledgers import reading

WRITER = """
import sys
from seedtrain.record import append_signed, Draft, enrol_person, open_ledger
from tests.record.ledgers import reading
with open_ledger(sys.argv[1]) as ledger:
    person = enrol_person(ledger, "Wang Fang", ["operator"], scripted=True)
    number = 0
    while True:
        number += 1
        if number % 5:
            events = ledger.append(*(reading(item) for item in range(number % 4 + 1)))
        else:
            draft = Draft("step.checked", "RHCOL3-001", {"phase": "thaw"}, person)
            events = append_signed(ledger, draft, "checked")
        print(*(f"{event.seq}:{event.digest}" for event in events), flush=True)
"""


def test_after_kill_9_every_acknowledged_event_is_there_and_the_chain_holds(tmp_path):
    path = tmp_path / "record.db"
    generator = random.Random(2026)
    acknowledged: dict[int, str] = {}
    for _round in range(5):
        out = tmp_path / "acknowledged"
        with out.open("wb") as stream:
            command = [sys.executable, "-c", WRITER, str(path)]
            process = subprocess.Popen(command, stdout=stream, stderr=subprocess.PIPE)
            deadline = time.monotonic() + 30
            lines = generator.randint(1, 60)
            while out.read_bytes().count(b"\n") < lines and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.002)
            process.kill()
            assert process.wait() == -9, process.communicate()[1]
            assert process.stderr is not None
            process.stderr.close()
        whole = out.read_text().rpartition("\n")[0]
        for mark in whole.split():
            seq, _, digest = mark.partition(":")
            acknowledged[int(seq)] = digest
    with open_ledger(path) as ledger:
        stored = {event.seq: event.digest for event in ledger.events()}
    assert len(acknowledged) > 20
    assert acknowledged.items() <= stored.items()
    verdict = verify(path)
    assert verdict.verdict == "pass", verdict.evidence


class LedgerMachine(RuleBasedStateMachine):
    """A ledger against a list: whatever is asked in whatever order, it holds what was acknowledged, in that order."""

    @initialize()
    def begin(self):
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "record.db")
        self.ledger = open_ledger(self.path)
        self.model = [event.body for event in self.ledger.events()]
        self.people: list[str] = []
        self.named: list[Draft] = []

    def teardown(self):
        if hasattr(self, "ledger"):
            self.ledger.close()
            verdict = verify(self.path)
            assert verdict.verdict == "pass", verdict.evidence
            self.folder.cleanup()

    @rule(size=st.integers(1, 4))
    def append(self, size):
        self.model += [event.body for event in self.ledger.append(*(reading(item) for item in range(size)))]

    @rule()
    def append_named(self):
        draft = Draft("lot.consumed", "B", {"lot": "L"}, "system", id=f"named-{len(self.named)}")
        self.named.append(draft)
        self.model += [event.body for event in self.ledger.append(draft)]

    @rule(data=st.data())
    def repeat_named(self, data):
        if self.named:
            (event,) = self.ledger.append(data.draw(st.sampled_from(self.named)))
            assert event.body in self.model

    @rule()
    def enrol(self):
        actor = enrol_person(self.ledger, f"Somebody {len(self.people)}", ["operator"], scripted=True)
        assert actor not in self.people
        self.people.append(actor)
        self.model.append(list(self.ledger.events())[-1].body)

    @rule(data=st.data())
    def sign(self, data):
        if self.people:
            draft = Draft("step.checked", "B", {"phase": "x"}, data.draw(st.sampled_from(self.people)))
            self.model += [event.body for event in append_signed(self.ledger, draft, "checked")]

    @rule()
    def reopen(self):
        self.ledger.close()
        self.ledger = open_ledger(self.path, create=False)

    @rule()
    def let_another_write(self):
        with open_ledger(self.path) as other:
            self.model += [event.body for event in other.append(reading(0))]

    @invariant()
    def holds_the_model(self):
        if hasattr(self, "ledger"):
            assert [event.body for event in self.ledger.events()] == self.model
            assert self.ledger.head.seq == len(self.model)


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(max_examples=12, stateful_step_count=15, deadline=None)


def test_a_torn_write_at_the_end_of_the_log_loses_nothing_that_was_acknowledged(tmp_path):
    """The files as a power loss in the middle of the next commit would leave them."""
    path = tmp_path / "record.db"
    with open_ledger(path) as ledger:
        ledger.append(reading(1))
        acknowledged = [event.body for event in ledger.append(reading(2), reading(3))]
        whole = path.with_name("record.db-wal").read_bytes()
        files = {item.name: item.read_bytes() for item in tmp_path.iterdir() if item.is_file()}
        ledger.append(reading(4))
        longer = path.with_name("record.db-wal").read_bytes()
    keys = tmp_path / "record.db.keys"
    for cut in (len(whole) + 1, (len(whole) + len(longer)) // 2, len(longer) - 1):
        folder = tmp_path / str(cut)
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(longer[:cut] if name.endswith("-wal") else content)
        (folder / "record.db-shm").unlink()
        shutil.copytree(keys, folder / "record.db.keys")
        with open_ledger(folder / "record.db") as ledger:
            assert [event.body for event in ledger.events(after=2)] == acknowledged
        assert verify(folder / "record.db").verdict == "pass"
