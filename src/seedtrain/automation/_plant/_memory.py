"""What a virtual plant remembers of its integrated tanks in a file, so that one that was killed goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from seedtrain.base import InputError, Position, read_text, write_json

Tanks = Mapping[str, Any]
_FIELDS: Final = frozenset({"phase", "at", "before", "after"})


class Memory:
    """Of every unit: the tanks that its last phase found when it started, and its own once that has ended.

    An executor that is called again asks each unit either for that phase once more, from its recorded start, or for the
    next one: the one needs what was before, the other what was after. Units do not know of each other: each goes back
    to the start of its own phase, however many ran at one time. A file of another scenario counts as none.

    - `own`: whether a file of another scenario is refused instead, for it would be overwritten.
    """

    def __init__(self, path: Path, scenario: str, *, own: bool = False) -> None:
        self._path, self._own = path, own
        self._scenario = scenario
        self._units: dict[str, dict[str, Any]] = {}
        self._fresh: set[str] = set()
        if path.exists():
            self._read()

    def _read(self) -> None:
        try:
            data = json.loads(read_text(self._path, what="state of the plant"))
            if data["scenario"] != self._scenario:
                self._of_another()
                return
            units = {str(name): dict(kept) for name, kept in data["units"].items()}
            if any(set(kept) != _FIELDS for kept in units.values()):
                raise KeyError("a unit's phase, at, before and after")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"this is not the state of a virtual plant: {error!r}",
                position=Position(str(self._path)),
                remedy="Remove the file; the plant then starts empty.",
            ) from None
        self._units, self._fresh = units, set(units)

    def _of_another(self) -> None:
        if self._own:
            raise InputError(
                "these are tanks of another plant: its file, recipe, unit, or seed differs",
                position=Position(str(self._path)),
                remedy="Start it as it was started then, or give another --state; this file would be overwritten.",
            )

    def tanks(self) -> Tanks:
        """Every tank as it was heard of last: after its phase, or before the one that had not ended."""
        return {name: kept["after"] or kept["before"][name] for name, kept in self._units.items()}

    def before(self, unit: str, phase: str, at: datetime, tanks: Tanks) -> Tanks:
        """A phase is about to start that finds `tanks`, its unit's own and what it draws from: what they must be put
        back to first, where a killed plant is asked for the same one again; else nothing."""
        kept, asked = self._units.get(unit, {}), {"phase": phase, "at": at.isoformat()}
        put_back: dict[str, Any] = {}
        if unit in self._fresh and asked.items() <= kept.items():
            put_back = {name: tank for name, tank in kept["before"].items() if self._untouched(name, unit, at)}
        self._fresh.discard(unit)
        self._units[unit] = {**asked, "before": {**tanks, **put_back}, "after": None}
        self._write()
        return put_back

    def _untouched(self, name: str, unit: str, at: datetime) -> bool:
        """Whether a tank has no phase of its own since `at`, of which it would know more."""
        kept = self._units.get(name)
        return name == unit or kept is None or datetime.fromisoformat(kept["at"]) <= at

    def after(self, tanks: Tanks) -> None:
        """A phase of each of these units has ended."""
        for name, tank in tanks.items():
            if name in self._units:
                self._units[name]["after"] = tank
        self._write()

    def _write(self) -> None:
        write_json(self._path, {"scenario": self._scenario, "units": self._units})
