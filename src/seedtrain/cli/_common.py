"""What every command shares: the options, printing for people and for machines, errors and progress."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from seedtrain.base import Progress, SeedtrainError, finite, silent


@Parameter(name="*")
@dataclass(frozen=True)
class Common:
    """Options of every command."""

    json: Annotated[bool, Parameter(help="Print one JSON document for machines.", negative="")] = False
    lang: Annotated[Literal["en", "zh"], Parameter(help="Language of what people read.", env_var="SEEDTRAIN_LANG")] = (
        "en"
    )


def print_json(value: Any) -> None:
    """One JSON document on standard output; not-a-number becomes null."""
    print(json.dumps(finite(value), ensure_ascii=False, indent=2, allow_nan=False))


def report_error(error: SeedtrainError, *, as_json: bool) -> None:
    """Say what was wrong, where and what to do: on standard error, or as JSON on standard output."""
    if as_json:
        entries = [
            {
                "message": item.message,
                "file": item.position.file if item.position else None,
                "line": item.position.line or None if item.position else None,
                "column": item.position.column or None if item.position else None,
                "remedy": item.remedy or None,
            }
            for item in error.parts
        ]
        print_json({"errors": entries, "exit_code": error.exit_code})
        return
    print(str(error), file=sys.stderr)
    if len(error.parts) > 1:
        print(f"{len(error.parts)} faults", file=sys.stderr)


@contextmanager
def shown_progress(*, as_json: bool) -> Iterator[Progress]:
    """A bar on a terminal, a line a stage elsewhere, both on standard error; nothing under `--json`."""
    if as_json:
        yield silent
        return
    if not sys.stderr.isatty():
        last = ""

        def tell(done: float, words: str) -> None:
            nonlocal last
            stage = words.partition(":")[0]
            if stage != last:
                print(f"[{100 * done:3.0f} %] {stage}", file=sys.stderr, flush=True)
                last = stage

        yield tell
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description:<40}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", total=1.0)
        yield lambda done, words: bars.update(task, completed=done, description=words)
