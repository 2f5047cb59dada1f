"""The plant of a program: its vessels and their limits, the lots in its store, and what goes wrong on purpose."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from seedtrain.automation import FaultEntry, SpeaksEntry
from seedtrain.base import Document, InputError, SeedtrainError, collect, load
from seedtrain.quality import Lot, LotEntry
from seedtrain.simulation import Vessel, VesselEntry

SCALES = ("bench", "pilot", "plant")
_UNIT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,79}")
"""A unit's name as recipes take it. Files of results carry it, so that it must not lead to another folder."""


class PlantEntry(BaseModel):
    """The whole of `plant.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    plant: str
    units: dict[str, VesselEntry] = Field(min_length=1)
    lots: dict[str, LotEntry] = Field(default_factory=dict)
    simulated_faults: list[FaultEntry] = Field(default_factory=list)
    speaks: SpeaksEntry = Field(default_factory=SpeaksEntry)


@dataclass(frozen=True)
class Plant:
    """Vessels by name, lots, planned faults, what a virtual one speaks, and the file for positions."""

    name: str
    vessels: Mapping[str, Vessel]
    lots: tuple[Lot, ...]
    faults: tuple[FaultEntry, ...]
    document: Document
    speaks: SpeaksEntry = field(default_factory=SpeaksEntry)

    def vessel_of_scale(self, scale: str) -> Vessel:
        """The one vessel whose `scale` is bench, pilot or plant."""
        found = [vessel for vessel in self.vessels.values() if vessel.scale == scale]
        if len(found) != 1:
            names = ", ".join(vessel.name for vessel in found) or "none"
            raise self.document.error(
                ("units",),
                f"one unit must have `scale: {scale}`; here: {names}",
                remedy=f"Mark one unit `scale: {scale}`.",
            )
        return found[0]

    def vessel(self, name: str) -> Vessel:
        """The vessel called `name`; an unknown one is an `InputError` with the known ones."""
        try:
            return self.vessels[name]
        except KeyError:
            known = ", ".join(self.vessels)
            raise InputError(f"the plant has no unit {name!r}", remedy=f"Use one of: {known}.") from None


def read_plant(path: Path, scales: Sequence[str] = ()) -> Plant:
    """Read `plant.yaml`; raises `InputErrors` with every fault and its place.

    - `scales`: each has to be that of exactly one unit; a program's plant has all of `SCALES`.
    """
    entry, document = load(path, PlantEntry, what="plant")
    errors: list[SeedtrainError] = []
    for name, unit in entry.units.items():
        if not _UNIT.fullmatch(name):
            remedy = "Write letters, digits, '-', '_', '.' or '+', beginning with a letter or a digit, 80 at most."
            errors.append(document.error(("units", name), f"{name!r} is not a name", remedy=remedy, at_key=True))
        for index, seed in enumerate(unit.seeds):
            if seed not in entry.units:
                place = ("units", name, "seeds", index)
                known = ", ".join(entry.units)
                errors.append(document.error(place, f"there is no unit {seed!r}", remedy=f"Use one of: {known}."))
    for index, fault in enumerate(entry.simulated_faults):
        if fault.unit not in entry.units:
            known = ", ".join(entry.units)
            where = ("simulated_faults", index, "unit")
            errors.append(document.error(where, f"there is no unit {fault.unit!r}", remedy=f"Use one of: {known}."))
    collect(errors)
    plant = Plant(
        entry.plant,
        {name: unit.vessel(name) for name, unit in entry.units.items()},
        tuple(lot.lot(name) for name, lot in entry.lots.items()),
        tuple(entry.simulated_faults),
        document,
        entry.speaks,
    )
    for scale in scales:
        plant.vessel_of_scale(scale)
    return plant
