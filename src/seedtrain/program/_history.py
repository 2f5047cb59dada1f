"""What a program's runs found, one entry for each set of results, so that a run can say what changed since the last."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from seedtrain.base import digest, write_json
from seedtrain.program._engine import StageResult

FILE: Final = "history.json"
KEPT: Final = 50
ABOUT: Final = ("attribute", "unit", "state", "probability")


def remember(out: Path, results: Mapping[str, StageResult]) -> dict[str, Any] | None:
    """What changed since the results before these; nothing for the first.

    These results are added where they are new. Results that were there before keep what they were compared with then,
    so that going back gives the dossier that it gave.
    """
    entries = _read(out / FILE)
    now = _entry(results)
    for at, known in enumerate(entries):
        if known["key"] == now["key"]:
            return changes(entries[at - 1], known) if at else None
    write_json(out / FILE, [*entries, now][-KEPT:])
    return changes(entries[-1], now) if entries else None


def _entry(results: Mapping[str, StageResult]) -> dict[str, Any]:
    stages = {name: result.digest for name, result in results.items() if name != "batch"}
    # The batch's number and signatures differ each time; what it says does not.
    stages["batch"] = digest(results["batch"].data["content"])
    rows = [
        {name: row.get(name) for name in ABOUT} | {"value": row["prediction"]["value"] if row["prediction"] else None}
        for row in results["gap"].data["criteria"]
    ]
    fitted = results["fit"].data["parameters"] if "fit" in results else []
    return {
        "key": digest(stages),
        "stages": stages,
        "criteria": rows,
        "parameters": {row["name"]: [row["value"], row["unit"]] for row in fitted},
    }


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Stages with another result, criteria and fitted parameters that moved."""
    known = {row["attribute"]: row for row in before["criteria"]}
    moved = [
        {"before": known.get(row["attribute"]), "now": row}
        for row in now["criteria"]
        if known.get(row["attribute"]) != row
    ]
    parameters = [
        {"name": name, "unit": unit, "before": before["parameters"].get(name, [None])[0], "now": value}
        for name, (value, unit) in now["parameters"].items()
        if before["parameters"].get(name) != [value, unit]
    ]
    stages = [name for name, found in now["stages"].items() if before["stages"].get(name) != found]
    return {"stages": stages, "criteria": moved, "parameters": parameters}


def _read(path: Path) -> list[dict[str, Any]]:
    """The entries; a file that is not there, or damaged, counts as none."""
    try:
        entries = json.loads(path.read_bytes())
        return [item for item in entries if {"key", "stages", "criteria", "parameters"} <= set(item)]
    except (OSError, ValueError, TypeError):
        return []
