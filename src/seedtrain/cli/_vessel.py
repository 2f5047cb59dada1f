"""`seedtrain vessel`: what the vessels of a plant file can do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE, InputError
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json

if TYPE_CHECKING:
    from seedtrain.simulation import Vessel, VesselCheck

app = App(name="vessel", help="What the vessels of a plant file can do.")


@app.command
def check(
    plant: Path,
    *,
    unit: Annotated[str | None, Parameter(help="One unit of the file; all of them by default.")] = None,
    volume: Annotated[str | None, Parameter(help="Liquid in it, such as 100 L; the highest working volume.")] = None,
    temperature: Annotated[str, Parameter(help="Of the broth.")] = "37 degC",
    dissolved_oxygen: Annotated[str, Parameter(help="What stays dissolved, of air saturation.")] = "30 %",
    common: Common | None = None,
) -> int:
    """Oxygen transfer, cooling, mixing and power of each vessel at its limits, and how far each figure can be trusted.

    Example: seedtrain vessel check examples/collagen/plant.yaml --unit PILOT-200 --volume 100L

    Parameters
    ----------
    plant
        The plant file.
    """
    options = common or Common()
    from seedtrain.base import use_language
    from seedtrain.quantity import parse
    from seedtrain.simulation import check_vessel

    if volume is not None and unit is None:
        raise InputError("--volume fits one vessel, not all", remedy="Name it with --unit.")
    litres = None if volume is None else parse(volume, like="L").magnitude("L")
    degrees, part = parse(temperature, like="degC").magnitude("degC"), parse(dissolved_oxygen, like="").magnitude("")
    if not 0 <= part < 1:
        raise InputError(f"--dissolved-oxygen {dissolved_oxygen}", remedy="Give a part of saturation, 0 to 99 %.")
    if not 0 < degrees <= 40:
        raise InputError(f"--temperature {temperature}", remedy="Give 0 to 40 degC, where the solubility is known.")
    with use_language(options.lang):
        found = [
            check_vessel(vessel, litres, temperature=degrees, dissolved_oxygen=part) for vessel in _vessels(plant, unit)
        ]
        if options.json:
            print_json([item.to_data() for item in found])
        else:
            print("\n\n".join("\n".join(_rows(item)) for item in found))
            print()
            print(_("* outside the range of its source; (a) assumed, (d) derived, (u) its original not checked"))
    return EXIT_DONE


def _vessels(plant: Path, unit: str | None) -> list[Vessel]:
    """The vessels of the file, or the one that is named; every fault of the file's units at once."""
    from seedtrain.base import SeedtrainError, collect, read_document, validate
    from seedtrain.simulation import VesselEntry

    document = read_document(plant)
    units = document.data.get("units") if isinstance(document.data, dict) else None
    if not isinstance(units, dict) or not units:
        raise document.error((), "there are no units", remedy="Describe the vessels under 'units:'.")
    if unit is not None and unit not in units:
        raise document.error(("units",), f"there is no unit {unit!r}", remedy=f"Use one of: {', '.join(units)}.")
    found: list[Vessel] = []
    errors: list[SeedtrainError] = []
    for name in units if unit is None else [unit]:
        try:
            found.append(validate(document, VesselEntry, ("units", name)).vessel(name))
        except SeedtrainError as error:
            errors.append(error)
    collect(errors)
    return found


def _rows(found: VesselCheck) -> list[str]:
    kind = {
        "stirred_tank": _("stirred tank"),
        "airlift": _("airlift"),
        "shake_flask": _("shake flask"),
        "well": _("well"),
        "wave_bag": _("wave bag"),
    }[found.kind]
    held = f"{_number(found.volume)} L" if found.volume >= 1 else f"{_number(found.volume * 1000)} mL"
    place = _("{kind}, {volume} at {temperature} degC").format(
        kind=kind, volume=held, temperature=f"{found.temperature:g}"
    )
    rows = [f"{found.vessel}: {place}"]
    width = max(_width(item.words) for item in found.figures) + 2
    for item in found.figures:
        value = _number(item.low) if item.low == item.high else f"{_number(item.low)} .. {_number(item.high)}"
        mark = {"assumed": " (a)", "derived": " (d)", "unverified": " (u)"}.get(item.status, "")
        outside = "" if item.in_range else " *"
        words = item.words + " " * (width - _width(item.words))
        rows.append(f"  {words}{value + ' ' + item.unit:<26}{item.source}{mark}{outside}".rstrip())
    return [*rows, *(f"  {note}" for note in found.notes)]


def _number(value: float) -> str:
    """Three digits, without an exponent below a million."""
    return f"{float(f'{value:.3g}'):g}"


def _width(words: str) -> int:
    """Columns on a terminal: a Chinese character takes two."""
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in words)
