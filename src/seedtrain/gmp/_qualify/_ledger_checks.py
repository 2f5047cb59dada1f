"""The ledger: chain, tampering, audit trail, time, backup, export, faults."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final

from seedtrain.base import SeedtrainError
from seedtrain.gmp._qualify._bench import Bench, CheckFailedError, Clock, environment, expect, filled, refused
from seedtrain.record import (
    Draft,
    backup,
    enrol_person,
    export,
    open_ledger,
    sign,
    verify,
)

ROUNDS: Final = 3
WRITER: Final = """
import sys
from seedtrain.record import Draft, open_ledger
with open_ledger(sys.argv[1]) as ledger:
    while True:
        event = ledger.append(Draft("check.noted", "killed", {"n": "1"}, "system"))[0]
        print(event.seq, flush=True)
"""


def chain(bench: Bench) -> list[str]:
    """OQ-01."""
    with bench.ledger() as ledger:
        filled(ledger, 60)
        head, path = ledger.head.seq, ledger.path
    verdict = verify(path)
    expect(verdict.verdict == "pass", f"a new ledger does not verify: {'; '.join(verdict.evidence)}")
    expect(head == 61, f"{head} events are counted where 61 were stored")
    return [f"{head} events: {', '.join(f'{item.name} {item.verdict}' for item in verdict.criteria)}"]


def tampering(bench: Bench) -> list[str]:
    """OQ-02: each attack on a copy of its own, with the guards of the database taken away first."""
    with bench.ledger() as ledger:
        filled(ledger, 30)
        path = ledger.path
    attacks = {
        "a changed byte": 'UPDATE event SET body = replace(body, \'"number":"7"\', \'"number":"8"\') WHERE seq = 9',
        "a removed event": "DELETE FROM event WHERE seq = 12",
        "two events exchanged": "UPDATE event SET seq = seq - 29 WHERE seq IN (14, 15)",
        "a cut tail": "DELETE FROM event WHERE seq > 25",
    }
    return [f"{name}: {_attacked(bench.copy(path), statement, name)}" for name, statement in attacks.items()]


def _attacked(path: Path, statement: str, name: str) -> str:
    import apsw

    connection = apsw.Connection(str(path))
    rows = connection.execute("SELECT type, name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for _, trigger in rows:
        connection.execute(f'DROP TRIGGER "{trigger}"')
    connection.pragma("ignore_check_constraints", True)
    connection.execute(statement)
    connection.execute("UPDATE event SET seq = -seq WHERE seq < 0")  # 14 became -15, and 15 became -14
    if name == "a cut tail":
        for table in ("checkpoint",):
            connection.execute(f"DELETE FROM {table} WHERE size > 25")  # noqa: S608  # a name of our own
    connection.close()
    try:
        verdict = verify(path)
    except SeedtrainError as error:
        return f"found ({error.message})"
    expect(verdict.verdict == "fail", f"{name} was not found")
    return "found, " + next((line for line in verdict.evidence if "seq" in line), verdict.evidence[0])


def audit_trail(bench: Bench) -> list[str]:
    """OQ-03."""
    import apsw

    with bench.ledger() as ledger:
        (event,) = ledger.append(Draft("check.noted", "trail", {"value": "1"}, "person-1"))
        path = ledger.path
        expect(event.actor == "person-1" and event.recorded_at.endswith("Z"), "an event lacks its actor or time")
    connection = apsw.Connection(str(path))
    lines = []
    for statement in ("UPDATE event SET body = '{}' WHERE seq = 2", "DELETE FROM event WHERE seq = 2"):
        try:
            connection.execute(statement)
        except apsw.Error as error:
            lines.append(f"{statement.split()[0]} refused: {error}")
            continue
        raise CheckFailedError(f"the database took {statement}")
    connection.close()
    return [*lines, "time and order are given by the ledger, not by the caller"]


def time_zones(bench: Bench) -> list[str]:
    """OQ-24."""
    with bench.ledger() as ledger:
        east, west = (timezone(timedelta(hours=hours)) for hours in (8, -5))
        moments = (datetime(2026, 3, 1, 16, 0, tzinfo=east), datetime(2026, 3, 1, 3, 0, tzinfo=west))
        stored = [ledger.append(Draft("check.noted", "z", {}, "system", item))[0].occurred_at for item in moments]
        expect(len(set(stored)) == 1, f"the same moment is stored as {' and '.join(stored)}")
        naive = datetime(2026, 3, 1, 8, 0)  # what must be refused
        words = refused(lambda: ledger.append(Draft("check.noted", "z", {}, "system", naive)), "a time without a zone")
    return [f"16:00 at +08:00 and 03:00 at -05:00 are stored as {stored[0]}", words]


def clock_set_back(bench: Bench) -> list[str]:
    """OQ-25."""
    moved = Clock()
    with bench.ledger(moved) as ledger:
        actor = enrol_person(ledger, "A script", ["checker"], scripted=True)
        first = ledger.append(Draft("check.noted", "c", {}, "system"))[0]
        moved.later(hours=-1)
        second = ledger.append(Draft("check.noted", "c", {}, "system"))[0]
        expect(second.recorded_at >= first.recorded_at, "the order of time is broken")
        expect(any(ledger.events(type="clock.checked")), "a clock set back is not recorded")
        words = refused(lambda: sign(ledger, actor, first.digest, "checked"), "signing while the clock is behind")
        path = ledger.path
    expect(verify(path).verdict == "pass", "the ledger does not verify after it")
    return [words, "the order holds, the event clock.checked says by how much"]


def killed(bench: Bench) -> list[str]:
    """OQ-26: a process that writes is killed; what it had acknowledged must be there."""
    total = 0
    for number in range(ROUNDS):
        path = bench.place() / "record.db"
        acknowledged = _write_and_kill(path, 0.15 + 0.1 * number)
        with open_ledger(path) as ledger:
            head = ledger.head.seq
            expect(head >= acknowledged, f"event {acknowledged} was acknowledged, the ledger ends at {head}")
            filled(ledger, 1)
        expect(verify(path).verdict == "pass", "the ledger does not verify after the kill")
        total += acknowledged
    return [f"{ROUNDS} kills (SIGKILL), {total} acknowledged events, none lost, each ledger goes on and verifies"]


def _write_and_kill(path: Path, seconds: float) -> int:
    command = [sys.executable, "-c", WRITER, str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment(), text=True)  # noqa: S603
    assert process.stdout is not None
    last = process.stdout.readline().strip()
    expect(last.isdigit(), "the writing program did not start")
    time.sleep(seconds)
    os.kill(process.pid, signal.SIGKILL)
    rest, _ = process.communicate()
    whole = [line for line in rest.split("\n")[:-1] if line.isdigit()]
    return int(whole[-1] if whole else last)


def write_refused(bench: Bench) -> list[str]:
    """OQ-27."""
    with bench.ledger() as ledger:
        path = ledger.path
        huge = {"text": "x" * 2**21}
        lines = [refused(lambda: ledger.append(Draft("check.noted", "w", huge, "system")), "an event of 2 MiB")]
        expect(ledger.head.seq == 1, "something of a refused event was stored")
    with open_ledger(path, read_only=True) as closed:
        lines.append(refused(lambda: closed.append(Draft("check.noted", "w", {}, "system")), "a write while read-only"))
    return lines


def backed_up(bench: Bench) -> list[str]:
    """OQ-23."""
    folder = bench.place() / "copy"
    with bench.ledger() as ledger:
        filled(ledger, 20)
        verdict = backup(ledger.path, folder)
        filled(ledger, 5)  # the ledger is in use
        path = ledger.path
    expect(verdict.verdict != "fail", "the copy does not verify")
    restored = folder / path.name
    keys = restored.with_name(f"{restored.name}.keys")
    keys.symlink_to(path.with_name(f"{path.name}.keys").resolve())
    found = verify(restored)
    expect(found.verdict == "pass", f"the restored copy does not verify: {'; '.join(found.evidence)}")
    with open_ledger(restored) as ledger:
        filled(ledger, 1)
    return ["copied while in use, restored beside its keys, verified, and written to again"]


def exported(bench: Bench) -> list[str]:
    """OQ-21: the verifier runs isolated, without this software."""
    folder = bench.place() / "export"
    with bench.ledger() as ledger:
        filled(ledger, 20)
        path = ledger.path
    export(path, folder)
    words = alone(folder)
    expect(words["verdict"] == "pass", f"the export does not verify: {words}")
    events = folder / "events.jsonl"
    events.write_bytes(events.read_bytes().replace(b'"number":"3"', b'"number":"4"', 1))
    changed = alone(folder)
    expect(changed["verdict"] == "fail", "a changed export verifies")
    return [f"{words['events']} events pass; with one byte changed: fail at seq {changed['first_bad_seq']}"]


def alone(folder: Path) -> dict[str, object]:
    """What the one-file verifier says of an exported folder, run by itself."""
    command = [sys.executable, "-I", str(folder / "verify.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode == 2:
        raise CheckFailedError(f"the verifier cannot read the folder: {done.stderr.strip()}")
    found: dict[str, object] = json.loads(done.stdout)
    return found


CHECKS: Final[dict[str, Callable[[Bench], list[str]]]] = {
    "OQ-01": chain,
    "OQ-02": tampering,
    "OQ-03": audit_trail,
    "OQ-21": exported,
    "OQ-23": backed_up,
    "OQ-24": time_zones,
    "OQ-25": clock_set_back,
    "OQ-26": killed,
    "OQ-27": write_refused,
}
