"""Exports of the BioLector: generation 1 (`READING;WELLNUM;...`) and Pro or II (`[key] value`, `Type;Cycle;...`).

**Source** the parsers and example files of bletl (Osthege et al. 2022, Eng. Life Sci. 22:242,
doi:10.1002/elsc.202100108; github.com/JuBiotech/bletl at cc054c0), since the vendor publishes no specification. The
BioLector XT (an archive) and files saved again by BioLection are not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from seedtrain.base import InputError, Position, SeedtrainError, collect
from seedtrain.development._data_check._export_table import EVENTS, ExportTable, Pivot, Suggestion, decoded, unique

CALIBRATED: Final = {"pH": ("pH", ""), "DO": ("DO_percent", "%")}
RAW: Final = "raw phase of an optode: its lot's calibration is not in the file"
LIGHT: Final = "arbitrary units; for biomass write symbol X, unit g/L and a factor of your own calibration"
MOST_FAULTS: Final = 20


@dataclass
class _Reading:
    """What is gathered from one file."""

    path: Path
    faults: list[SeedtrainError] = field(default_factory=list)

    def fault(self, line: int, words: str, remedy: str = "Export the file again.") -> None:
        """A fault at that line."""
        self.faults.append(InputError(words, position=Position(str(self.path), line, 1), remedy=remedy))

    def done(self) -> None:
        """Raise what was found."""
        collect(self.faults[:MOST_FAULTS])


def biolector_tables(path: Path) -> tuple[ExportTable, ...]:
    """Readings by well and filterset, and the comments as events."""
    lines = decoded(path, "latin-1").splitlines()
    if lines and lines[0].startswith("FILENAME;"):
        return _first_generation(path, lines)
    if lines and lines[0].startswith("="):
        return _pro(path, lines)
    raise InputError(
        "this is no export of a BioLector", position=Position(str(path), 1, 1),
        remedy="Give the CSV file that the instrument wrote, or a table with one row of names.",
    )  # fmt: skip


def _first_generation(path: Path, lines: list[str]) -> tuple[ExportTable, ...]:
    reading = _Reading(path)
    top = next((at for at, line in enumerate(lines) if line.startswith("READING;WELLNUM")), None)
    filters = _filtersets(reading, lines[:top])
    if top is None:
        reading.fault(len(lines), "there is no line READING;WELLNUM;...: the measurements are missing")
    reading.done()
    assert top is not None
    names = [name.strip() for name in lines[top].split(";")]
    places = {name: names.index(name) for name in names if name}
    needed = ("READING", "WELLNUM", "FILTERSET", "TIME [h]", "AMPLITUDE", "PHASE")
    for name in needed:
        if name not in places:
            reading.fault(top + 1, f"there is no column {name}")
    reading.done()
    found, said = Pivot("well", "time [h]", "content", "description"), Pivot("time [h]", "words")
    for number, line in enumerate(lines[top + 1 :], top + 2):
        cells = [cell.strip() for cell in line.split(";")]
        if len(cells) < len(needed) or not cells[0]:
            continue
        row = {name: cells[at] if at < len(cells) else "" for name, at in places.items()}
        if row["READING"] == "K":
            said.add(number, {"time [h]": row["TIME [h]"], "words": row.get("COMMENTS", "").strip(" ,")})
        elif re.fullmatch(r"C\d+", row["READING"]):
            _first_reading(reading, number, row, filters, found)
    if not found.rows:
        reading.fault(top + 1, "no well was measured")
    reading.done()
    columns = [item for number, (name, _gain) in filters.items() for item in _suggest(number, name)]
    kept = tuple(item for item in columns if item.column in found.header)
    taken = {*needed, "CONTENT", "DESCRIPTION", "COMMENTS"}
    left = tuple(name for name in places if name not in taken)
    return _tables(path, found, said, "time [h]", "h", kept, left)


def _first_reading(
    reading: _Reading, line: int, row: dict[str, str], filters: dict[str, tuple[str, str]], found: Pivot
) -> None:
    number = row["FILTERSET"].lstrip("0")
    if number not in filters:
        reading.fault(line, f"filterset {row['FILTERSET']!r} is not in the header")
        return
    if not re.fullmatch(r"[A-P]\d\d?", row["WELLNUM"]):
        reading.fault(line, f"{row['WELLNUM']!r} is no well")
        return
    stem = f"{number} {filters[number][0]}"
    cells = {"well": row["WELLNUM"], "time [h]": row["TIME [h]"], "content": row.get("CONTENT", ""),
             "description": row.get("DESCRIPTION", "")}  # fmt: skip
    optode = "-hc" in filters[number][0]
    cells |= {f"{stem} phase": row["PHASE"]} if optode else {f"{stem} amplitude": row["AMPLITUDE"]}
    found.add(line, cells)


def _suggest(number: str, name: str) -> list[Suggestion]:
    if "-hc" in name:
        return [Suggestion(f"{number} {name} phase", f"phase_{_plain(name)}", note=RAW)]
    return [Suggestion(f"{number} {name} amplitude", f"light_{_plain(name)}", note=LIGHT)]


def _filtersets(reading: _Reading, header: list[str]) -> dict[str, tuple[str, str]]:
    """Name and gain of every filterset of the header, by number."""
    top = next((at for at, line in enumerate(header) if line.startswith("FILTERSET;")), None)
    if top is None:
        reading.fault(1, "the header names no FILTERSET;FILTERNAME;...")
        return {}
    names = header[top].split(";")
    found = {}
    for at, line in enumerate(header[top + 1 :], top + 2):
        cells = [cell.strip() for cell in line.split(";")]
        if not cells[0]:
            break
        if not cells[0].isdigit() or len(cells) < 2 or not cells[1]:
            reading.fault(at, f"{line[:40]!r} is no filterset")
            continue
        gain = cells[names.index("GAIN")] if "GAIN" in names and names.index("GAIN") < len(cells) else ""
        found[cells[0].lstrip("0")] = (cells[1], gain)
    return found


def _pro(path: Path, lines: list[str]) -> tuple[ExportTable, ...]:
    reading = _Reading(path)
    top = next((at for at, line in enumerate(lines) if line.startswith("Type;Cycle;Well;")), None)
    if top is None:
        reading.fault(len(lines), "there is no line Type;Cycle;Well;...: the measurements are missing")
    reading.done()
    assert top is not None
    keys = [match.groups() for line in lines[:top] if (match := re.match(r"\[([^\]]+)\]\s?(.*)", line))]
    wells = {k.partition("_")[0].lstrip("0"): v.strip() for k, v in keys if re.fullmatch(r"\d{3}_well", k)}
    channels = {f"{k.partition('_')[0]}": v.strip() for k, v in keys if re.fullmatch(r"\d\d_name", k)}
    kinds = {k.partition("_")[0]: v.strip() for k, v in keys if re.fullmatch(r"\d\d_filter_type", k)}
    for words, known in (("wells ([001_well] ...)", wells), ("channels ([01_name] ...)", channels)):
        if not known:
            reading.fault(top + 1, f"the header names no {words}")
    names = [name.strip() for name in lines[top].split(";")]
    needed = ("Type", "Well", "Filterset", "Time", "AmpRef_1", "Phase", "Cal")
    for name in needed:
        if name not in names:
            reading.fault(top + 1, f"there is no column {name}")
    reading.done()
    found, said = Pivot("well", "time [s]"), Pivot("time [s]", "words")
    for number, line in enumerate(lines[top + 1 :], top + 2):
        if line[1:2] != ";" or line[0] not in "MC":
            continue  # references, parameters, diagnostics, and headers that the instrument repeats
        row = dict(zip(names, (cell.strip() for cell in line.split(";")), strict=False))
        if line[0] == "C":
            words = " ".join(row.get(name, "") for name in ("User_Comment", "Sys_Comment")).strip()
            said.add(number, {"time [s]": row.get("Time", ""), "words": words})
        else:
            _pro_reading(reading, number, row, wells, channels, kinds, found)
    if not found.rows:
        reading.fault(top + 1, "no well was measured")
    reading.done()
    columns = [item for key, name in channels.items() for item in _pro_suggest(key, name, kinds.get(key, ""))]
    kept = tuple(item for item in columns if item.column in found.header)
    left = tuple(name for name in names if name and name not in (*needed, "Cycle", "User_Comment", "Sys_Comment"))
    return _tables(path, found, said, "time [s]", "s", kept, left)


def _pro_reading(
    reading: _Reading, line: int, row: dict[str, str], wells: dict[str, str], channels: dict[str, str],
    kinds: dict[str, str], found: Pivot,
) -> None:  # fmt: skip
    well, key = row.get("Well", "").lstrip("0"), row.get("Filterset", "")
    if well not in wells:
        reading.fault(line, f"well {row.get('Well', '')!r} is not in the header")
    elif key not in channels:
        reading.fault(line, f"filterset {key!r} is not in the header")
    elif "Cal" not in row:
        reading.fault(line, f"the row has {len(row)} cells, too few")
    else:
        name = f"{key} {channels[key]}"
        cells = {"well": wells[well], "time [s]": row["Time"]}
        if kinds.get(key) in CALIBRATED:
            cells |= {f"{name} calibrated": row["Cal"], f"{name} phase": row["Phase"]}
        else:
            cells |= {f"{name} referenced": row["AmpRef_1"]}
        found.add(line, cells)


def _pro_suggest(key: str, name: str, kind: str) -> list[Suggestion]:
    if kind in CALIBRATED:
        symbol, unit = CALIBRATED[kind]
        return [Suggestion(f"{key} {name} calibrated", symbol, unit)]
    return [Suggestion(f"{key} {name} referenced", f"light_{_plain(name)}", note=LIGHT)]


def _tables(
    path: Path, found: Pivot, said: Pivot, time: str, unit: str, columns: tuple[Suggestion, ...], left: tuple[str, ...]
) -> tuple[ExportTable, ...]:
    tables = [ExportTable("", found.sheet(str(path)), "well", time, unit, unique(columns), left=left)]
    if said.rows:
        tables.append(ExportTable(EVENTS, said.sheet(str(path)), "", time, unit, event="words"))
    return tuple(tables)


def _plain(name: str) -> str:
    return re.sub(r"\W+", "_", name).strip("_")
