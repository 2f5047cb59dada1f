"""A program directory: the user's own files, read together so that all their faults come at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from seedtrain.base import InputError, Position, SeedtrainError, collect, read_text
from seedtrain.bioinformatics import Protein, read_protein
from seedtrain.program._campaign import FILE as CAMPAIGN
from seedtrain.program._campaign import Campaign, read_campaign
from seedtrain.program._need import Need, read_need
from seedtrain.program._own_readings import check_own
from seedtrain.program._plant import SCALES, Plant, read_plant
from seedtrain.quantity import Quantity
from seedtrain.recipe import MasterRecipe, check_volumes, read_recipe
from seedtrain.simulation import Culture, StirredTank, Vessel, read_culture

Read = TypeVar("Read")


@dataclass(frozen=True)
class Program:
    """Everything that the user wrote, and the seed of what is simulated."""

    folder: Path
    need: Need
    plant: Plant
    recipe: MasterRecipe
    protein: Protein
    culture: Culture
    seed: int
    campaign: Campaign | None = None

    @property
    def out(self) -> Path:
        """Where results go."""
        return self.folder / "out"

    @property
    def factors(self) -> Path | None:
        """The user's own prices and emission factors, if there are any."""
        path = self.folder / "factors.yaml"
        return path if path.is_file() else None

    @cached_property
    def bench(self) -> StirredTank:
        """The vessel for which the recipe is written."""
        return stirred(self.plant.vessel_of_scale("bench"))

    @cached_property
    def pilot(self) -> StirredTank:
        """The vessel in which the batch runs."""
        return stirred(self.plant.vessel_of_scale("pilot"))

    @cached_property
    def production(self) -> StirredTank:
        """The vessel that supplies the need."""
        return stirred(self.plant.vessel_of_scale("plant"))


def read_program(folder: Path, *, seed: int = 1) -> Program:
    """Read need.yaml, plant.yaml, recipe.yaml, the product's FASTA file, and campaign.yaml where there is one.

    Raises `InputErrors` with the faults of all files together.
    """
    if seed < 0:
        raise InputError(f"the seed {seed} is negative", remedy="Give a seed of 0 or more.")
    if folder.is_file():
        raise InputError("this is a file, not a folder", position=Position(str(folder)), remedy="Give its folder.")
    if not folder.is_dir():
        raise InputError(
            "there is no such folder",
            position=Position(str(folder)),
            remedy=f"Make one with: seedtrain new {folder}",
        )
    errors: list[SeedtrainError] = []
    need = _try(errors, lambda: read_need(folder / "need.yaml"))
    plant = _try(errors, lambda: read_plant(folder / "plant.yaml", SCALES))
    recipe = _try(errors, lambda: read_recipe(folder / "recipe.yaml"))
    protein = _try(errors, lambda: _read_product(folder, need)) if need else None
    culture = _try(errors, lambda: culture_of(recipe, folder)) if recipe else None
    if plant and recipe:
        _try(errors, lambda: check_fit(recipe, plant))
    campaign = None
    if recipe and culture and _has_campaign(folder / CAMPAIGN):
        campaign = _try(errors, lambda: read_campaign(folder / CAMPAIGN, recipe, culture))
    if campaign and plant and recipe:
        _try(errors, lambda: check_own(campaign, recipe, plant.vessel_of_scale("bench").name))
    collect(errors)
    assert need
    assert plant
    assert recipe
    assert protein
    assert culture
    return Program(folder, need, plant, recipe, protein, culture, seed, campaign)


def _has_campaign(path: Path) -> bool:
    """Whether there is a campaign; one of which every line is a comment, as `seedtrain new` leaves it, is none."""
    if not path.exists():
        return False
    lines = (line.strip() for line in read_text(path, what="campaign").splitlines())
    return any(line and not line.startswith("#") for line in lines)


def _try(errors: list[SeedtrainError], read: Callable[[], Read]) -> Read | None:
    try:
        return read()
    except SeedtrainError as error:
        errors.append(error)
        return None


def _read_product(folder: Path, need: Need) -> Protein:
    path = folder / need.entry.product
    if not path.is_file():
        raise need.document.error(
            ("product",),
            f"there is no file {need.entry.product!r} in {folder}",
            remedy="Name the product's FASTA file.",
        )
    return read_protein(path)


def culture_of(recipe: MasterRecipe, folder: Path) -> Culture:
    """The culture that a recipe names: a file beside the recipe, or one that is shipped."""
    path = folder / recipe.culture
    try:
        return read_culture(path if path.is_file() else recipe.culture)
    except InputError as error:
        if error.position:
            raise
        raise recipe.error("culture", "", error.message, remedy=error.remedy) from None


def check_fit(recipe: MasterRecipe, plant: Plant) -> None:
    """The recipe's own vessel exists in the plant, is the bench vessel, and holds what the recipe puts into it."""
    vessel = plant.vessel_of_scale("bench")
    if recipe.basis_unit != vessel.name:
        raise recipe.error(
            "basis",
            "unit",
            f"the recipe is written for {recipe.basis_unit!r}, but the bench vessel of {plant.document.file} is "
            f"{vessel.name!r}",
            remedy=f"Write the basis for {vessel.name}.",
        )
    check_volumes(recipe, largest_volume(vessel), vessel=vessel.name)


def largest_volume(vessel: Vessel) -> Quantity:
    """The highest working volume."""
    return Quantity(vessel.working_volume[1], "L")


def stirred(vessel: Vessel) -> StirredTank:
    """`vessel` as a stirred tank; another kind cannot be a bench, pilot or production vessel."""
    if isinstance(vessel, StirredTank):
        return vessel
    raise InputError(
        f"{vessel.name} is a {vessel.kind}, but {vessel.scale} needs a stirred tank",
        remedy="Give it `kind: stirred_tank` with diameter, impellers and limits.",
    )
