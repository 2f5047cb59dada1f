"""Linear programmes on a metabolic network as arrays, and the same network for libraries that want cobra."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from seedtrain.base import UnavailableError
from seedtrain.simulation import Network

Floats = NDArray[np.float64]
Held = Mapping[str, tuple[float, float]]
"""Lowest and highest flux by reaction, in place of the network's own, mmol/gDW/h (growth 1/h)."""


class Fluxes:
    """Extremes of fluxes of `network`, each by a fresh programme (HiGHS, tolerances 1e-9)."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.growth = network.growth

    def most(self, reaction: str, held: Held | None = None) -> float | None:
        """The largest flux of `reaction`; nothing where no flux is possible."""
        found = self._solve(self._unit(reaction), held or {})
        return None if found is None else float(found[self.network.column(reaction)]) + 0.0

    def least(self, reaction: str, held: Held | None = None) -> float | None:
        """The smallest flux of `reaction`; nothing where no flux is possible."""
        found = self._solve(-self._unit(reaction), held or {})
        return None if found is None else float(found[self.network.column(reaction)]) + 0.0

    def parsimonious(self, held: Held) -> Floats | None:
        """The fluxes of the fastest growth with the least sum of absolute fluxes; nothing where none is possible."""
        best = self.most(self.growth, held)
        if best is None:
            return None
        count = len(self.network.reactions)
        lower, upper = self._bounds({**held, self.growth: (best * (1 - 1e-6), best + 1e-9)})
        # v = forwards - backwards, and the least of both together.
        split = sp.hstack([self.network.stoichiometry, -self.network.stoichiometry]).tocsc()
        found = _linprog(
            np.ones(2 * count),
            split,
            np.concatenate([np.maximum(lower, 0.0), np.maximum(-upper, 0.0)]),
            np.concatenate([np.maximum(upper, 0.0), np.maximum(-lower, 0.0)]),
        )
        return None if found is None else found[:count] - found[count:]

    def _unit(self, reaction: str) -> Floats:
        found = np.zeros(len(self.network.reactions))
        found[self.network.column(reaction)] = 1.0
        return found

    def _bounds(self, held: Held) -> tuple[Floats, Floats]:
        lower, upper = self.network.lower.copy(), self.network.upper.copy()
        for name, (low, high) in held.items():
            column = self.network.column(name)
            lower[column], upper[column] = max(low, lower[column]), min(high, upper[column])
            lower[column] = min(lower[column], upper[column])
        return lower, upper

    def _solve(self, weights: Floats, held: Held) -> Floats | None:
        return _linprog(-weights, self.network.stoichiometry, *self._bounds(held))


def _linprog(cost: Floats, matrix: sp.csc_matrix, lower: Floats, upper: Floats) -> Floats | None:
    from scipy.optimize import linprog

    options = {"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9}
    found = linprog(
        cost,
        A_eq=matrix,
        b_eq=np.zeros(matrix.shape[0]),
        bounds=np.column_stack([lower, upper]),
        method="highs",
        options=options,
    )
    if found.status in (0, 2):
        return np.asarray(found.x, dtype=float) if found.status == 0 else None
    raise UnavailableError(f"the linear programme stopped: {found.message}", remedy="Report this model.")


def cobra_model(network: Network) -> Any:
    """`network` as a model of cobra, with its bounds, gene rules and growth as objective."""
    try:
        import cobra
    except ImportError:
        remedy = "Install the group of packages for metabolic models: pip install 'seedtrain[metabolism]'."
        raise UnavailableError("strain design needs cobra, which is not installed", remedy=remedy) from None
    logging.getLogger("cobra").setLevel(logging.ERROR)
    found = cobra.Model(network.name)
    metabolites = [cobra.Metabolite(name, compartment="c") for name in network.metabolites]
    matrix, reactions = network.stoichiometry, []
    for column, name in enumerate(network.reactions):
        reaction = cobra.Reaction(name, lower_bound=network.lower[column], upper_bound=network.upper[column])
        part = slice(matrix.indptr[column], matrix.indptr[column + 1])
        pairs = zip(matrix.indices[part], matrix.data[part], strict=True)
        reaction.add_metabolites({metabolites[row]: float(value) for row, value in pairs})
        reaction.gene_reaction_rule = network.rules[column]
        reactions.append(reaction)
    found.add_reactions(reactions)
    found.objective = network.growth
    found.solver = "glpk"
    return found
