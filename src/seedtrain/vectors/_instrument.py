"""Files of instruments as the tables that assays take: through allotropy, or Allotrope Simple Model JSON itself.

What is read: qPCR (cycle thresholds), digital PCR (partition counts) and chromatography (peaks by name).
**Source** Allotrope Simple Model, adm/pcr and adm/liquid-chromatography; allotropy (Benchling, MIT).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from warnings import catch_warnings, simplefilter

from seedtrain.base import InputError, Position, read_text

ASM: Final = "asm"
"""The instrument's name of a file that is the Allotrope Simple Model as JSON already."""
MOST_DEPTH: Final = 60
_FORMS: Final = (
    ("supercoiled", ("supercoil", "ccc", "covalently closed")),
    ("open circular", ("open circ", "relaxed", "nicked", "oc")),
    ("linear", ("linear",)),
    ("multimer", ("dimer", "multimer", "concat")),
)


def instrument_table(path: Path, instrument: str, kind: str) -> str:
    """The CSV text that the assay `kind` takes, from an instrument's file.

    - `instrument`: a vendor of allotropy, such as `QIACUITY_DPCR` or `CFXMAESTRO`, or `asm`.

    Raises `InputError` where allotropy is missing, does not know the instrument or the file, or the file holds nothing
    of that kind.
    """
    if kind not in _READERS:
        known = ", ".join(_READERS)
        raise InputError(f"files of instruments are not read for {kind}", remedy=f"Give CSV, or one of: {known}.")
    position = Position(str(path))
    if not path.is_file():
        raise InputError("there is no such file", position=position, remedy="Check the path.")
    document = _asm(path) if instrument.lower() == ASM else _converted(path, instrument)
    heads, reader = _READERS[kind]
    rows = [cells for number, item in enumerate(measurements(document), start=1) for cells in reader(item, number)]
    if not rows:
        raise InputError(
            f"the file holds no measurement of {kind}",
            position=position,
            remedy="Check the instrument's name, or export what the assay needs as CSV.",
        )
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([heads, *rows])
    return stream.getvalue()


def _asm(path: Path) -> Any:
    try:
        return json.loads(read_text(path, what="file of the instrument"))
    except json.JSONDecodeError as error:
        raise InputError(
            f"this is not JSON: {error.msg}",
            position=Position(str(path), error.lineno, error.colno),
            remedy="Give the Allotrope Simple Model as JSON, or name the instrument.",
        ) from None


def _converted(path: Path, instrument: str) -> Any:
    try:
        with catch_warnings():
            simplefilter("ignore")  # of what allotropy itself imports
            factory: Any = import_module("allotropy.parser_factory")
            convert: Any = import_module("allotropy.to_allotrope").allotrope_from_file
            refused: Any = import_module("allotropy.exceptions").AllotropyError
    except ModuleNotFoundError:
        raise InputError(
            "allotropy is not installed, and files of instruments cannot be read without it",
            remedy="Run: pip install 'seedtrain[instruments]', or export the table as CSV.",
        ) from None
    vendors = {str(item.name): item for item in factory.Vendor}
    vendor = vendors.get(instrument.upper().replace("-", "_"))
    if vendor is None:
        known = ", ".join(sorted(vendors))
        raise InputError(f"allotropy knows no instrument {instrument!r}", remedy=f"Use asm, or one of: {known}.")
    try:
        with catch_warnings():
            simplefilter("ignore")
            return convert(str(path), vendor)
    except (refused, ValueError, KeyError, OSError) as error:
        words = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        raise InputError(
            f"allotropy cannot read this as {vendor.name}: {words}",
            position=Position(str(path)),
            remedy="Check the instrument's name, export again, or give CSV.",
        ) from error


def measurements(node: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """Every entry of every `measurement document`, in the order of the file."""
    if depth > MOST_DEPTH:
        return
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "measurement document" and isinstance(value, list):
                yield from (item for item in value if isinstance(item, dict))
            else:
                yield from measurements(value, depth + 1)
    elif isinstance(node, list):
        for item in node:
            yield from measurements(item, depth + 1)


def _find(node: Any, *names: str) -> Any:
    """The first value under one of these keys, however deep; a quantity's number."""
    if isinstance(node, dict):
        for name in names:
            if name in node:
                value = node[name]
                return value.get("value") if isinstance(value, dict) and "value" in value else value
        for value in node.values():
            found = _find(value, *names)
            if found is not None:
                return found
    elif isinstance(node, list):
        for item in node:
            found = _find(item, *names)
            if found is not None:
                return found
    return None


def _role(item: Mapping[str, Any]) -> str:
    words = str(_find(item, "sample role type") or "").lower()
    if "standard" in words or "calib" in words:
        return "standard"
    return "blank" if any(one in words for one in ("blank", "ntc", "no template", "negative")) else "sample"


def _digital(item: Mapping[str, Any], _number: int) -> Iterator[list[Any]]:
    positive, accepted = _find(item, "positive partition count"), _find(item, "total partition count")
    if positive is not None and accepted is not None:
        role = "blank" if _role(item) == "blank" else "sample"
        series = _find(item, "sample identifier") or "1"
        yield [_find(item, "target DNA description") or "target", role, series, int(positive), int(accepted)]


def _cycles(item: Mapping[str, Any], number: int) -> Iterator[list[Any]]:
    results = item.get("processed data aggregate document")
    if results is None:
        return
    cycle = _find(results, "cycle threshold result (qPCR)", "cycle threshold result")
    role = {"sample": "unknown"}.get(_role(item), _role(item))
    copies = _find(item, "quantity", "starting quantity", "Starting Quantity", "Starting Quantity (SQ)")
    name = _find(item, "sample identifier") or f"well {number}"
    yield [role, copies if role == "standard" else "", "" if cycle is None else cycle, name]


def _peaks(item: Mapping[str, Any], number: int) -> Iterator[list[Any]]:
    peaks = _find(item, "peak")
    lane = f"{_find(item, 'sample identifier', 'measurement identifier') or 'injection'} {number}"
    for peak in peaks if isinstance(peaks, list) else []:
        area = _find(peak, "peak area")
        if isinstance(area, (int, float)) and area >= 0:
            name = str(_find(peak, "written name", "component name", "peak name", "identifier") or "")
            yield [lane, form_of(name), area]


def form_of(name: str) -> str:
    """A form of plasmid DNA from a peak's name; `other` for one that says none."""
    words = name.lower()
    for form, marks in _FORMS:
        if any(mark in words if len(mark) > 2 else mark in words.split() for mark in marks):
            return form
    return "other"


_Reader = Callable[[Mapping[str, Any], int], Iterator[list[Any]]]
_READERS: Final[Mapping[str, tuple[list[str], _Reader]]] = {
    "ddpcr": (["target", "role", "series", "positive", "accepted"], _digital),
    "qpcr": (["role", "copies", "cq", "name"], _cycles),
    "topology": (["lane", "form", "area"], _peaks),
}
