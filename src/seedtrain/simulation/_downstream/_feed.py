"""A stream from a file: what a user hands to purification, with units and the place of every fault."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from seedtrain.base import Document, SeedtrainError, collect, load
from seedtrain.quantity import Measure, Quantity
from seedtrain.simulation._stream import COMPONENTS, Stream

ENDOTOXIN: Final = "endotoxin"
HEAVIEST: Final = 3000.0
"""g/L; more is no liquid that a purification takes, assumed."""


class _StreamEntry(BaseModel):
    """A stream file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stream: str = Field(min_length=1)
    volume: Annotated[Quantity, Measure("L")]
    composition: dict[str, Annotated[Quantity, Measure("g/L")]]
    endotoxin: Annotated[Quantity, Measure("EU/L")] = Quantity(0.0, "EU/L")
    temperature: Annotated[Quantity, Measure("degC")] = Quantity(20.0, "degC")
    pH: Annotated[Quantity, Measure("")] = Quantity(7.0, "")
    in_solids: dict[str, Annotated[Quantity, Measure("")]] = Field(default_factory=dict)
    particle_size: Annotated[Quantity, Measure("um")] = Quantity(1.0, "um")


def read_stream(path: Path) -> Stream:
    """The stream that the YAML (or JSON) file at `path` describes.

    Keys: `stream` (a name), `volume`, `composition` (component: concentration), `endotoxin` per volume, `temperature`,
    `pH`, `in_solids` (component: the part of it in or on particles), `particle_size`. Water that is not named fills the
    volume. Raises `InputError`s with file, line and column, all faults of the file at once.
    """
    entry, document = load(path, _StreamEntry, what="stream file")
    collect(_faults(entry, document))
    volume = entry.volume.magnitude("L")
    masses = {name: value.magnitude("g/L") * volume for name, value in entry.composition.items()}
    if "water" not in masses:
        # A dissolved or wet gram takes the place of three quarters of a gram of water, about as protein does.
        masses["water"] = max(0.0, 1000.0 * volume - 0.75 * sum(masses.values()))
    endotoxin = entry.endotoxin.magnitude("EU/L") * volume
    whole = {**masses, ENDOTOXIN: endotoxin}
    return Stream(
        name=entry.stream,
        volume=volume,
        masses=masses,
        endotoxin=endotoxin,
        temperature=entry.temperature.magnitude("degC"),
        pH=entry.pH.magnitude(""),
        in_solids={name: value.magnitude("") * whole.get(name, 0.0) for name, value in entry.in_solids.items()},
        particle_size=entry.particle_size.magnitude("um"),
    )


def _faults(entry: _StreamEntry, document: Document) -> list[SeedtrainError]:
    """What the types do not see."""
    found: list[SeedtrainError] = []

    def fault(place: tuple[str, ...], words: str, remedy: str, *, at_key: bool = False) -> None:
        found.append(document.error(place, words, remedy=remedy, at_key=at_key))

    for name, lowest, highest in (("volume", 1e-9, 1e9), ("particle_size", 1e-3, 1e4), ("pH", 0.0, 14.0)):
        unit = {"volume": "L", "particle_size": "um", "pH": ""}[name]
        value = getattr(entry, name).magnitude(unit)
        if not lowest <= value <= highest:
            fault((name,), f"{value:g} {unit} is not from {lowest:g} to {highest:g}", "Correct it.")
    if not -20.0 <= entry.temperature.magnitude("degC") <= 100.0:
        fault(("temperature",), f"{entry.temperature} is not from -20 to 100 degC", "Correct it.")
    if entry.endotoxin.value < 0:
        fault(("endotoxin",), f"{entry.endotoxin} is below 0", "Give 0 EU/L or more.")
    for name, value in entry.composition.items():
        if name not in COMPONENTS:
            words = f"a stream knows no component {name!r}"
            fault(("composition", name), words, f"Use one of: {', '.join(COMPONENTS)}.", at_key=True)
        elif not 0 <= value.magnitude("g/L") <= HEAVIEST:
            fault(("composition", name), f"{value} is not from 0 to {HEAVIEST:g} g/L", "Correct it.")
    for name, value in entry.in_solids.items():
        if name != ENDOTOXIN and name not in entry.composition:
            words = f"the composition holds no {name!r}"
            fault(("in_solids", name), words, "Name it there, or leave it out here.", at_key=True)
        elif not 0 <= value.magnitude("") <= 1:
            fault(("in_solids", name), f"{value} is no part of it", "Give 0 to 100 %.")
    if not entry.composition.get("product", Quantity(0.0, "g/L")).value > 0:
        fault(("composition",), "there is no product to purify", "Name product with a concentration above 0.")
    return found
