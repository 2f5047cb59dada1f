"""What a virtual plant remembers of its integrated tanks in a file, so that one that was killed goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from seedtrain.base import InputError, Position, read_text, write_json

Tanks = Mapping[str, Any]


class Memory:
    """The tanks before the phase that was started last, and after it once it has ended.

    An executor that is called again asks either for that phase once more, from its recorded start, or for the next one:
    the one needs what was before, the other what was after. A file of another scenario counts as none.
    """

    def __init__(self, path: Path, scenario: str) -> None:
        self._path = path
        self._kept: dict[str, Any] = {"scenario": scenario, "phase": "", "at": "", "before": {}, "after": None}
        self._fresh = False
        if path.exists():
            self._fresh = self._read(scenario)

    def _read(self, scenario: str) -> bool:
        try:
            data = json.loads(read_text(self._path, what="state of the plant"))
            if data["scenario"] != scenario:
                return False
            self._kept = {name: data[name] for name in self._kept}
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"this is not the state of a virtual plant: {error!r}",
                position=Position(str(self._path)),
                remedy="Remove the file; the plant then starts empty.",
            ) from None
        return True

    def before(self, phase: str, at: datetime, tanks: Tanks) -> Tanks:
        """A phase is about to start: what the tanks must be put back to first (after a kill), else nothing."""
        again = self._fresh and (phase, at.isoformat()) == (self._kept["phase"], self._kept["at"])
        put_back = (self._kept["before"] if again else self._kept["after"] or {}) if self._fresh else {}
        self._fresh = False
        self._kept |= {"phase": phase, "at": at.isoformat(), "before": put_back or dict(tanks), "after": None}
        write_json(self._path, self._kept)
        return dict(put_back)

    def after(self, tanks: Tanks) -> None:
        """A phase has ended."""
        self._kept["after"] = dict(tanks)
        write_json(self._path, self._kept)
