"""Readings as a user keeps them: a table and its mapping in a folder, and the command line run there."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from seedtrain.cli import main
from seedtrain.development import MeasuredRun

COLUMNS = {"biomass [g/L]": "X", "glucose [g/L]": "S"}


class Done(NamedTuple):
    """What a command left."""

    returncode: int
    stdout: str
    stderr: str


def command(folder: Path, *words: str) -> Done:
    """`seedtrain words` with the folder as working directory."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(list(words))
            code = 0
        except SystemExit as left:
            code = int(left.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


def keep_readings(folder: Path, runs: Sequence[MeasuredRun], columns: Mapping[str, str] = COLUMNS) -> None:
    """Simulated readings of `runs` as assays.csv, and mapping.yaml, drafted by the tool and filled in by hand."""
    lines = [",".join(["run", "time [h]", *columns])]
    for item in runs:
        rows = zip(item.run.time, *(item.run[symbol] for symbol in columns.values()), strict=True)
        lines += [f"{item.name}," + ",".join(f"{value:.5g}" for value in row) for row in rows]
    (folder / "assays.csv").write_text("\n".join(lines))
    done = command(folder, "data", "check", "assays.csv", "--draft", "mapping.yaml")
    assert done.returncode == 0, done.stderr
    text = (folder / "mapping.yaml").read_text().replace("origin: measured", "origin: simulated")
    for item in runs:
        about = f"feed_factor: {item.feed_factor}, initial: {json.dumps(dict(item.initial))}"
        text = text.replace(f'"{item.name}": {{scale: bench}}', f'"{item.name}": {{{about}}}')
    (folder / "mapping.yaml").write_text(text)
