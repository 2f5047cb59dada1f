"""Stages of a program: keyed by the digest of their inputs, kept whole or not at all, redone when a key changes.

A stage's folder is `stages/<name>/<first 16 digits of its key>/`. It is written beside its place and renamed, so that
a folder that exists is complete; a process killed anywhere leaves at most a temporary folder, which the next run
removes.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import seedtrain
from seedtrain.base import Position, Progress, UnavailableError, digest, digest_bytes, digest_file, write_json

KEPT_RESULTS = 4


@dataclass(frozen=True)
class StageOutput:
    """What a stage leaves: `data` is JSON-ready; `files` are further artefacts by file name."""

    data: Mapping[str, Any]
    files: Mapping[str, bytes | str] = field(default_factory=dict)


@dataclass(frozen=True)
class StageResult:
    """A finished stage: its data, where its files are, the digest of its data, and whether it ran now."""

    name: str
    key: str
    data: Mapping[str, Any]
    folder: Path
    digest: str
    ran: bool


@dataclass(frozen=True)
class Stage:
    """One step of a program.

    - `inputs(results)`: everything that the outcome depends on, as data with a canonical form.
    - `work(results, progress)`: does it. It must give the same data for the same inputs.
    - `holds(result)`: whether what a stored result stands for elsewhere is still there; if not, it is done again.
    """

    name: str
    inputs: Callable[[Mapping[str, StageResult]], Mapping[str, Any]]
    work: Callable[[Mapping[str, StageResult], Progress], StageOutput]
    holds: Callable[[StageResult], bool] = lambda result: True


def run_stage(stage: Stage, results: Mapping[str, StageResult], folder: Path, progress: Progress) -> StageResult:
    """The stored result where its key is unchanged and its files are whole, else a new one."""
    inputs = {"stage": stage.name, "code": code_digest(), "inputs": stage.inputs(results)}
    key = digest(inputs)
    place = folder / stage.name / key[:16]
    stored = _read(stage.name, key, place)
    if stored is not None and stage.holds(stored):
        _touch(place)
        return stored
    output = stage.work(results, progress)
    _write(stage.name, key, place, output)
    _forget_old(folder / stage.name, keep=place)
    written = _read(stage.name, key, place)
    assert written is not None, f"stage {stage.name} does not read back"
    return StageResult(stage.name, key, written.data, place, written.digest, ran=True)


CODE: Final = frozenset({".py", ".pyi", ".yaml", ".typ", ".html", ".css", ".po"})
"""Endings of the files that are Seedtrain's own code."""


@cache
def code_digest() -> str:
    """Digest of Seedtrain's own files: another version of the code is another input of every stage."""
    root = Path(seedtrain.__file__).parent
    names = sorted(path for path in root.rglob("*") if path.suffix in CODE)
    return digest([[str(path.relative_to(root)), digest_file(path)] for path in names])


def _read(name: str, key: str, place: Path) -> StageResult | None:
    """The stored stage, or nothing where it is absent, unreadable or not what was written."""
    try:
        seal = json.loads((place / "stage.json").read_bytes())
        raw = (place / "result.json").read_bytes()
        if seal["key"] != key or seal["result"] != digest_bytes(raw):
            return None
        if any(digest_file(place / file) != found for file, found in seal["files"].items()):
            return None
        return StageResult(name, key, json.loads(raw), place, str(seal["result"]), ran=False)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(name: str, key: str, place: Path, output: StageOutput) -> None:
    temporary = place.with_name(f".{place.name}.{os.getpid()}.tmp")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        for file, content in output.files.items():
            assert Path(file).name == file, f"{file!r} is no plain file name"
            (temporary / file).write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        write_json(temporary / "result.json", output.data)
        files = {file: digest_file(temporary / file) for file in output.files}
        result = digest_file(temporary / "result.json")
        write_json(temporary / "stage.json", {"stage": name, "key": key, "result": result, "files": files})
        shutil.rmtree(place, ignore_errors=True)
        temporary.rename(place)
    except OSError as error:
        raise UnavailableError(
            f"the stage {name} cannot be stored: {error.strerror}",
            position=Position(str(place)),
            remedy="Free space on the disk and run the same command again: finished stages are kept.",
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _touch(place: Path) -> None:
    try:
        os.utime(place)
    except OSError:
        return  # a read-only result is as good


def _forget_old(folder: Path, keep: Path) -> None:
    """Remove what a killed run left and all but the newest results."""
    for leftover in folder.glob(".*.tmp"):
        shutil.rmtree(leftover, ignore_errors=True)
    others = sorted(
        (path for path in folder.iterdir() if path.is_dir() and path != keep),
        key=lambda path: path.stat().st_mtime,
        reverse=True,
    )
    for path in others[KEPT_RESULTS - 1 :]:
        shutil.rmtree(path, ignore_errors=True)
