"""Parameters that go together as a posterior's draws do: a Gaussian copula with the draws' own marginals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
QUANTILES: Final = 401


@dataclass(frozen=True, eq=False)
class Joint:
    """What turns independent standard normals into parameters.

    - `names`: of the parameters. - `root`: symmetric root of the correlation of the draws' normal scores, so that each
      standard normal stays next to one parameter. - `marginals`: the draws' quantiles, "quantile, parameter".
    """

    names: tuple[str, ...]
    root: Floats
    marginals: Floats

    def values(self, standard: Floats) -> Floats:
        """The parameters of `standard` normals, both of shape "parameter"."""
        from scipy.special import ndtr

        at = ndtr(self.root @ standard)
        places = np.linspace(0.0, 1.0, len(self.marginals))
        return np.array([np.interp(at[k], places, self.marginals[:, k]) for k in range(len(self.names))])


def joint(draws: Mapping[str, Floats]) -> Joint:
    """The copula of `draws` by parameter; draws go together as their ranks do."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    names = tuple(draws)
    columns = np.column_stack([draws[name] for name in names])
    scores = np.column_stack([ndtri((rankdata(column) - 0.5) / len(column)) for column in columns.T])
    scores = scores / np.maximum(np.sqrt((scores**2).mean(0)), 1e-12)
    correlation = scores.T @ scores / len(scores)
    strengths, directions = np.linalg.eigh(correlation)
    root = (directions * np.sqrt(np.maximum(strengths, 0.0))) @ directions.T
    return Joint(names, root, np.quantile(columns, np.linspace(0.0, 1.0, QUANTILES), axis=0))
