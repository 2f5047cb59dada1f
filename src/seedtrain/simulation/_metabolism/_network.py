"""A genome-scale metabolic model as plain arrays, and the edits made to it before it is compiled."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from seedtrain.base import InputError, Position, SeedtrainError, collect, digest, digest_bytes
from seedtrain.simulation._metabolism._place import find
from seedtrain.simulation._metabolism._rules import carries, genes

Floats = NDArray[np.float64]

LARGEST_FLUX: Final = 1000.0
"""mmol/gDW/h; infinite bounds are clipped to it, as wider ones only harm the numerics of the linear programme."""
MASSES: Final = {
    "H": 1.008, "C": 12.011, "N": 14.007, "O": 15.999, "Na": 22.990, "Mg": 24.305, "P": 30.974, "S": 32.06,
    "Cl": 35.45, "K": 39.098, "Ca": 40.078, "Mn": 54.938, "Fe": 55.845, "Co": 58.933, "Ni": 58.693, "Cu": 63.546,
    "Zn": 65.38, "Se": 78.971, "Mo": 95.95, "W": 183.84,
}  # fmt: skip
"""g/mol. **Source** IUPAC, abridged standard atomic weights 2021, doi:10.1515/pac-2019-0603."""
HEAVIEST_GROWTH: Final = 5.0
"""g: what one unit of growth may weigh, or one over it; beyond, some coefficient is in another unit."""
_ATOM: Final = re.compile(r"([A-Z][a-z]?)(\d*\.?\d*)")


@dataclass(frozen=True)
class Network:
    """A metabolic model: `stoichiometry` (metabolites x reactions), bounds in mmol/gDW/h, growth in 1/h.

    - `name`: the model's own identifier; `file`: where it was read from; `digest`: of everything that decides a flux.
    - `objective`: coefficient of each reaction in growth.
    - `formulas`: sum formula of each metabolite, empty where the model has none.
    - `rules`: which genes each reaction needs, as the model writes it (`b0720 and (b0118 or b1276)`).
    - `charges`: of each metabolite, not-a-number where the model has none.
    """

    name: str
    file: str
    digest: str
    reactions: tuple[str, ...]
    metabolites: tuple[str, ...]
    stoichiometry: sp.csc_matrix
    lower: Floats
    upper: Floats
    objective: Floats
    formulas: tuple[str, ...]
    rules: tuple[str, ...]
    charges: Floats

    def column(self, reaction: str) -> int:
        """Where `reaction` stands; an unknown one is an `InputError` that names its nearest relatives."""
        try:
            return self.reactions.index(reaction)
        except ValueError:
            raise self.unknown(reaction) from None

    def unknown(self, reaction: str) -> InputError:
        """The error for a reaction that the model lacks."""
        near = difflib.get_close_matches(reaction, self.reactions, n=4, cutoff=0.6)
        remedy = f"Did you mean {' or '.join(near)}?" if near else "List the model's reactions and take one of them."
        return InputError(f"there is no reaction {reaction!r} in {self.name}", position=self.place(), remedy=remedy)

    def place(self, reaction: str = "") -> Position:
        """Where `reaction` stands in the model's file, as far as it is known."""
        return find(self.file, reaction) if reaction else Position(self.file)

    def takes(self, reaction: str) -> dict[str, float]:
        """Stoichiometric coefficient of every metabolite of `reaction`; negative is consumed."""
        column = self.stoichiometry[:, [self.column(reaction)]].tocoo()
        return {self.metabolites[row]: float(value) for row, value in zip(column.row, column.data, strict=True)}

    @property
    def growth(self) -> str:
        """The reaction whose flux is growth."""
        return self.reactions[int(np.flatnonzero(self.objective)[0])]

    @property
    def exchanges(self) -> NDArray[np.bool_]:
        """Which reactions have exactly one metabolite, and so cross the border of the model."""
        return np.asarray(np.diff(self.stoichiometry.indptr) == 1)

    def atoms(self, element: str) -> Floats:
        """Atoms of `element` in each metabolite; not-a-number where its formula is unknown."""
        return np.array([count_atoms(formula, element) for formula in self.formulas], dtype=float)

    @property
    def growth_mass(self) -> float:
        """g that one unit of growth weighs by the model's formulas, 1 as it should be; not-a-number where some lack."""
        column = self.stoichiometry[:, [self.column(self.growth)]].tocoo()
        grams = 0.0
        for row, value in zip(column.row, column.data, strict=True):
            formula = self.formulas[row]
            if math.isnan(count_atoms(formula, "C")):
                return math.nan
            atoms = ((name, float(count or 1)) for name, count in _ATOM.findall(formula))
            grams -= value * sum(MASSES.get(name, 0.0) * count for name, count in atoms) / 1000
        return grams


def count_atoms(formula: str, element: str) -> float:
    """Atoms of `element` in a sum formula such as C6H12O6; not-a-number for an empty or unreadable formula.

    A rest group (R, X) counts as no atom of any element.
    """
    if not formula or "".join(f"{name}{count}" for name, count in _ATOM.findall(formula)) != formula:
        return math.nan
    return sum(float(count or 1) for name, count in _ATOM.findall(formula) if name == element)


@dataclass(frozen=True)
class Drain:
    """A way out for a product: a reaction `name` that consumes (negative) and gives back (positive) metabolites.

    One unit of its flux is one mmol of product per gDW and h, or one g, as `stoichiometry` (mmol per unit) has it.
    """

    name: str
    stoichiometry: Mapping[str, float]
    low: float = 0.0
    high: float = LARGEST_FLUX


@dataclass(frozen=True)
class Edits:
    """What is changed in a model before it is compiled.

    - `knock_outs`: genes or reactions that no longer work; `bounds`: lowest and highest flux by reaction.
    - `drains`: ways out for products; `objective`: the reaction that is growth, where the model names none.
    """

    knock_outs: tuple[str, ...] = ()
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    drains: tuple[Drain, ...] = ()
    objective: str = ""

    def to_data(self) -> dict[str, Any]:
        """The edits as data with a canonical form."""
        return {
            "knock_outs": sorted(self.knock_outs),
            "bounds": {name: [float(low), float(high)] for name, (low, high) in self.bounds.items()},
            "drains": [
                [item.name, {k: float(v) for k, v in item.stoichiometry.items()}, float(item.low), float(item.high)]
                for item in self.drains
            ],
            "objective": self.objective,
        }


def edit(network: Network, edits: Edits) -> Network:
    """`network` with `edits` made; every unknown gene, reaction and metabolite is reported at once."""
    errors: list[SeedtrainError] = []
    found = network
    for drain in edits.drains:
        found = _gather(errors, found, _add_drain, drain)
    for name, (low, high) in edits.bounds.items():
        found = _gather(errors, found, _set_bounds, name, low, high)
    if edits.knock_outs:
        found = _gather(errors, found, _knock_out, edits.knock_outs)
    if edits.objective:
        found = _gather(errors, found, _set_objective, edits.objective)
    collect(errors)
    return found if edits == Edits() else seal(found)


def seal(network: Network) -> Network:
    """`network` with the digest of its contents."""
    matrix = network.stoichiometry
    parts = (matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), matrix.data.astype(float))
    arrays = (*parts, network.lower, network.upper, network.objective)
    content = {
        "reactions": list(network.reactions),
        "metabolites": list(network.metabolites),
        "formulas": list(network.formulas),
        "arrays": [digest_bytes(np.ascontiguousarray(item).tobytes()) for item in arrays],
    }
    return replace(network, digest=digest(content))


def check(network: Network) -> None:
    """Refuse a model that nothing can be compiled from, with every fault at once."""
    errors: list[SeedtrainError] = []
    counts = np.diff(network.stoichiometry.indptr)
    for column in np.flatnonzero(counts == 0):
        name = network.reactions[column]
        if name.startswith("EX_") or network.objective[column]:
            errors.append(_fault(network, name, f"the reaction {name!r} is empty: it has no metabolite"))
    for column in np.flatnonzero(~(network.lower <= network.upper)):
        name = network.reactions[column]
        limits = f"{network.lower[column]:g} .. {network.upper[column]:g}"
        errors.append(_fault(network, name, f"the bounds of {name!r} are no range: {limits} mmol/gDW/h"))
    growing = np.flatnonzero(network.objective)
    if len(growing) != 1:
        words = ", ".join(network.reactions[item] for item in growing) or "none"
        likely = [item for item in network.reactions if "biomass" in item.lower() or "growth" in item.lower()]
        remedy = f"Name the growth reaction as objective{f', such as {likely[0]}' if likely else ''}."
        message = f"{network.name} needs one growth reaction as its objective and has: {words}"
        errors.append(InputError(message, position=network.place(), remedy=remedy))
    elif network.growth_mass > HEAVIEST_GROWTH or network.growth_mass < 1 / HEAVIEST_GROWTH:  # neither where unknown
        message = f"one unit of {network.growth!r} weighs {network.growth_mass:.3g} g by its formulas, and should 1 g"
        remedy = "Give its coefficients in mmol per gram of dry cells, so that its flux is growth in 1/h."
        errors.append(InputError(message, position=network.place(network.growth), remedy=remedy))
    collect(errors)


def _fault(network: Network, reaction: str, message: str) -> InputError:
    remedy = "Correct it in the model, or remove the reaction."
    return InputError(message, position=network.place(reaction), remedy=remedy)


def _gather(errors: list[SeedtrainError], network: Network, change: Any, *arguments: Any) -> Network:
    try:
        return change(network, *arguments)  # type: ignore[no-any-return]
    except InputError as error:
        errors.append(error)
        return network


def _add_drain(network: Network, drain: Drain) -> Network:
    if drain.name in network.reactions:
        raise InputError(f"{network.name} already has a reaction {drain.name!r}", remedy="Name the drain otherwise.")
    missing = [name for name in drain.stoichiometry if name not in network.metabolites]
    if missing or not any(value < 0 for value in drain.stoichiometry.values()):
        message = f"the drain {drain.name!r} consumes nothing"
        if missing:
            message = f"the drain {drain.name!r} needs metabolites that {network.name} lacks: {', '.join(missing)}"
        raise InputError(message, position=network.place(), remedy="Use the model's own metabolite identifiers.")
    column = np.zeros((len(network.metabolites), 1))
    for name, value in drain.stoichiometry.items():
        column[network.metabolites.index(name), 0] = value
    return replace(
        network,
        reactions=(*network.reactions, drain.name),
        stoichiometry=sp.hstack([network.stoichiometry, sp.csc_matrix(column)]).tocsc(),
        lower=np.append(network.lower, drain.low),
        upper=np.append(network.upper, drain.high),
        objective=np.append(network.objective, 0.0),
        rules=(*network.rules, ""),
    )


def _set_bounds(network: Network, reaction: str, low: float, high: float) -> Network:
    column = network.column(reaction)
    if not low <= high:
        raise InputError(f"the bounds {low:g} .. {high:g} of {reaction!r} are no range", remedy="Swap the two.")
    lower, upper = network.lower.copy(), network.upper.copy()
    lower[column], upper[column] = max(low, -LARGEST_FLUX), min(high, LARGEST_FLUX)
    return replace(network, lower=lower, upper=upper)


def _knock_out(network: Network, names: Iterable[str]) -> Network:
    words = set(names)
    known = {gene for rule in network.rules for gene in genes(rule)}
    unknown = sorted(name for name in words if name not in known and name not in network.reactions)
    if unknown:
        near = [item for name in unknown for item in difflib.get_close_matches(name, sorted(known), n=2)]
        raise InputError(
            f"{network.name} has neither a gene nor a reaction {', '.join(map(repr, unknown))}",
            position=network.place(),
            remedy=f"Did you mean {' or '.join(near)}?" if near else "Use the model's own identifiers.",
        )
    lower, upper = network.lower.copy(), network.upper.copy()
    for column, (name, rule) in enumerate(zip(network.reactions, network.rules, strict=True)):
        if name in words or (rule and not carries(rule, words)):
            lower[column] = upper[column] = 0.0
    return replace(network, lower=lower, upper=upper)


def _set_objective(network: Network, reaction: str) -> Network:
    objective = np.zeros(len(network.reactions))
    objective[network.column(reaction)] = 1.0
    return replace(network, objective=objective)


def parse_drain(text: str) -> Drain:
    """A drain as the command line writes it: `succinate_out: succ_c + 2 h_c -> co2_c`."""
    name, colon, equation = text.partition(":")
    sides = equation.split("->")
    found: dict[str, float] = {}
    try:
        if not colon or len(sides) != 2 or not name.strip():
            raise ValueError
        for sign, side in zip((-1.0, 1.0), sides, strict=True):
            for term in filter(None, (part.strip() for part in side.split(" + "))):
                words = term.split()
                number, metabolite = (float(words[0]), words[1]) if len(words) == 2 else (1.0, words[0])
                if len(words) > 2:
                    raise ValueError
                found[metabolite] = found.get(metabolite, 0.0) + sign * number
    except ValueError:
        raise InputError(
            f"{text!r} is no drain", remedy="Write NAME: succ_c + 2 h_c -> co2_c, with the model's metabolites."
        ) from None
    return Drain(name.strip(), found)


def parse_limits(text: str) -> tuple[str, tuple[float, float]]:
    """A reaction's bounds as the command line writes them: `EX_etoh_e=0..5`."""
    name, equals, span = text.partition("=")
    low, dots, high = span.partition("..")
    try:
        if not (equals and dots and name.strip()):
            raise ValueError
        return name.strip(), (float(low), float(high))
    except ValueError:
        raise InputError(f"{text!r} gives no bounds", remedy="Write REACTION=LOWEST..HIGHEST in mmol/gDW/h.") from None
