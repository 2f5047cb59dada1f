"""A campaign's own readings: the runs at the bench, and what each was set to."""

from __future__ import annotations

from typing import Final

import numpy as np

from seedtrain.base import InputError, Position, SeedtrainError, collect
from seedtrain.development import Dataset, Sheet, read_data, read_sheet_as_written, split_header
from seedtrain.program._campaign import Campaign, Factor
from seedtrain.program._virtual import Floats, check_apart
from seedtrain.quantity import QuantityError, convert
from seedtrain.recipe import MasterRecipe

BENCH: Final = ("", "bench")
"""Scales of runs that tell of the bench; those without one are taken for it."""


def own_data(campaign: Campaign) -> Dataset:
    """The readings that the campaign names; raises `InputErrors` with every fault of their mapping and tables."""
    return read_data(campaign.folder / campaign.entry.data)


def own_settings(campaign: Campaign, data: Dataset, recipe: MasterRecipe) -> tuple[list[str], Floats]:
    """The bench runs of `data`, and what each was set to ("run, factor").

    The campaign's `sheet` says it, or, without one, `set` of each run in the mapping; what a mapping leaves out was as
    the recipe says. Raises `InputError` with its place for runs that nothing says it of, and for factors whose
    effects the runs cannot tell apart.
    """
    names = [name for name in data.runs if data.about[name].scale in BENCH]
    sheet = campaign.entry.sheet
    place = Position(str(campaign.folder / (sheet or campaign.entry.data)))
    if not names:
        raise InputError("no run is of scale bench", position=place, remedy="Give runs `scale: bench` in the mapping.")
    settings = np.array(_of_sheet(campaign, names) if sheet else _of_mapping(campaign, data, names, recipe))
    try:
        check_apart(campaign, settings)
    except InputError as error:
        raise InputError(error.message, position=place, remedy=error.remedy) from None
    return names, settings


def check_own(campaign: Campaign, recipe: MasterRecipe, bench: str) -> None:
    """Refuse, before any stage has run, readings that the campaign could not use.

    - `bench`: the program's bench vessel. Raises `InputErrors`: of the mapping, of what runs were set to, of symbols
      that the campaign measures and nobody read, of runs from another vessel.
    """
    if not campaign.entry.data:
        return
    data = own_data(campaign)
    names, _settings = own_settings(campaign, data, recipe)
    faults: list[SeedtrainError] = []
    for at, item in enumerate(campaign.assays):
        if not any(item.symbol in data.runs[name].variables for name in names):
            read = sorted({symbol for name in names for symbol in data.runs[name].variables})
            words = f"no bench run of {campaign.entry.data} has readings of {item.symbol}"
            remedy = f"Take it out, or name its column in the mapping; read are: {', '.join(read)}."
            faults.append(campaign.document.error(("measure", at, "symbol"), words, remedy=remedy))
    others = {name: data.about[name].vessel for name in names if data.about[name].vessel not in ("", bench)}
    if others:
        words = f"{', '.join(others)} ran in {', '.join(sorted(set(others.values())))}; the bench vessel is {bench}"
        remedy = "Correct the vessel in the mapping, or put that vessel into plant.yaml as the one of scale bench."
        faults.append(campaign.document.error(("data",), words, remedy=remedy))
    collect(faults)


def _of_sheet(campaign: Campaign, names: list[str]) -> list[list[float]]:
    path = campaign.folder / campaign.entry.sheet
    sheet = read_sheet_as_written(path)
    columns = [(item, *_column(sheet, item)) for item in campaign.factors]
    run = sheet.column("run")
    rows: dict[str, list[float]] = {}
    for at, cells in enumerate(sheet.rows):
        try:
            rows[cells[run]] = [convert(float(cells[column]), unit, item.unit) for item, column, unit in columns]
        except ValueError:
            raise InputError(
                f"run {cells[run]} has a setting that is no number", position=sheet.place(at),
                remedy="Write numbers in the units of the header.",
            ) from None  # fmt: skip
    lost = [name for name in names if name not in rows]
    if lost:
        raise InputError(
            f"the sheet does not say what {', '.join(lost)} was set to", position=Position(str(path)),
            remedy="Give each bench run of the readings a row.",
        )  # fmt: skip
    return [rows[name] for name in names]


def _column(sheet: Sheet, factor: Factor) -> tuple[int, str]:
    """Where a factor's column stands, and its unit."""
    for at, header in enumerate(sheet.header):
        name, unit = split_header(header)
        if name == factor.label:
            try:
                convert(1.0, unit or factor.unit, factor.unit)
            except QuantityError as error:
                remedy = f"Give it in {factor.unit}."
                raise InputError(error.message, position=Position(sheet.file, 1, at + 1), remedy=remedy) from None
            return at, unit or factor.unit
    wanted = f"{factor.label} [{factor.unit}]" if factor.unit else factor.label
    return sheet.column(wanted), factor.unit


def _of_mapping(campaign: Campaign, data: Dataset, names: list[str], recipe: MasterRecipe) -> list[list[float]]:
    found = []
    for name in names:
        mine = data.recipe_of(name, recipe)
        row = [mine.phase(item.path).quantity(item.parameter) for item in campaign.factors]
        found.append([value.magnitude(item.unit) for value, item in zip(row, campaign.factors, strict=True) if value])
    return found
