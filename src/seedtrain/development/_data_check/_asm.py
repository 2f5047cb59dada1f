"""Allotrope Simple Model JSON as tables: whatever quantity a measurement document holds, of any detector.

**Source** Allotrope Foundation, Simple Models (plate-reader and cell-counting, REC/2024), as allotropy (Benchling, MIT)
writes them: `measurement document`, `processed data document`, `sample document`, and data cubes over elapsed time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from warnings import catch_warnings, simplefilter

from seedtrain.base import InputError, Position, UnavailableError, read_text
from seedtrain.development._data_check._export_table import ExportTable, Pivot, Suggestion, unique
from seedtrain.quantity import QuantityError, read_unit

MOST_DEPTH: Final = 60
FACTORS: Final = {"mAU": ("", 1e-3), "10^6 cells/mL": ("cells/mL", 1e6), "(unitless)": ("", 1.0), "#": ("", 1.0),
                  "cell": ("", 1.0)}  # fmt: skip
SYMBOLS: Final = {"viable cell density": "VCD", "total cell density": "TCD", "viability": "viability",
                  "absorbance": "A"}  # fmt: skip
SAMPLE, MEASURED, ELAPSED, SERIES = "sample", "measurement time", "elapsed time [s]", "courses"
SECONDS: Final = {"s": 1.0, "min": 60.0, "h": 3600.0, "ms": 1e-3}
Units = dict[str, tuple[str, str]]


def asm_tables(path: Path, document: Any = None) -> tuple[ExportTable, ...]:
    """Single readings by measurement time, and courses over elapsed time. - `document`: the model, where converted."""
    lines: list[int] = []
    if document is None:
        document, lines = _parsed(path)
    points, courses = Pivot(SAMPLE, MEASURED), Pivot(SAMPLE, ELAPSED)
    units: Units = {}
    left: dict[str, None] = {}
    items = list(_measurements(document, ""))
    for number, (when, item) in enumerate(items):
        line = lines[number] if len(lines) == len(items) else 1
        sample = _sample(item) or f"measurement {number + 1}"
        head = {SAMPLE: sample, MEASURED: when}
        for cells in _rows(_quantities(item, units)):
            points.add(line, head | cells)
        for name, cube in item.items():
            if isinstance(cube, dict) and "cube-structure" in cube:
                _course(path, line, name, cube, sample, courses, units, left)
    tables = []
    for name, found, time, unit in (("", points, MEASURED, "timestamp"), (SERIES, courses, ELAPSED, "s")):
        if found.rows:
            columns = unique(_suggest(column, *units[column]) for column in found.header if column in units)
            tables.append(ExportTable(name, found.sheet(str(path)), SAMPLE, time, unit, columns, left=tuple(left)))
    if not tables:
        raise InputError(
            "the file holds no measurement document with a quantity", position=Position(str(path), 1, 1),
            remedy="Give the Allotrope Simple Model of a measurement, or a table.",
        )  # fmt: skip
    return tuple(tables)


def _parsed(path: Path) -> tuple[Any, list[int]]:
    """The document, and the line of each measurement identifier."""
    text = read_text(path, what="Allotrope Simple Model")
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"this is not JSON: {error.msg}", position=Position(str(path), error.lineno, error.colno),
            remedy="Give the Allotrope Simple Model as JSON.",
        ) from None  # fmt: skip
    except RecursionError:
        raise InputError("the JSON is nested too deep", position=Position(str(path), 1, 1), remedy="Export it again.")\
            from None  # fmt: skip
    return document, [at for at, line in enumerate(text.splitlines(), 1) if '"measurement identifier"' in line]


def converted(path: Path, vendor: str) -> Any:
    """The model that allotropy makes of a vendor's file."""
    if not path.is_file():
        raise InputError("there is no such file", position=Position(str(path)), remedy="Check the path.")
    try:
        with catch_warnings():
            simplefilter("ignore")  # of what allotropy itself imports
            factory: Any = import_module("allotropy.parser_factory")
            convert: Any = import_module("allotropy.to_allotrope").allotrope_from_file
    except ImportError:
        raise UnavailableError(
            "allotropy is not installed", position=Position(str(path)),
            remedy="Run: pip install 'seedtrain[instruments]'; or give the Allotrope Simple Model as JSON.",
        ) from None  # fmt: skip
    vendors = {str(item.name): item for item in factory.Vendor}
    if vendor.upper() not in vendors:
        known = ", ".join(["biolector", "pioreactor", "asm", *sorted(vendors)])
        raise InputError(f"the instrument {vendor!r} is unknown", position=Position(str(path)),
                         remedy=f"Use one of: {known}.")  # fmt: skip
    try:
        with catch_warnings():
            simplefilter("ignore")
            return convert(str(path), vendors[vendor.upper()])
    except Exception as error:  # noqa: BLE001 - its parsers raise anything on a damaged file
        words = (str(error).splitlines() or [type(error).__name__])[0][:300]
        raise InputError(f"allotropy cannot read this as {vendor}: {words}", position=Position(str(path)),
                         remedy="Check the instrument's name, or export again.") from None  # fmt: skip


def _measurements(node: Any, when: str, depth: int = 0) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every measurement document with its time, which may stand on the aggregate around it."""
    if depth > MOST_DEPTH:
        return
    if isinstance(node, dict):
        found = node.get("measurement time")
        when = found if isinstance(found, str) else when
        for key, value in node.items():
            if key == "measurement document" and isinstance(value, list):
                for item in value:
                    if isinstance(item, dict):
                        own = item.get("measurement time")
                        yield (own if isinstance(own, str) else when), item
            else:
                yield from _measurements(value, when, depth + 1)
    elif isinstance(node, list):
        for item in node:
            yield from _measurements(item, when, depth + 1)


def _sample(item: Mapping[str, Any]) -> str:
    about = item.get("sample document")
    if not isinstance(about, dict):
        return ""
    name = about.get("sample identifier")
    place = " ".join(str(about[key]) for key in ("well plate identifier", "location identifier") if about.get(key))
    return str(name or place)


def _quantities(item: Mapping[str, Any], units: Units) -> Iterator[tuple[str, str]]:
    """Name and value of every quantity of a measurement, its results and its analytes; `units` are filled."""
    wavelength = _wavelength(item)
    for document in (item, *_under(item, "processed data document"), *_under(item, "analyte document")):
        analyte = document.get("analyte name")
        for name, value in document.items():
            if not (isinstance(value, dict) and "value" in value and "unit" in value):
                continue
            if isinstance(value["value"], (dict, list)):
                continue
            plain = re.sub(r"\s*\(.*\)$", "", name)
            column = " ".join(part for part in (str(analyte or ""), plain, wavelength) if part)
            unit = str(value["unit"])
            column = f"{column} ({unit})"
            units[column] = (plain if not analyte else str(analyte), unit)
            yield column, "" if value["value"] is None else str(value["value"])


def _under(node: Any, name: str, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    if depth > MOST_DEPTH:
        return
    if isinstance(node, dict):
        for key, value in node.items():
            if key == name and isinstance(value, list):
                yield from (item for item in value if isinstance(item, dict))
            yield from _under(value, name, depth + 1)
    elif isinstance(node, list):
        for item in node:
            yield from _under(item, name, depth + 1)


def _wavelength(item: Mapping[str, Any]) -> str:
    found = {
        str(setting["value"]).removesuffix(".0")
        for control in _under(item, "device control document")
        if isinstance(setting := control.get("detector wavelength setting"), dict) and "value" in setting
    }
    return f"{found.pop()} nm" if len(found) == 1 else ""


def _rows(cells: Iterator[tuple[str, str]]) -> Iterator[dict[str, str]]:
    """Rows of a measurement: what stands twice begins another, so that replicates are kept."""
    row: dict[str, str] = {}
    for name, value in cells:
        if name in row:
            yield row
            row = {}
        row[name] = value
    if row:
        yield row


def _course(
    path: Path, line: int, name: str, cube: Mapping[str, Any], sample: str, courses: Pivot, units: Units,
    left: dict[str, None],
) -> None:  # fmt: skip
    """The rows of a data cube over elapsed time; one over anything else is named in `left`."""
    try:
        shape, data = cube["cube-structure"], cube["data"]
        axis, measure = shape["dimensions"][0], shape["measures"][0]
        if len(shape["dimensions"]) != 1 or axis["concept"] != "elapsed time" or axis["unit"] not in SECONDS:
            left[f"{name}, over {axis['concept']}"] = None
            return
        times, values = data["dimensions"][0], data["measures"][0]
        column = " ".join(part for part in (str(measure["concept"]), _number(cube.get("label"))) if part)
        unit = str(measure["unit"])
        rows = [(float(time) * SECONDS[axis["unit"]], value) for time, value in zip(times, values, strict=True)]
    except (KeyError, IndexError, TypeError, ValueError):
        raise InputError(
            f"sample {sample}: {name} is no data cube of one course", position=Position(str(path), line, 1),
            remedy="Export it again.",
        ) from None  # fmt: skip
    column = f"{column} ({unit})"
    units[column] = (str(measure["concept"]), unit)
    for time, value in rows:
        cell = "" if value is None or isinstance(value, (dict, list)) else str(value)
        courses.add(line, {SAMPLE: sample, ELAPSED: repr(time), column: cell})


def _number(label: Any) -> str:
    text = str(label or "").removesuffix(".0")
    return f"{text} nm" if text.isdigit() else text


def _suggest(column: str, name: str, unit: str) -> Suggestion:
    shown, factor = FACTORS.get(unit, (unit, 1.0))
    note = ""
    try:
        read_unit(shown)
    except QuantityError:
        shown, note = "", f"its unit {unit} is none of SI: taken as a plain number"
    wave = re.search(r"(\d+) nm", column)
    symbol = SYMBOLS.get(name) or re.sub(r"\W+", "_", name).strip("_") or "reading"
    symbol = symbol if symbol[0].isalpha() else f"reading_{symbol}"
    return Suggestion(column, symbol + (wave[1] if wave else ""), shown, factor, note)
