"""A recipe's culture with one's own data, as `seedtrain fit` is asked for it, and asked again from what it wrote."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from seedtrain.base import InputError

if TYPE_CHECKING:
    from seedtrain.base import Progress
    from seedtrain.development import Dataset, ErrorModel, MeasuredRun, Problem
    from seedtrain.simulation import Culture


@dataclass(frozen=True)
class Asked:
    """The words of the command line that decide a problem."""

    recipe: Path
    data: Path
    fit: str
    observables: str = ""
    error: tuple[str, ...] = ()
    per_run: str = ""
    bounds: tuple[str, ...] = ()
    prior: tuple[str, ...] = ()
    culture: str | None = None
    plant: Path | None = None

    def to_data(self, folder: Path) -> dict[str, Any]:
        """JSON-ready, with paths as seen from `folder`."""
        found: dict[str, Any] = {name: _from(getattr(self, name), folder) for name in ("recipe", "data", "plant")}
        found |= {name: getattr(self, name) for name in ("fit", "observables", "per_run")}
        found |= {name: list(getattr(self, name)) for name in ("error", "bounds", "prior")}
        return found | {"culture": _from(Path(self.culture), folder) if _is_file(self.culture) else self.culture}

    @staticmethod
    def from_data(data: Mapping[str, Any], folder: Path) -> Asked:
        """What `to_data` wrote into a file of `folder`; raises `KeyError` or `TypeError` on other data."""
        culture = data["culture"]
        return Asked(
            recipe=folder / data["recipe"], data=folder / data["data"], fit=str(data["fit"]),
            observables=str(data["observables"]), error=tuple(data["error"]), per_run=str(data["per_run"]),
            bounds=tuple(data["bounds"]), prior=tuple(data["prior"]),
            culture=str(folder / culture) if _is_file(culture) else culture,
            plant=folder / data["plant"] if data["plant"] else None,
        )  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """The problem, its parts, and the data's digest; `place`: where the culture is written."""

    asked: Asked
    problem: Problem
    key: str
    culture: Culture
    place: str | Path
    runs: list[MeasuredRun]
    fit: list[str]
    options: dict[str, Any]


def measured_culture(asked: Asked, progress: Progress) -> Measured:
    """The problem of a recipe's culture and one's own data."""
    from seedtrain.development import MeasuredRun, culture_problem, read_data
    from seedtrain.program import recipe_in_vessel

    options: dict[str, Any] = {
        "observables": words(asked.observables),
        "errors": _errors(asked.error),
        "bounds": {name: _pair(text, "..") for name, text in _named(asked.bounds)},
        "priors": {name: _pair(text, ":") for name, text in _named(asked.prior)},
    }
    found = read_data(asked.data)
    _warn_of_slips(found)
    runs: list[MeasuredRun] = []
    grown = None
    for name, run in found.runs.items():
        about = found.about[name]
        grown, vessel, recipe = recipe_in_vessel(
            asked.recipe, plant=asked.plant, vessel=about.vessel or None, culture=asked.culture, progress=progress
        )
        set_as = found.recipe_of(name, recipe)
        runs.append(MeasuredRun(name, run, set_as, vessel, initial=about.initial, feed_factor=about.feed_factor))
    assert grown is not None
    fit = words(asked.fit)
    problem = culture_problem(grown, runs, fit, per_run=words(asked.per_run), **options)
    return Measured(asked, problem, found.digest, grown, _place(asked.recipe, asked.culture), runs, fit, options)


def _warn_of_slips(data: Dataset) -> None:
    """Say which readings look like slips of units: a fit takes them as they are, and one decides it all."""
    for item in data.findings:
        if item.kind == "unit_slip":
            place = f"{item.position}: " if item.position else ""
            print(f"{place}{item.run} {item.symbol}: {item.words}", file=sys.stderr)


def words(text: str) -> list[str]:
    """Names with commas between them."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _place(recipe: Path, culture: str | None) -> str | Path:
    """Where the recipe's culture is written: a file beside the recipe, or a shipped one's name."""
    from seedtrain.recipe import read_recipe

    name = culture or read_recipe(recipe).culture
    beside = recipe.parent / name
    return beside if culture is None and beside.is_file() else name


def _is_file(culture: str | None) -> TypeGuard[str]:
    return culture is not None and culture.endswith((".yaml", ".yml"))


def _from(path: Path | None, folder: Path) -> str | None:
    return None if path is None else Path(os.path.relpath(path, folder)).as_posix()


def _named(texts: tuple[str, ...]) -> list[tuple[str, str]]:
    found = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not (equals and name.strip() and value.strip()):
            raise InputError(f"{text!r} names nothing", remedy="Write NAME=VALUE, such as K_S=0.001..0.2.")
        found.append((name.strip(), value.strip()))
    return found


def _pair(text: str, mark: str) -> tuple[float, float]:
    first, between, second = text.partition(mark)
    try:
        if between:
            return float(first), float(second)
    except ValueError:
        pass
    raise InputError(f"{text!r} is not two numbers", remedy=f"Write them as 0.1{mark}0.2.")


def _errors(texts: tuple[str, ...]) -> dict[str, ErrorModel]:
    from seedtrain.development import ErrorModel

    found = {}
    for name, text in _named(texts):
        kind, colon, size = text.partition(":")
        try:
            found[name] = ErrorModel(kind, float(size) if colon else None)
        except ValueError:
            raise InputError(f"--error {name}={text}", remedy="Write X=proportional or X=constant:0.1.") from None
    return found
