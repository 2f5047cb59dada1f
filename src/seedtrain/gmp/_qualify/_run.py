"""Running every check once, in its order, and what came of it."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from seedtrain.base import Progress, UnavailableError, silent
from seedtrain.gmp._qualify import (
    _batch_checks,
    _document_checks,
    _installation,
    _ledger_checks,
    _people_checks,
    _quality_checks,
)
from seedtrain.gmp._qualify._bench import Bench, CheckFailedError, CheckOpenError
from seedtrain.gmp._qualify._clauses import Clause, check_words, clauses
from seedtrain.quality import VerdictWord, combine

Check = Callable[[Bench], list[str]]
CHECKS: Final[dict[str, Check]] = dict(
    sorted(
        {
            "IQ-01": _installation.versions,
            "IQ-02": _installation.installed_files,
            "IQ-03": _installation.dependencies,
            "IQ-04": _installation.sqlite,
            "IQ-05": _installation.clock,
            "IQ-06": _installation.disk,
            "IQ-07": _installation.fonts,
            "IQ-08": _installation.keys,
            **_ledger_checks.CHECKS,
            **_people_checks.CHECKS,
            **_batch_checks.CHECKS,
            **_document_checks.CHECKS,
            **_quality_checks.CHECKS,
        }.items()
    )
)


@dataclass(frozen=True)
class CheckResult:
    """One check: what it found, line by line, and how long it took."""

    id: str
    verdict: VerdictWord
    evidence: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Qualification:
    """All checks of one run on one installation. The verdict is on the checks, never on a regulation."""

    results: tuple[CheckResult, ...]
    started: datetime
    seconds: float
    facts: dict[str, Any]

    @property
    def verdict(self) -> VerdictWord:
        """The worst of the checks."""
        return combine(item.verdict for item in self.results)

    def of(self, tests: Iterable[str]) -> VerdictWord:
        """The worst of some checks; inconclusive where there is none."""
        wanted = set(tests)
        return combine(item.verdict for item in self.results if item.id in wanted)

    def clause_verdict(self, clause: Clause) -> VerdictWord | None:
        """What the checks say of a clause; None where no check is about it."""
        return self.of(clause.tests) if clause.tests else None


def run_checks(
    folder: Path | None = None,
    *,
    record: str | None = None,
    checks: Sequence[str] | None = None,
    progress: Progress = silent,
) -> Qualification:
    """Every check, on ledgers of its own in a folder that is removed afterwards.

    - `folder`: on the disk that is to be qualified; the system's folder for temporary files if not given.
    - `record`: the user's own ledger: its keys and its clock are looked at, nothing is written. `checks`: these only.
    """
    wanted = list(checks or CHECKS)
    started, begin = datetime.now(UTC), time.perf_counter()
    results = []
    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".qualify-", dir=folder) as place, _quiet():
            bench = Bench(Path(place), record)
            for number, name in enumerate(wanted):
                progress(number / len(wanted), f"{name}: {check_words(name, 'en')}")
                results.append(_run(name, bench))
            bench.close()
    except OSError as error:
        raise UnavailableError(
            f"the checks cannot be run here: {error.strerror}", remedy="Give a folder that can be written: --out."
        ) from error
    progress(1.0, "done")
    return Qualification(tuple(results), started, time.perf_counter() - begin, bench.evidence)


@contextmanager
def _quiet() -> Iterator[None]:
    """What the checks provoke (a lockout, a refusal) alerts nobody."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _run(name: str, bench: Bench) -> CheckResult:
    begin = time.perf_counter()
    verdict: VerdictWord = "pass"
    try:
        lines = CHECKS[name](bench)
    except CheckFailedError as error:
        verdict, lines = "fail", [str(error)]
    except CheckOpenError as error:
        verdict, lines = "inconclusive", [str(error)]
    except Exception as error:  # noqa: BLE001  # whatever this installation does not survive is a failed check
        verdict, lines = "fail", [f"{type(error).__name__}: {error}"]
    return CheckResult(name, verdict, tuple(lines), time.perf_counter() - begin)


def untested() -> tuple[str, ...]:
    """Checks that no clause names; there should be none but those of the installation."""
    named = {test for clause in clauses() for test in clause.tests}
    return tuple(name for name in CHECKS if name not in named)
