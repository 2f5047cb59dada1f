"""Which of many possible samples tell most: the best one after the other, then exchanged as long as that gains.

**Source** exchange of design points: Fedorov 1972, Theory of Optimal Experiments; criteria for dynamic models:
Franceschini & Macchietto 2008 (Chem. Eng. Sci. 63:4846-4872).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError
from seedtrain.development._estimation import Ahead

Floats = NDArray[np.float64]
Criterion = Literal["D", "A", "E"]
PASSES: Final = 12
GAIN: Final = 1e-9


@dataclass(frozen=True, eq=False)
class Aim:
    """What a design is to make small, of the covariance of the parameters at `wanted`.

    - `criterion`: D (volume of the ellipsoid), A (mean variance, each over what it is now) or E (modified: longest over
      shortest axis of the ellipsoid). - `widths`: what counts as a long step of each parameter.
    - `ahead`: a fit that counts how runs differ; a run then tells less of the typical run than of its own values.
    """

    criterion: Criterion
    wanted: tuple[int, ...]
    base: Floats
    widths: Floats
    ahead: Ahead | None = None

    def adds(self, information: Floats) -> Floats:
        """What one run adds to `base`, from what its readings tell of its own values, of shape (..., K, K)."""
        return information if self.ahead is None else self.ahead.of_typical(information)

    def worth(self, information: Floats) -> Floats:
        """Higher is better; `information` of the readings of one run, of shape (..., K, K), beside `base`."""
        chosen = np.array(self.wanted)
        covariance = np.linalg.inv(self.base + self.adds(information))[..., chosen[:, None], chosen]
        if self.criterion == "D":
            return np.asarray(-np.linalg.slogdet(covariance)[1])
        if self.criterion == "A":
            now = np.diag(np.linalg.inv(self.base))[chosen]
            return np.asarray(-(np.diagonal(covariance, axis1=-2, axis2=-1) / now).mean(axis=-1))
        scaled = covariance / np.outer(self.widths[chosen], self.widths[chosen])
        values = np.linalg.eigvalsh(scaled)
        return np.asarray(-np.log(np.maximum(values[..., -1], 1e-300) / np.maximum(values[..., 0], 1e-300)))


def choose(parts: Floats, times: Floats, aim: Aim, count: int, apart: float) -> tuple[tuple[int, ...], float]:
    """The places of `count` samples, sorted, and their worth.

    - `parts`: what each possible sample adds to the information, shape (sample, K, K). - `times`: of each;
      two chosen ones lie at least `apart` from one another (0: the same one may be taken again).
    """
    chosen: list[int] = []
    for _ in range(count):
        open_to = _free(times, chosen, apart)
        if not len(open_to):
            raise InputError(
                f"{count} samples {apart:g} apart do not fit between {times[0]:g} and {times[-1]:g}",
                remedy="Take fewer samples, or let them lie closer.",
            )
        gained = aim.worth(parts[open_to] + parts[chosen].sum(axis=0))
        chosen.append(int(open_to[int(np.argmax(gained))]))
    best = float(aim.worth(parts[chosen].sum(axis=0)))
    for _ in range(PASSES):
        before = best
        for at in range(count):
            others = [item for number, item in enumerate(chosen) if number != at]
            open_to = _free(times, others, apart)
            gained = aim.worth(parts[open_to] + parts[others].sum(axis=0))
            if float(gained.max()) > best + GAIN:
                best, chosen[at] = float(gained.max()), int(open_to[int(np.argmax(gained))])
        if best <= before + GAIN:
            break
    return tuple(sorted(chosen)), best


def _free(times: Floats, chosen: Sequence[int], apart: float) -> NDArray[np.int64]:
    if not chosen or apart <= 0:
        return np.arange(len(times))
    away = np.abs(times[:, None] - times[list(chosen)][None]).min(axis=1)
    return np.asarray(np.flatnonzero(away >= apart * (1 - 1e-9)))
