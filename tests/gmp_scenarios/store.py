"""A store of raw materials, where the warehouse receives lots: the commands that the scenarios of the ledger repeat."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from seedtrain.record._store import SCHEMA
from tests.gmp_scenarios.child import Order
from tests.gmp_scenarios.journey import Journey
from tests.record.ledgers import unguarded

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def receipt(lot: str, amount: str = "25 kg") -> list[str]:
    """The words of a receipt."""
    words = ["lot", "receive", lot, "--material", "sugar", "--quantity", amount]
    return [*words, "--supplier", "Acme", "--expiry", "2040-01-31"]


def put_guards_back(record: Path) -> None:
    """The attacker lays the triggers anew, as they were."""
    connection = unguarded(record)
    for part in SCHEMA.split("CREATE TRIGGER")[1:]:
        connection.execute("CREATE TRIGGER" + part)
    connection.close()


class Store(Journey):
    """`Store.ready(folder)`; `who` has the administrator, two of the warehouse and quality."""

    who: dict[str, str]

    @classmethod
    def ready(cls, folder: Path, clock: datetime | None = NOW) -> Store:
        """People, and no lot yet."""
        store = cls(folder, clock=clock)
        store.who = store.crew(first="warehouse", second="warehouse", qa="quality_assurance")
        return store

    def receive(self, *lots: str, by: str = "first") -> None:
        """Lots that arrive a minute apart."""
        for lot in lots:
            self.done(self.who[by], *receipt(lot))
            if self.clock is not None:
                self.later(minutes=1)

    def order(self, word: str, *lots: str, **more: Any) -> Order:
        """The receipts of these lots by this person, in a process of their own."""
        actor = self.who[word]
        return Order(str(self.folder), actor, self.passwords[actor], [receipt(lot) for lot in lots], **more)

    def lots(self) -> list[str]:
        """What `seedtrain lot list` names."""
        return [row["lot"] for row in self.done(None, "lot", "list")]

    def events(self, *words: object) -> list[dict[str, Any]]:
        """What `seedtrain record show` prints."""
        rows: list[dict[str, Any]] = self.done(None, "record", "show", self.record, *words)
        return rows

    def verified(self, *words: object) -> tuple[int, dict[str, str], list[str]]:
        """Exit code, verdict of each criterion, and evidence of `seedtrain record verify`."""
        answer = self.run("record", "verify", self.record, *words)
        return answer.code, {row["name"]: row["verdict"] for row in answer.data["criteria"]}, answer.data["evidence"]

    def first_bad(self, *words: object) -> int:
        """The seq that the verification names; it must fail."""
        code, _, evidence = self.verified(*words)
        assert code == 1, evidence
        return int(evidence[0].removeprefix("first bad event: seq "))

    def stranger(self, folder: Path, *words: str) -> tuple[int, dict[str, Any]]:
        """Exit code and findings of the one-file verifier, run by itself on an export made now."""
        assert self.run("record", "export", self.record, folder).code == 0
        command = [sys.executable, "-I", str(folder / "verify.py"), str(folder), *words]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        return done.returncode, json.loads(done.stdout)
