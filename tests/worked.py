"""The worked example run once for all tests, and the installed command line."""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedtrain.base import canonical_bytes
from seedtrain.record import open_ledger

ROOT = Path(__file__).parent.parent
COLLAGEN = ROOT / "examples" / "collagen"
COMMAND = Path(sys.executable).parent / "seedtrain"
STAGES = ("gene", "verify", "strain", "bench", "scale", "batch", "economics", "gap", "dossier")
"""Of a program without a campaign, as `easy` is."""
CAMPAIGN_STAGES = (
    *("gene", "verify", "strain", "campaign", "before", "fit", "choose", "bench", "scale", "batch", "economics"),
    *("compare", "gap", "dossier"),
)
"""Of the worked example, as `finished` is."""
EASY_NEED = """\
need: easy
title: A need that the process meets
product: product.fasta
amount: 1 kg/year
criteria:
  - {attribute: titre, operator: ">=", value: 0.5 g/L, weight: 3, priority: must}
  - {attribute: purity, operator: ">=", value: 50 %, weight: 1, priority: must}
  - {attribute: cost, operator: "<=", value: 900000 USD/kg, weight: 1, priority: want}
  - {attribute: animal_origin, operator: excludes, value: porcine, weight: 1, priority: want}
"""
"""Met by everything that has an interval, so that the gap has nothing to differentiate and costs little."""


@dataclass(frozen=True)
class Said:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as one JSON document."""
        return json.loads(self.out)


def command(*arguments: object, cwd: Path | None = None, **more: Any) -> Said:
    """The installed command in a process of its own."""
    words = [str(COMMAND), *(str(item) for item in arguments)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=cwd, **more)
    return Said(done.returncode, done.stdout, done.stderr)


def called(*arguments: object) -> Said:
    """The same entry point in this process: no second import of everything."""
    from seedtrain.cli import main

    out, err = io.StringIO(), io.StringIO()
    code: object = None
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(item) for item in arguments])
        except SystemExit as end:
            code = end.code
    assert isinstance(code, int), code
    return Said(code, out.getvalue(), err.getvalue())


def run_stages(folder: Path, *more: object) -> tuple[list[str], dict[str, Any]]:
    """`seedtrain run --json`: the stages that ran, and the whole document."""
    said = called("run", folder, "--json", *more)
    assert said.code == 0, said.out + said.err
    document = said.document
    return [row["stage"] for row in document["stages"] if row["ran"]], document


def edit(path: Path, old: str, new: str) -> int:
    """Replace the one place where `old` stands; **returns** the line (from 1) of it."""
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path}"
    path.write_text(text.replace(old, new))
    return text[: text.index(old)].count("\n") + 1


def copied(source: Path, target: Path) -> Path:
    """A program with everything that its runs left, their times kept."""
    shutil.copytree(source, target, copy_function=shutil.copy2)
    return target


def forget(folder: Path, *stages: str) -> None:
    """Remove what these stages left; with the batch, its ledger too."""
    for stage in stages:
        shutil.rmtree(folder / "out" / "stages" / stage)
    if "batch" in stages:
        for path in (folder / "out").glob("record.db*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.rmtree(folder / "out" / "segments")


UNIQUE = frozenset(
    ("public_key", "sealed_name", "nonce", "checkpoint", "signature", "record_digest", "ledger", "covers", "seqs")
)
"""Fields of payloads that two ledgers of the same batch never share."""
PLACES = frozenset(("acknowledged", "first_seq", "last_seq", "seq"))
"""Fields that name events by their number, which hourly telemetry between them moves."""


def story(folder: Path) -> list[tuple[str, str, bytes]]:
    """The events of a program's ledger: type, subject and what does not differ between two ledgers.

    Hourly telemetry is left out: its files begin and end when readings came. The phases' own are there.
    """
    with open_ledger(folder / "out" / "record.db", create=False, read_only=True) as ledger:
        events = [event for event in ledger.events() if "spool" not in event.payload]
        places = {event.seq: place for place, event in enumerate(events)}
        return [(event.type, event.subject, canonical_bytes(_shared(event.payload, places))) for event in events]


def _shared(value: Any, places: Mapping[int, int], named: bool = False) -> Any:
    """`value` without what is unique; where an event is `named`, by its place among those that count."""
    if isinstance(value, dict):
        return {key: _shared(item, places, key in PLACES) for key, item in value.items() if key not in UNIQUE}
    if isinstance(value, (list, tuple)):
        return [_shared(item, places, named) for item in value]
    return places.get(value, value) if named and isinstance(value, int) else value


def made_once(base: Path, name: str, make: Callable[[Path], None]) -> Path:
    """The folder `base/name`, made by the first of all processes that asks; the others wait for it."""
    folder, ready = base / name, base / f"{name}.ready"
    with _alone(base / f"{name}.lock"):
        if not ready.exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            ready.touch()
    return folder


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def run_collagen(folder: Path) -> None:
    """The README's own command on a copy of the worked example; its document beside the folder."""
    folder.mkdir()
    for path in COLLAGEN.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    said = command("run", folder, "--json")
    assert said.code == 0, said.err
    folder.with_suffix(".json").write_text(said.out)


def run_easy(collagen: Path, folder: Path) -> None:
    """The same with a need that is met and without a campaign: the gene and the strain are taken over."""
    copied(collagen, folder)
    (folder / "need.yaml").write_text(EASY_NEED)
    (folder / "campaign.yaml").unlink()
    (folder / "out" / "history.json").unlink()
    forget(folder, *(name for name in CAMPAIGN_STAGES if name not in ("gene", "verify", "strain")))
    said = command("run", folder, "--json")
    assert said.code == 0, said.err
    folder.with_suffix(".json").write_text(said.out)
