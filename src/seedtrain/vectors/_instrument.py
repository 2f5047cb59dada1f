"""Files of instruments as the tables that assays take: through allotropy, or Allotrope Simple Model JSON itself.

What is read: qPCR (cycle thresholds), digital PCR (partition counts), plate readers (signals) and chromatography (peaks
by name). What the wells hold and how it was diluted is seldom in the file: a layout says it.
**Source** Allotrope Simple Model, adm/pcr and adm/liquid-chromatography; allotropy (Benchling, MIT).
"""

from __future__ import annotations

import csv
import io
import json
import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from warnings import catch_warnings, simplefilter

from seedtrain.base import InputError, Position, SeedtrainError, collect, read_text

ASM: Final = "asm"
"""The instrument's name of a file that is the Allotrope Simple Model as JSON already."""
MOST_DEPTH: Final = 60
WELL: Final = "well"
CONCENTRATION: Final = "copies/uL"
LEAST_TELLING: Final = 50
"""Positive partitions from which on a concentration tells the volume to three digits."""
_FORMS: Final = (
    ("supercoiled", ("supercoil", "ccc", "covalently closed")),
    ("open circular", ("open circ", "relaxed", "nicked", "oc")),
    ("linear", ("linear",)),
    ("multimer", ("dimer", "multimer", "concat")),
)


def instrument_table(path: Path, instrument: str, kind: str, layout: Path | None = None) -> str:
    """The CSV text that the assay `kind` takes, from an instrument's file.

    - `instrument`: a vendor of allotropy, such as `QIACUITY_DPCR` or `CFXMAESTRO`, or `asm`.
    - `layout`: CSV of what the wells hold: `well`, perhaps `target` (then for that target's rows alone), and columns of
      the assay. Its cells go before the file's, and wells that it does not name are left out.

    Raises `InputError` where allotropy is missing, does not know the instrument or the file, or the file holds nothing
    of that kind; `InputErrors` for a layout that does not fit.
    """
    if kind not in _READERS:
        known = ", ".join(_READERS)
        raise InputError(f"files of instruments are not read for {kind}", remedy=f"Give CSV, or one of: {known}.")
    position = Position(str(path))
    if not path.is_file():
        raise InputError("there is no such file", position=position, remedy="Check the path.")
    document = _asm(path) if instrument.lower() == ASM else _converted(path, instrument)
    heads, reader = _READERS[kind]
    rows = [
        {WELL: _well(item), **dict(zip(heads, cells, strict=True))}
        for number, item in enumerate(measurements(document), start=1)
        for cells in reader(item, number)
    ]
    if not rows:
        raise InputError(
            f"the file holds no measurement of {kind}",
            position=position,
            remedy="Check the instrument's name, or export what the assay needs as CSV.",
        )
    if kind == "ddpcr":
        heads, rows = _with_volume(heads, rows)
    if layout is not None:
        heads, rows = _laid_out(heads, rows, layout)
    elif kind == "elisa":
        raise InputError(
            "which well holds which sample and dose is not in an instrument's file",
            position=position,
            remedy="Give a layout (--layout): CSV of well, sample, dose.",
        )
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([heads, *([row.get(head, "") for head in heads] for row in rows)])
    return stream.getvalue()


def _with_volume(heads: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[dict[str, Any]]]:
    """Rows with the partition volume, nL, by which the instrument came from shares to its own concentrations.

    It differs twofold between instruments, and from well to well where the maker corrects it; wells with few positive
    partitions take the median. An instrument that gives no concentrations leaves it to the setting.
    """
    told = {
        index: -math.log1p(-row["positive"] / row["accepted"]) / row[CONCENTRATION] * 1e3
        for index, row in enumerate(rows)
        if row[CONCENTRATION] and LEAST_TELLING <= row["positive"] < row["accepted"]
    }
    kept = [head for head in heads if head != CONCENTRATION]
    if not told:
        return kept, [dict(row) for row in rows]
    middle = statistics.median(told.values())
    return [*kept, "volume"], [{**row, "volume": f"{told.get(index, middle):.4g}"} for index, row in enumerate(rows)]


def _laid_out(
    heads: Sequence[str], rows: Sequence[Mapping[str, Any]], layout: Path
) -> tuple[list[str], list[dict[str, Any]]]:
    """Heads and rows with what the layout says of each well."""
    cells, added = _read_layout(layout)
    found, used = [], set()
    for row in rows:
        keys = [(row[WELL], str(row.get("target", "")).lower()), (row[WELL], "")]
        key = next((item for item in keys if item in cells), None)
        if key is not None:
            used.add(key)
            found.append({**row, **{head: cell for head, cell in cells[key].items() if cell}})
    missing = sorted(" ".join(filter(None, key)) for key in set(cells) - used)
    if missing:
        raise InputError(
            f"the instrument's file holds nothing of {', '.join(missing[:8])}" + (" and others" * (len(missing) > 8)),
            position=Position(str(layout)),
            remedy="Check the names of wells and targets.",
        )
    return [*heads, *(head for head in added if head not in heads)], found


def _read_layout(layout: Path) -> tuple[dict[tuple[str, str], dict[str, str]], list[str]]:
    """Cells by well and target, and the heads beside `well`; the assay checks what the cells hold."""
    rows = list(csv.reader(read_text(layout, what="layout").lstrip("\ufeff").splitlines()))
    heads = [item.strip().lower() for item in rows[0]] if rows else []
    if WELL not in heads:
        raise InputError(
            "the layout has no column 'well'", position=Position(str(layout), 1, 1), remedy="Write: well,role,..."
        )
    found: dict[tuple[str, str], dict[str, str]] = {}
    faults: list[SeedtrainError] = []
    for number, line in enumerate(rows[1:], start=2):
        if not any(item.strip() for item in line):
            continue
        cells = dict(zip(heads, (item.strip() for item in line), strict=False))
        key = well_name(cells.pop(WELL)), cells.get("target", "").lower()
        if len(line) != len(heads) or key in found or not key[0]:
            words = "this well stands twice" if key in found else f"{len(line)} cells under {len(heads)} heads"
            words = words if key[0] else "a line without a well"
            faults.append(InputError(words, position=Position(str(layout), number, 1), remedy="Complete the line."))
        found[key] = cells
    collect(faults)
    return found, [head for head in heads if head != WELL]


def well_name(text: str) -> str:
    """A well's name as all files write it: `a01` and `A1` are one."""
    word = text.strip().upper()
    letters = word.rstrip("0123456789")
    return letters + word[len(letters) :].lstrip("0")


def _well(item: Mapping[str, Any]) -> str:
    return well_name(str(_find(item, "well location identifier", "location identifier") or ""))


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
            wide = path.read_bytes()[:2] in (b"\xff\xfe", b"\xfe\xff")
            return convert(str(path), vendor, encoding="UTF-16") if wide else convert(str(path), vendor)
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


_BLANKS: Final = ("blank", "ntc", "no template", "no-template", "negative")
_CONTROLS: Final = ("positive control", "control")


def _role(item: Mapping[str, Any]) -> str:
    """What a well is, by the role that the file gives it; a control whose name says so is a blank."""
    words = str(_find(item, "sample role type") or "").lower()
    if "standard" in words or "calib" in words:
        return "standard"
    if "control" in words:
        words += " " + str(_find(item, "sample identifier") or "").lower()
    if any(one in words for one in _BLANKS):
        return "blank"
    return "control" if any(one in words for one in _CONTROLS) else "sample"


def _target(item: Mapping[str, Any]) -> str:
    """The target; the dye where the file names none."""
    target = str(_find(item, "target DNA description") or "N/A")
    return target if target != "N/A" else str(_find(item, "reporter dye setting") or "")


def _digital(item: Mapping[str, Any], _number: int) -> Iterator[list[Any]]:
    positive, accepted = _find(item, "positive partition count"), _find(item, "total partition count")
    if positive is not None and accepted:  # a channel that was not read has no partitions
        role = {"blank": "blank", "control": "control"}.get(_role(item), "sample")
        given = _find(item, "number concentration")
        known = given if isinstance(given, (int, float)) and given > 0 else 0.0
        yield [_sample(item), _target(item) or "target", role, int(positive), int(accepted), known]


def _sample(item: Mapping[str, Any]) -> str:
    return str(_find(item, "sample identifier") or "")


def _cycles(item: Mapping[str, Any], number: int) -> Iterator[list[Any]]:
    results = item.get("processed data aggregate document")
    if results is None:
        return
    cycle = _find(results, "cycle threshold result (qPCR)", "cycle threshold result")
    role = {"standard": "standard", "blank": "blank"}.get(_role(item), "unknown")
    copies = _find(item, "quantity", "starting quantity", "Starting Quantity", "Starting Quantity (SQ)")
    name = _sample(item) or f"well {number}"
    yield [role, _target(item), copies if role == "standard" else "", "" if cycle is None else cycle, name]


def _response(item: Mapping[str, Any], _number: int) -> Iterator[list[Any]]:
    """A plate reader's well: its signal; which sample and dose it holds is the layout's to say."""
    value = _find(item, "absorbance", "luminescence", "fluorescence")
    if isinstance(value, (int, float)):
        yield [_sample(item), "", value]


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
    "ddpcr": (["name", "target", "role", "positive", "accepted", CONCENTRATION], _digital),
    "qpcr": (["role", "target", "copies", "cq", "name"], _cycles),
    "elisa": (["sample", "dose", "response"], _response),
    "topology": (["lane", "form", "area"], _peaks),
}
