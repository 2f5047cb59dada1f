"""What a fit leaves: a PEtab problem with its estimates, and a culture file with fitted values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

from seedtrain.base import InputError, read_text, write_atomic
from seedtrain.development._estimation._petab_tables import PetabTables
from seedtrain.simulation import Culture

TABLES: Final = {"parameter": "parameters", "condition": "conditions", "observable": "observables",
         "measurement": "measurements"}  # fmt: skip


def write_petab(tables: PetabTables, folder: Path, values: Mapping[str, float] | None = None) -> Path:
    """Write the problem into `folder`, `values` as nominal values of its parameters; the path of its YAML file."""
    names = {kind: f"{name}.tsv" for kind, name in TABLES.items()}
    known = {row["parameterId"] for row in tables.rows("parameter")}
    unknown = sorted(set(values or {}) - known)
    if unknown:
        words = ", ".join(sorted(known))
        raise InputError(f"{tables.name} has no parameter {unknown[0]!r}", remedy=f"Use one of: {words}.")
    new = {name: {"nominalValue": repr(value)} for name, value in (values or {}).items()}
    for kind, name in names.items():
        write_atomic(folder / name, tables.tables[kind].to_tsv(new if kind == "parameter" else None))
    write_atomic(folder / "model.xml", read_text(tables.model, what="SBML model"))
    lines = ["format_version: 1", f"parameter_file: {names['parameter']}", "problems:", "- sbml_files: [model.xml]"]
    lines += [f"  {kind}_files: [{name}]" for kind, name in names.items() if kind != "parameter"]
    path = folder / f"{tables.name}.yaml"
    write_atomic(path, "\n".join(lines) + "\n")
    return path


def culture_text(name_or_path: str | Path) -> str:
    """The text of a culture file: one's own, or a shipped one by its name."""
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml"):
        return read_text(path, what="culture")
    shipped = files("seedtrain.simulation") / "cultures" / f"{path.name}.yaml"
    if not shipped.is_file():
        raise InputError(f"there is no culture {str(name_or_path)!r}", remedy="See: seedtrain culture list")
    return shipped.read_text("utf-8")


def fitted_culture(text: str, culture: Culture, values: Mapping[str, float], source: str, name: str) -> str:
    """The culture file `text` called `name`, with fitted `values` (in the units of `culture`) and their `source`.

    Every line that is not a fitted parameter's stays as it is, but a culture that was verified is so no longer: no
    published number was reproduced with these values. Raises `InputError` where a parameter does not stand in
    one line of its own.
    """
    found = re.sub(r"(?m)^culture:.*$", f"culture: {name}", text, count=1)
    found = re.sub(r"(?m)^status: *verified\b", "status: unverified", found, count=1)
    for symbol, value in values.items():
        about = culture.parameters[symbol]
        pattern = re.compile(rf"(?m)^(\s+){re.escape(symbol)}:\s*\{{(.*)\}}\s*$")
        lines = pattern.findall(found)
        if len(lines) != 1:
            raise InputError(
                f"parameter {symbol} does not stand in one line of the culture file",
                remedy=f"Write it as {symbol}: {{value: ..., range: ..., status: ..., source: ...}}.",
            )
        shown = f"{value!r} {about.unit}".strip()
        low, high = min(about.low, value), max(about.high, value)
        ends = f"range: {low!r} .. {high!r} {about.unit}".rstrip() if low < high else ""
        parts = [f"value: {shown}", *([ends] if ends else []), "status: fitted", f'source: "{source}"']
        line = f"{lines[0][0]}{symbol}: {{{', '.join(parts)}}}"
        found = pattern.sub(line.replace("\\", r"\\"), found, count=1)
    return found
