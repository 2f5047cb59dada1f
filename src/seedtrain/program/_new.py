"""A program directory for one's own protein: the recipe of the worked example, scaled to one's own vessels."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Final

from seedtrain.base import InputError, Position, UnavailableError, read_text
from seedtrain.bioinformatics import Protein, parse_protein, read_protein
from seedtrain.program._sizing import TankSize, size_plant
from seedtrain.quantity import Quantity, parse
from seedtrain.recipe import MasterRecipe, at_scale, parse_recipe

TEMPLATES: Final = Path(__file__).parent / "templates"
SMALLEST, LARGEST = 0.2, 500_000.0  # L, nominal
BASIC_FROM: Final = 8.0  # isoelectric point above which cation exchange near pH 7 captures


def new_program(directory: Path, source: Path | str, sizes: Mapping[str, str]) -> list[str]:
    """Write need.yaml, product.fasta, recipe.yaml, plant.yaml and a campaign.yaml for a protein, whole or not at all.

    The campaign is all comments: a start for one's own.

    - `source`: a FASTA file, or the sequence itself. `sizes`: nominal volume of bench, pilot and plant, with units.

    **Returns** the names of the files. **Errors** `InputError` for a folder in use, a sequence that is no protein, and
    sizes that do not rise.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise InputError(
            "the folder is not empty",
            position=Position(str(directory)),
            remedy="Name a folder that does not exist yet.",
        )
    protein = _protein(source, directory.name)
    tanks = size_plant(**_volumes(sizes))
    files = {
        "need.yaml": _need(protein, directory),
        "product.fasta": _fasta(protein),
        "plant.yaml": plant_text(f"{_slug(directory.name)}-centre", tanks),
        "recipe.yaml": _recipe(protein, tanks),
    }
    files["campaign.yaml"] = _campaign(files["recipe.yaml"], directory)
    _write(directory, files)
    return sorted(files)


def _protein(source: Path | str, name: str) -> Protein:
    if isinstance(source, Path):
        return read_protein(source)
    letters = re.sub(r"\s+", "", source)
    return parse_protein(f">{_slug(name)}\n{letters}\n", "--sequence")


def _volumes(sizes: Mapping[str, str]) -> dict[str, Quantity]:
    found = {name: parse(text, like="L") for name, text in sizes.items()}
    litres = [found[name].magnitude("L") for name in ("bench", "pilot", "plant")]
    for name, value in zip(("bench", "pilot", "plant"), litres, strict=True):
        if not SMALLEST <= value <= LARGEST:
            raise InputError(
                f"the {name} vessel of {sizes[name]} is outside {SMALLEST:g} L .. {LARGEST:g} L",
                remedy="Give the nominal volume of a stirred tank, for instance '2 L'.",
            )
    if not litres[0] < litres[1] < litres[2]:
        raise InputError(
            f"the vessels do not grow: {sizes['bench']}, {sizes['pilot']}, {sizes['plant']}",
            remedy="Give bench < pilot < plant.",
        )
    return found


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "product"


def _need(protein: Protein, directory: Path) -> str:
    text = read_text(TEMPLATES / "need.yaml")
    title = f"{protein.name}, made in E. coli".replace('"', "'")
    return Template(text).substitute(slug=_slug(directory.name), title=f'"{title}"')


def _campaign(recipe: str, directory: Path) -> str:
    """The template's text, with the feed of expression about that of the recipe."""
    rate = parse_recipe(recipe, "recipe.yaml").phase("production/induction/express").set["rate"]
    assert isinstance(rate, Quantity)
    reach = f"{0.75 * rate.value:.3g} .. {1.25 * rate.value:.3g} {rate.unit}"
    return Template(read_text(TEMPLATES / "campaign.yaml")).substitute(slug=_slug(directory.name), rate=reach)


def _fasta(protein: Protein) -> str:
    lines = [protein.sequence[start : start + 60] for start in range(0, len(protein), 60)]
    return "\n".join([f">{protein.name} {protein.title}".rstrip(), *lines, ""])


def template_recipe() -> MasterRecipe:
    """The recipe that a new program starts from, at its own basis."""
    return parse_recipe(read_text(TEMPLATES / "recipe.yaml"), "recipe.yaml")


def _recipe(protein: Protein, tanks: tuple[TankSize, ...]) -> str:
    """The template's text, with its amounts rewritten for the bench vessel: its comments stay."""
    text = read_text(TEMPLATES / "recipe.yaml")
    master = template_recipe()
    bench = next(tank for tank in tanks if tank.scale == "bench")
    volume = Quantity(float(f"{master.basis_volume.magnitude('L') * bench.nominal:.6g}"), "L")
    scaled = at_scale(master, unit=bench.name, volume=volume).recipe
    for before, after in zip(master.phases(), scaled.phases(), strict=True):
        for parameter, value in before.phase.set.items():
            now = after.phase.set[parameter]
            if str(now) != str(value):
                text = _replaced(text, master.position(before.path, parameter).line, str(value), str(now))
    head = {
        f"recipe: {master.name}": f"recipe: {_slug(protein.name)}",
        f"title: {master.title}": f'title: "{protein.name}, E. coli fed-batch and purification"',
        f"product: {master.product}": f"product: {_slug(protein.name)}",
        f"unit: {master.basis_unit}": f"unit: {bench.name}",
        f"volume: {master.basis_volume}": f"volume: {volume}",
    }
    for old, new in head.items():
        assert text.count(old) >= 1, old
        text = text.replace(old, new, 1)
    if protein.isoelectric_point < BASIC_FROM:
        text = (
            f"# CHECK: this purification is written for a basic protein that stays soluble at pH 4. The isoelectric\n"
            f"# point of {protein.name} is {protein.isoelectric_point:.1f}: choose clarification and capture for it.\n"
        ) + text
    return text


def _replaced(text: str, line: int, old: str, new: str) -> str:
    lines = text.split("\n")
    assert old in lines[line - 1], f"{old!r} does not stand in line {line}"
    lines[line - 1] = lines[line - 1].replace(old, new, 1)
    return "\n".join(lines)


def plant_text(name: str, tanks: tuple[TankSize, ...]) -> str:
    """A plant file with `tanks` and the store of the worked example."""
    parts = [
        "# The vessels of this centre and their limits. The figures follow from the nominal volumes by usual\n"
        "# proportions and are ASSUMED: put those of your own vessels.\n"
        f"plant: {name}\nunits:\n"
    ]
    parts += [_tank_text(tank) for tank in tanks]
    return "".join(parts) + "\n" + _store()


def _store() -> str:
    """The text of the worked example's store: its lots, with the comment above them."""
    text = read_text(TEMPLATES / "plant.yaml")
    start, end = text.index("# Lots in the store"), text.index("# What goes wrong on purpose")
    return text[start:end].rstrip() + "\n"


def _tank_text(tank: TankSize) -> str:
    rows = {
        "kind": tank.kind,
        "scale": tank.scale,
        "nominal_volume": _litres(tank.nominal),
        "working_volume": f"{tank.lowest:.4g} .. {tank.highest:.4g} L",
    }
    if tank.kind == "shake_flask":
        rows["kLa"] = "120 1/h"
    else:
        rows |= {
            "diameter": f"{tank.diameter:g} m",
            "impellers": "3" if tank.nominal >= 5000 else "2",
            "impeller": "rushton",
            "impeller_diameter": f"{tank.impeller_diameter:g} m",
            "stirrer_speed": f"{tank.lowest_speed:g} .. {tank.top_speed:g} 1/min",
            "motor_power": f"{tank.motor_power:g} W",
            "aeration": f"0.1 .. {1.0 if tank.nominal >= 1000 else 1.5:g} vvm",
            "head_pressure": f"0 .. {tank.top_pressure:g} bar",
            "cooling_area": f"{tank.cooling_area:g} m2",
            "heat_transfer_coefficient": f"{tank.heat_transfer:g} W/m2/K",
            "coolant_temperature": "10 degC",
        }
    if tank.seeds:
        rows["seeds"] = f"[{', '.join(tank.seeds)}]"
    return f"  {tank.name}:\n" + "".join(f"    {key}: {value}\n" for key, value in rows.items())


def _litres(volume: float) -> str:
    if volume >= 1000:
        return f"{volume / 1000:g} m3"
    return f"{volume:g} L" if volume >= 1 else f"{volume * 1000:g} mL"


def _write(directory: Path, files: Mapping[str, str]) -> None:
    """All files or none: a folder beside the place, renamed."""
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=directory.parent, prefix=f".{directory.name}."))
        try:
            for name, text in files.items():
                (temporary / name).write_text(text, encoding="utf-8")
            temporary.chmod(0o755)
            if directory.exists():
                directory.rmdir()
            temporary.rename(directory)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    except OSError as error:
        raise UnavailableError(
            f"the folder cannot be written: {error.strerror}",
            position=Position(str(directory)),
            remedy="Choose another place.",
        ) from error
