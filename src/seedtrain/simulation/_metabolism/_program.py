"""The parametric linear programme of a culture: growth, less unmet demands, as a function of the moving bounds.

Maximise growth - penalty * deficit + epsilon * (tie-break) over S v = 0 and lower(theta) <= v <= upper. Each demand
has a deficit column that runs its reaction backwards, so that starvation is a number and not an infeasible programme.
The optimal value is a concave, piecewise linear function of theta, and the exchanges are affine on each of its pieces
(critical regions; Gal & Nedoma 1972, doi:10.1287/mnsc.18.7.406; at genome scale Akbari & Barton 2018,
doi:10.1007/s10957-018-1281-x).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from seedtrain.base import digest, digest_bytes
from seedtrain.simulation._metabolism._moving import MovingBound, check_choice, tie_break
from seedtrain.simulation._metabolism._network import LARGEST_FLUX, Network

Floats = NDArray[np.float64]

EPSILON: Final = 1e-3
"""Size of the tie-break against growth. Smaller leaves kinks in the fluxes, larger costs growth."""
GROWTH: Final = "growth"
OTHER_CARBON: Final = "carbon_elsewhere"
CARBON_TOLERANCE: Final = 1e-9
"""mmol C per mmol of flux; coefficients are written with some digits only."""


@dataclass(frozen=True)
class Program:
    """The linear programme as arrays.

    - `network`: the model that it was made of, after its edits.
    - `reactions`, `metabolites`: names of the model's columns (the deficits come after them) and rows.
    - `matrix` (m x n), `cost`, `lower`, `upper` (n): with `lower[columns] = signs * theta`.
    - `rows` (outputs x n): what is reported of a flux vector, by `outputs`: growth (1/h), then the exchanges
      (mmol/gDW/h, + out of the cell), then carbon through every other exchange (mmol C/gDW/h) where all formulas are
      known, then one deficit for each demand (mmol/gDW/h).
    - `biomass_carbon`: mmol C in 1 gDW, or not-a-number where formulas are missing; `growth_mass`: g that one unit of
      growth weighs by the formulas (1 in a consistent model), or not-a-number.
    - `carbon`: atoms of carbon in the metabolite of each output (1 for `carbon_elsewhere`, 0 where it has none).
    """

    name: str
    file: str
    network: Network
    reactions: tuple[str, ...]
    metabolites: tuple[str, ...]
    moving: tuple[MovingBound, ...]
    outputs: tuple[str, ...]
    matrix: sp.csc_matrix
    cost: Floats
    lower: Floats
    upper: Floats
    columns: NDArray[np.int64]
    rows: sp.csr_matrix
    carbon: Floats
    biomass_carbon: float
    growth_mass: float
    epsilon: float

    @property
    def signs(self) -> Floats:
        """The lower bound of each moving column is its sign times theta."""
        return np.array([item.sign for item in self.moving])

    @property
    def low(self) -> Floats:
        """The lower corner of the box."""
        return np.array([item.low for item in self.moving])

    @property
    def high(self) -> Floats:
        """The upper corner of the box."""
        return np.array([item.high for item in self.moving])

    @property
    def deficits(self) -> int:
        """How many of the last outputs are deficits."""
        return sum(item.kind == "demand" for item in self.moving)

    @property
    def digest(self) -> str:
        """Of everything that decides the table."""
        matrix, rows = self.matrix, self.rows
        arrays = [matrix.indptr, matrix.indices, matrix.data, rows.indptr, rows.indices, rows.data]
        arrays += [self.cost, self.lower, self.upper, self.columns]
        return digest(
            {
                "moving": [item.to_data() for item in self.moving],
                "outputs": list(self.outputs),
                "arrays": [digest_bytes(_plain(item).tobytes()) for item in arrays],
            }
        )


def _plain(array: NDArray[np.generic]) -> NDArray[np.generic]:
    return np.ascontiguousarray(array, dtype=np.int64 if array.dtype.kind in "iu" else np.float64)


def programme(
    network: Network, moving: Sequence[MovingBound], outputs: Sequence[str], *, epsilon: float = EPSILON
) -> Program:
    """The linear programme of `network` with the bounds `moving`, which reports the exchanges `outputs` as well.

    Raises `InputError` for bounds and outputs that the model does not have or cannot move.
    """
    check_choice(network, moving, outputs)
    demands = [item for item in moving if item.kind == "demand"]
    shown = [item.reaction for item in moving if item.kind == "uptake"]
    out = _carbon_out(network)
    leaves = network.exchanges | (out != 0)
    shown += [item.reaction for item in demands if leaves[network.column(item.reaction)]]
    shown += [name for name in outputs if name not in shown]
    count, extra = len(network.reactions), len(demands)
    backwards = [-network.stoichiometry[:, [network.column(item.reaction)]] for item in demands]
    lower, upper = np.append(network.lower, np.zeros(extra)), np.append(network.upper, np.full(extra, LARGEST_FLUX))
    cost = np.zeros(count + extra)
    cost[network.column(network.growth)] = 1.0
    for name, weight in tie_break(moving, shown).items():
        cost[network.column(name)] += epsilon * weight
    for number, item in enumerate(demands):
        cost[count + number] = -item.penalty
    columns = np.array([network.column(item.reaction) for item in moving], dtype=np.int64)
    lower[columns] = 0.0  # set with theta
    for column, item in zip(columns, moving, strict=True):
        if item.kind == "demand" and network.lower[column] == network.upper[column]:
            upper[column] = LARGEST_FLUX
    rows, names, carbon = _reported(network, out, shown, demands)
    return Program(
        name=network.name,
        file=network.file,
        network=network,
        reactions=network.reactions,
        metabolites=network.metabolites,
        moving=tuple(moving),
        outputs=names,
        matrix=sp.hstack([network.stoichiometry, *backwards]).tocsc(),
        cost=cost,
        lower=lower,
        upper=upper,
        columns=columns,
        rows=rows,
        carbon=carbon,
        biomass_carbon=float(out[network.column(network.growth)]),
        growth_mass=network.growth_mass,
        epsilon=epsilon,
    )


def _reported(
    network: Network, out: Floats, shown: Sequence[str], demands: Sequence[MovingBound]
) -> tuple[sp.csr_matrix, tuple[str, ...], Floats]:
    count, extra = len(network.reactions), len(demands)
    names = [GROWTH, *shown]
    rows = sp.lil_matrix((len(names) + 1 + extra, count + extra))
    rows[0, network.column(network.growth)] = 1.0
    carbon = np.zeros(len(names) + 1 + extra)
    for number, name in enumerate(shown, 1):
        rows[number, network.column(name)] = 1.0
        carbon[number] = out[network.column(name)]
    for number, item in enumerate(demands):
        rows[len(names) + 1 + number, count + number] = 1.0
        if item.reaction in shown:  # what leaves is the demanded flux less what was only pretended
            rows[1 + shown.index(item.reaction), count + number] = -1.0
    others = _other_carbon(network, out, shown)
    keep = list(range(rows.shape[0]))
    if others is None:
        keep.remove(len(names))
    else:
        rows[len(names), :count] = others
        carbon[len(names)] = 1.0
        names.append(OTHER_CARBON)
    names += [f"deficit:{item.reaction}" for item in demands]
    return rows.tocsr()[keep], tuple(names), carbon[keep]


def _carbon_out(network: Network) -> Floats:
    """mmol C that leave the cell per unit of flux of each reaction; not-a-number where a formula is missing."""
    atoms, turned = network.atoms("C"), network.stoichiometry.T.tocsr()
    unknown = abs(turned) @ np.isnan(atoms).astype(float) > 0
    found = -(turned @ np.nan_to_num(atoms))
    return np.where(unknown, np.nan, np.where(np.abs(found) < CARBON_TOLERANCE, 0.0, found))


def _other_carbon(network: Network, out: Floats, shown: Sequence[str]) -> Floats | None:
    """Carbon out of the cell through every reaction but growth and those shown; nothing where it is unknown."""
    found = np.where(np.isnan(out) & ~network.exchanges, 0.0, out)
    found[[network.column(name) for name in (network.growth, *shown)]] = 0.0
    unknown = not np.isfinite(found).all() or math.isnan(out[network.column(network.growth)])
    return None if unknown else found
