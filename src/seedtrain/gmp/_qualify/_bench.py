"""What every check has: a folder of its own, ledgers in it, and the words with which it fails."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from seedtrain.base import SeedtrainError
from seedtrain.gmp._qualify._sample import Sample
from seedtrain.record import Draft, Ledger, anchor_path, key_path, open_ledger

START: Final = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
SOURCE: Final = Path(__file__).parents[3]
"""The folder from which this installation is imported: programs of their own find the same one there."""


class CheckFailedError(Exception):
    """The installation does not do what the check asks for."""


class CheckOpenError(Exception):
    """The check cannot be decided here; the words say what is missing."""


def expect(condition: object, words: str) -> None:
    """Fail the check with these words unless the condition holds."""
    if not condition:
        raise CheckFailedError(words)


def refused(do: Callable[[], Any], words: str) -> str:
    """The message with which `do` was refused; fails the check where it was not refused in an orderly way."""
    try:
        do()
    except SeedtrainError as error:
        return error.message
    raise CheckFailedError(f"was not refused: {words}")


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    time: datetime = START

    def __call__(self) -> datetime:
        return self.time

    def later(self, **span: float) -> None:
        """Move it on, or back."""
        self.time += timedelta(**span)


@dataclass
class Bench:
    """One run of the checks.

    - `folder`: an empty one, on the disk that is qualified. `record`: the user's own ledger, if there is one.
    """

    folder: Path
    record: str | None = None
    evidence: dict[str, Any] = field(default_factory=dict)
    _count: int = 0

    def place(self) -> Path:
        """A new folder."""
        self._count += 1
        made = self.folder / f"{self._count:03d}"
        made.mkdir()
        return made

    @contextmanager
    def ledger(self, clock: Callable[[], datetime] | None = None) -> Iterator[Ledger]:
        """A new ledger."""
        with open_ledger(self.place() / "record.db", clock=clock) as made:
            yield made

    def close(self) -> None:
        """Let go of what is open."""
        if "sample" in self.__dict__:
            self.sample.ledger.close()

    @cached_property
    def sample(self) -> Sample:
        """A batch made by people on paper, reviewed and released: what the checks of documents look at."""
        return Sample.make(self.place() / "record.db")

    def copy(self, path: Path) -> Path:
        """A copy of a closed ledger with its anchors and keys, to be attacked."""
        target = self.place() / path.name
        shutil.copy2(path, target)
        for beside in (anchor_path(path), key_path(path)):
            to = target.parent / beside.name
            (shutil.copytree if beside.is_dir() else shutil.copy2)(beside, to)
        return target


def filled(ledger: Ledger, count: int, subject: str = "check") -> None:
    """Append `count` events, one a commit."""
    for number in range(count):
        ledger.append(Draft("check.noted", subject, {"number": str(number)}, "system"))


def environment() -> dict[str, str]:
    """For programs of their own: the same installation, and nothing of the user's."""
    kept = {
        name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "SYSTEMROOT", "TMPDIR")
    }
    return {**kept, "PYTHONPATH": str(SOURCE), "PYTHONDONTWRITEBYTECODE": "1"}
