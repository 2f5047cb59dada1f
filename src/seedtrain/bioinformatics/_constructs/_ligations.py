"""Tables of ligations between overhangs: the published ones, which ship, or a file of the user's.

`ligations.csv` holds the counts of tables S1 to S4 of Pryor et al. 2020, PLoS ONE 15:e0238592 (CC BY 4.0), without the
zeros and each pair once, for the tables are symmetric: `condensed` makes it from the publisher's workbooks.
"""

from __future__ import annotations

import csv
import importlib
import io
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from seedtrain.base import InputError, Position, UnavailableError, digest_file, read_text
from seedtrain.bioinformatics._constructs._overhangs import Counts
from seedtrain.bioinformatics._hosts import reverse_complement

PUBLISHED: Final = {
    "320dd058f3ca6372768c7ddfe9cda2a2ea2a076c4f86dd08587d8f295aae1d15": "BsaI-HFv2",
    "7c444e99e5e4d245461a892e8543a35c84987f93abcee7098de9d9d817237e94": "BsmBI-v2",
    "1557e62cfa4f89cd021420b75e145dae2f453ecf26dcca340a8c29008736ea66": "Esp3I",
    "56143bb445e6d84bba646429402e0948793395269cc5d8ba0e80962c0cac6492": "BbsI-HF",
}
"""SHA-256 of the tables S1 to S4 of Pryor et al. 2020, PLoS ONE 15:e0238592 (CC BY 4.0), and the enzyme of each."""


SHIPPED: Final = {
    "BsaI": "BsaI-HFv2",
    "Eco31I": "BsaI-HFv2",
    "BsmBI": "BsmBI-v2",
    "Esp3I": "Esp3I",
    "BbsI": "BbsI-HF",
    "BpiI": "BbsI-HF",
}
"""The table that stands for an enzyme of REBASE; Eco31I and BpiI cut as BsaI and BbsI do, and were not measured."""
_FILE: Final = Path(__file__).parent / "ligations.csv"


def table_name(path: Path) -> str:
    """What the evidence calls a table: the published one by its enzyme, another by its file."""
    enzyme = PUBLISHED.get(digest_file(path))
    return published_name(enzyme) if enzyme else path.name


def published_name(measured: str) -> str:
    """What the evidence calls a published table."""
    return f"{measured} with T4 ligase, Pryor et al. 2020"


def shipped_counts(enzyme: str) -> tuple[Counts, str] | None:
    """The published ligations of a type IIS enzyme and what the evidence calls them; None for one not measured."""
    measured = SHIPPED.get(enzyme)
    return (_shipped()[measured], published_name(measured)) if measured else None


@cache
def _shipped() -> dict[str, Counts]:
    lines = [line for line in _FILE.read_text("utf-8").splitlines() if not line.startswith("#")]
    (_one, _other, *names), *rows = csv.reader(lines)
    tables: dict[str, dict[str, dict[str, int]]] = {name: {} for name in names}
    for one, other, *counts in rows:
        for name, count in zip(names, map(int, counts), strict=True):
            tables[name].setdefault(one, {})[other] = count
            tables[name].setdefault(other, {})[one] = count
    assert all(len(table) == 4**4 for table in tables.values())
    return dict(tables)


def condensed(workbooks: Sequence[Path]) -> str:
    """The text of `ligations.csv`, made from the publisher's workbooks S1 to S4."""
    tables = [read_counts(path) for path in workbooks]
    names = [PUBLISHED[digest_file(path)] for path in workbooks]
    overhangs = sorted(tables[0])
    lines = [
        "# Ligations counted between overhangs: tables S1 to S4 of Pryor JM, Potapov V, Kucera RB, Bilotti K,",
        "# Cantor EJ, Lohman GJS 2020, PLoS ONE 15:e0238592, doi 10.1371/journal.pone.0238592. Copyright Pryor et al.,",
        "# licensed under CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/). Changed: no zeros, each pair once.",
        ",".join(["one", "other", *names]),
    ]
    for number, one in enumerate(overhangs):
        for other in overhangs[number:]:
            counts = [table[one].get(other, 0) for table in tables]
            assert counts == [table[other].get(one, 0) for table in tables], "the tables are symmetric"
            if any(counts) or one == other:
                lines.append(",".join([one, other, *map(str, counts)]))
    return "\n".join(lines) + "\n"


def read_counts(path: Path) -> Counts:
    """A table of ligations: overhangs in the first row and the first column, counts of events.

    Raises `InputError` with line and column, `UnavailableError` for a workbook where openpyxl is not installed.
    """
    rows = _workbook(path) if path.suffix.lower() == ".xlsx" else _comma_separated(path)
    if not rows or len(rows[0]) < 3:
        remedy = "Give the table of counts, CSV or xlsx."
        raise InputError("this is no table of ligations", position=Position(str(path)), remedy=remedy)
    heads = [item.strip().upper() for item in rows[0][1:]]
    found: dict[str, dict[str, int]] = {}
    for number, row in enumerate(rows[1:], start=2):
        if "".join(row).strip():
            name, counts = _row(row, len(heads), Position(str(path), number, 1))
            found[name] = dict(zip(heads, counts, strict=True))
    missing = sorted({reverse_complement(name) for name in found} - set(found))
    if missing:
        raise InputError(
            f"the table lacks {', '.join(missing[:5])}", position=Position(str(path)), remedy="Give the whole table."
        )
    return found


def _row(row: Sequence[str], width: int, where: Position) -> tuple[str, list[int]]:
    name = row[0].strip().upper()
    if not re.fullmatch("[ACGT]{3,4}", name) or len(row) != width + 1:
        raise InputError(
            f"{row[0]!r} with {len(row) - 1} counts", position=where, remedy=f"Give an overhang and {width} counts."
        )
    try:
        return name, [int(float(value or 0)) for value in row[1:]]
    except (ValueError, OverflowError) as error:
        raise InputError(f"a count is no number: {error}", position=where, remedy="Give counts.") from None


def _comma_separated(path: Path) -> list[list[str]]:
    text = read_text(path, what="table of ligations")
    return list(csv.reader(io.StringIO(text.lstrip("\ufeff"))))


def _workbook(path: Path) -> list[list[str]]:
    """The first sheet of a workbook."""
    try:
        openpyxl: Any = importlib.import_module("openpyxl")
    except ImportError:
        remedy = "Install it: pip install 'seedtrain[tables]'; or save the table as CSV."
        raise UnavailableError("reading .xlsx needs openpyxl", position=Position(str(path)), remedy=remedy) from None
    if not path.is_file():
        raise InputError("there is no table of ligations", position=Position(str(path)), remedy="Check the path.")
    try:
        with path.open("rb") as stream:
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
            rows = list(book.worksheets[0].iter_rows(values_only=True))
    except Exception as error:  # noqa: BLE001 - openpyxl raises anything on a damaged file
        remedy = "Save it as .xlsx again, or as CSV."
        raise InputError(f"this is no workbook: {error}", position=Position(str(path)), remedy=remedy) from None
    return [["" if cell is None else str(cell) for cell in row] for row in rows]
