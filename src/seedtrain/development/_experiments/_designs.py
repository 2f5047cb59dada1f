"""Classical designs: which runs tell effects apart; from pyDOE3 where it has them, optimal ones by exchange.

Points are places from 0 (low) to 1 (high) of each continuous factor and numbers of levels, "run, column", ordered as
`Experiment.ordered`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, UnavailableError
from seedtrain.development._experiments._acquire import corners, spread_points
from seedtrain.development._experiments._entry import Experiment

Floats = NDArray[np.float64]
Kind = Literal[
    "factorial", "fractional", "plackett-burman", "central-composite", "box-behnken", "d-optimal", "i-optimal",
    "simplex-lattice", "simplex-centroid", "space-filling",
]  # fmt: skip
Terms = Literal["linear", "interactions", "quadratic"]
MOST_RUNS: Final = 10_000
STARTS: Final = 8
CANDIDATES: Final = 4096


def design(
    study: Experiment, kind: Kind, *, runs: int = 0, terms: Terms = "quadratic", resolution: int = 4, centre: int = 0,
    levels: int = 2, seed: int = 0,
) -> Floats:  # fmt: skip
    """The points of a design, centre points last.

    - `runs`: of optimal and space-filling designs. - `terms`: what an optimal design is to tell. - `resolution`: of a
      fraction (3: main effects apart from each other; 4: from pairs too; 5: pairs apart from each other).
    - `levels`: of each continuous factor in a factorial, or degree of a simplex lattice.

    Raises `InputError` where the factors do not allow the design, with the kind that does.
    """
    makers: dict[str, Callable[[], Floats]] = {
        "factorial": lambda: _factorial(study, levels),
        "fractional": lambda: _two_levels(study, kind, resolution),
        "plackett-burman": lambda: _two_levels(study, kind, resolution),
        "central-composite": lambda: _surface(study, kind),
        "box-behnken": lambda: _surface(study, kind),
        "simplex-lattice": lambda: _simplex(study, max(levels, 1)),
        "simplex-centroid": lambda: _simplex(study, 0),
        "space-filling": lambda: spread_points(study.region, _asked(runs, study, "space-filling"), seed),
        "d-optimal": lambda: optimal(study, _asked(runs, study, kind), terms, "D", seed),
        "i-optimal": lambda: optimal(study, _asked(runs, study, kind), terms, "I", seed),
    }
    if seed < 0 or centre < 0:
        raise InputError(f"seed {seed}, {centre} centre points", remedy="Give numbers of 0 or more.")
    _check(study, kind)
    found = makers[kind]()
    if centre:
        if any(item.levels for item in study.factors) or _mixture(study):
            raise InputError("levels and mixtures have no centre", remedy="Leave --centre out; repeat runs instead.")
        found = np.vstack([found, np.full((centre, len(study.factors)), 0.5)])
    if len(found) > MOST_RUNS:
        raise InputError(f"the design has {len(found)} runs", remedy="Take a fraction, or an optimal design.")
    inside = study.region.admits(found)
    if not inside.all():
        raise InputError(
            f"{int((~inside).sum())} of {len(found)} runs break a limit between factors",
            remedy="Use --kind d-optimal, i-optimal or space-filling, which hold them.",
        )
    return found


def _check(study: Experiment, kind: str) -> None:
    plain = [item.name for item in study.factors if item.levels]
    if kind in ("central-composite", "box-behnken") and plain:
        raise InputError(
            f"{kind} needs factors with a range; {', '.join(plain)} has levels", remedy="Use --kind d-optimal."
        )
    if kind in ("fractional", "plackett-burman") and any(len(item.levels) > 2 for item in study.factors):
        raise InputError(f"{kind} has two levels of each factor", remedy="Use --kind d-optimal.")
    if _mixture(study) and not (kind.endswith("optimal") or kind.startswith("simplex")):
        raise InputError(
            f"{kind} is no design of mixtures", remedy="Use simplex-lattice, simplex-centroid or d-optimal."
        )
    if kind.startswith("simplex") and not all(item.mixture for item in study.factors):
        raise InputError(f"{kind} is of mixtures alone", remedy="Mark every factor as mixture: true, or use d-optimal.")


def _mixture(study: Experiment) -> bool:
    return any(item.mixture for item in study.factors)


def _asked(runs: int, study: Experiment, kind: str) -> int:
    if runs < 1:
        wrong = f"{runs} runs" if runs else f"{kind} needs the number of runs"
        raise InputError(wrong, remedy=f"Give --runs, such as {4 * len(study.factors)}.")
    return runs


def _library() -> Any:
    try:
        import pyDOE3
    except ImportError:
        raise UnavailableError(
            "this design needs pyDOE3, which is not installed", remedy="Install it with: pip install pyDOE3."
        ) from None
    return pyDOE3


def _factorial(study: Experiment, levels: int) -> Floats:
    if levels < 2:
        raise InputError(f"a factorial of {levels} levels", remedy="Give 2 or more.")
    columns: list[Any] = [np.linspace(0, 1, levels) for _ in study.continuous]
    columns += [range(len(item.levels)) for item in study.categorical]
    count = math.prod(len(column) for column in columns)
    if count > MOST_RUNS:
        raise InputError(f"the whole factorial has {count} runs", remedy="Take a fraction, or an optimal design.")
    return np.array(list(itertools.product(*columns)), float)


def _two_levels(study: Experiment, kind: str, resolution: int) -> Floats:
    count = len(study.factors)
    if kind == "plackett-burman":
        scaled: Floats = (np.asarray(_library().pbdesign(count), float) + 1) / 2
        return scaled
    if not 3 <= resolution <= count:
        raise InputError(f"a fraction of resolution {resolution} of {count} factors",
                         remedy=f"Give 3 to {count}, or take the whole factorial." if count >= 3
                         else "Take the whole factorial: --kind factorial.")  # fmt: skip
    for base in range(2, count):
        masks = _generators(count - base, base, resolution)
        if masks is not None:
            signs = 2 * np.array(list(itertools.product((0, 1), repeat=base))) - 1
            more = [np.prod(signs[:, [at for at in range(base) if mask >> at & 1]], axis=1) for mask in masks]
            return (np.column_stack([signs, *more]) + 1) / 2
    raise InputError(f"there is no fraction of resolution {resolution} of {count} factors",
                     remedy="Take the whole factorial.")  # fmt: skip


def _generators(wanted: int, base: int, resolution: int) -> tuple[int, ...] | None:
    """Products of `base` factors (bit masks) for `wanted` further ones, no word of the defining relation shorter than
    `resolution` (Box & Hunter 1961, Technometrics 3:311); None where there are none."""
    masks = sorted((m for m in range(1, 2**base) if m.bit_count() >= resolution - 1), key=lambda m: -m.bit_count())

    def search(chosen: tuple[int, ...], words: tuple[int, ...], start: int) -> tuple[int, ...] | None:
        if len(chosen) == wanted:
            return chosen
        for at in range(start, len(masks)):
            word = masks[at] | 1 << (base + len(chosen))
            joined = (word, *(word ^ other for other in words))
            if all(item.bit_count() >= resolution for item in joined):
                found = search((*chosen, masks[at]), (*words, *joined), at + 1)
                if found is not None:
                    return found
        return None

    return search((), (), 0)


def _surface(study: Experiment, kind: str) -> Floats:
    count, library = len(study.factors), _library()
    fewest = 3 if kind == "box-behnken" else 2
    if kind == "central-composite" and 2**count > MOST_RUNS:
        raise InputError(f"{kind} of {count} factors has {2**count + 2 * count} runs", remedy="Use --kind d-optimal.")
    if count < fewest:
        raise InputError(f"{kind} of {count} factors", remedy=f"It needs {fewest}; use a factorial.")
    if kind == "box-behnken":
        found = library.bbdesign(count, center=0)
    else:  # axial points on the faces: a factor's range is what can be set
        found = library.ccdesign(count, center=(0, 0), face="ccf")
    scaled: Floats = (np.asarray(found, float) + 1) / 2
    return np.unique(scaled, axis=0)


def _simplex(study: Experiment, degree: int) -> Floats:
    """Parts of a whole: the lattice of `degree` (Scheffé 1958, J R Stat Soc B 20:344), or the centroids (0)."""
    count = len(study.factors)
    if degree:
        parts = [item for item in itertools.product(range(degree + 1), repeat=count) if sum(item) == degree]
        shares = np.array(parts, float) / degree
    else:
        shares = np.array(
            [[(at in chosen) / len(chosen) for at in range(count)]
             for size in range(1, count + 1) for chosen in itertools.combinations(range(count), size)]
        )  # fmt: skip
    return _placed(study, shares)


def _placed(study: Experiment, shares: Floats) -> Floats:
    """Shares of the room above the lower bounds as places (L-pseudocomponents), those above an upper bound left out."""
    low = np.array([item.low for item in study.factors])
    span = np.array([item.high - item.low for item in study.factors])
    room = 1.0 - low.sum()
    if room <= 0:
        raise InputError(
            f"the lower bounds of the mixture sum to {low.sum():g}", remedy="They must sum to less than 1."
        )
    places = shares * room / span
    kept: Floats = places[(places <= 1 + 1e-9).all(1)]
    if len(kept) < len(study.factors):
        raise InputError("upper bounds leave too little of the simplex", remedy="Use --kind d-optimal.")
    return kept


def model_matrix(study: Experiment, points: Floats, terms: Terms) -> tuple[Floats, tuple[str, ...]]:
    """Columns of the linear model at `points`, and their names; continuous factors from -1 to 1, levels by contrasts.

    Of a mixture, the whole makes intercept and squares redundant: Scheffé's terms are used for its components.
    """
    blocks, names, kinds = _blocks(study, points)
    mixed = _mixture(study)
    columns = [] if mixed else [np.ones(len(points))]
    titles = [] if mixed else ["1"]
    for block, name in zip(blocks, names, strict=True):
        columns += list(block.T)
        titles += name
    if terms != "linear":
        for (one, first), (other, second) in itertools.combinations(list(zip(blocks, names, strict=True)), 2):
            for (a, left), (b, right) in itertools.product(
                zip(one.T, first, strict=True), zip(other.T, second, strict=True)
            ):
                columns.append(a * b)
                titles.append(f"{left}*{right}")
    if terms == "quadratic":
        for block, name, kind in zip(blocks, names, kinds, strict=True):
            if kind == "range":
                columns.append(block[:, 0] ** 2)
                titles.append(f"{name[0]}^2")
    return np.column_stack(columns), tuple(titles)


def _blocks(study: Experiment, points: Floats) -> tuple[list[Floats], list[list[str]], list[str]]:
    """Columns of each factor, their names, and what kind it is: range, mixture or levels."""
    blocks, names, kinds = [], [], []
    for at, item in enumerate(study.ordered):
        if item.levels:
            contrasts = np.vstack([np.eye(len(item.levels) - 1), -np.ones(len(item.levels) - 1)])
            blocks.append(contrasts[points[:, at].astype(int)])
            names.append([f"{item.name}={level}" for level in item.levels[:-1]])
            kinds.append("levels")
        elif item.mixture:
            blocks.append(item.low + points[:, at : at + 1] * (item.high - item.low))
            names.append([item.name])
            kinds.append("mixture")
        else:
            blocks.append(2 * points[:, at : at + 1] - 1)
            names.append([item.name])
            kinds.append("range")
    return blocks, names, kinds


def optimal(study: Experiment, runs: int, terms: Terms, criterion: Literal["D", "I"], seed: int = 0) -> Floats:
    """Runs that make the model's terms most certain together (D) or its predictions over the region on average (I).

    Fedorov's exchange (1972) over candidates, from several starts. Limits between factors and mixtures are held.
    """
    candidates = candidate_points(study, terms, seed)
    matrix, titles = model_matrix(study, candidates, terms)
    if runs < matrix.shape[1]:
        raise InputError(
            f"{runs} runs cannot tell {matrix.shape[1]} terms",
            remedy=f"Give {matrix.shape[1] + 2} runs, or fewer terms.",
        )
    if np.linalg.matrix_rank(matrix) < matrix.shape[1]:
        raise InputError(
            f"limits or levels make some of {', '.join(titles)} the same everywhere", remedy="Ask for fewer terms."
        )
    moments = matrix.T @ matrix / len(matrix)
    rng = np.random.default_rng(seed)
    best: tuple[float, NDArray[np.intp]] | None = None
    for _start in range(STARTS):
        chosen, value = _exchanged(matrix, moments, _first(matrix, runs, rng), criterion)
        if best is None or value > best[0]:
            best = value, chosen
    assert best is not None
    return candidates[np.sort(best[1])]


def candidate_points(study: Experiment, terms: Terms, seed: int) -> Floats:
    """Where runs of an optimal design may lie: a grid where it is small, else drawn; all hold the limits."""
    if _mixture(study):
        if not all(item.mixture for item in study.factors):
            raise InputError("a mixture beside other factors is not designed for",
                             remedy="Design the mixture apart, or give shares as factors with a limit.")  # fmt: skip
        found = _placed(study, _shares(len(study.factors), 10 if len(study.factors) < 5 else 6))
        return found[study.region.admits(found)]
    steps = 2 if terms != "quadratic" else 5
    count = steps ** len(study.continuous) * math.prod(len(item.levels) for item in study.categorical)
    if count <= CANDIDATES and not study.limits:
        return _factorial(study, steps)
    return np.unique(np.vstack([_corners(study, seed), spread_points(study.region, CANDIDATES // 4, seed)]), axis=0)


def _shares(count: int, degree: int) -> Floats:
    parts = [item for item in itertools.product(range(degree + 1), repeat=count) if sum(item) == degree]
    return np.array(parts, float) / degree


def _corners(study: Experiment, seed: int) -> Floats:
    """Points where limits meet, and points between them."""
    split = len(study.continuous)
    grid = corners(study.region, 200, np.random.default_rng(seed))
    middles = grid.copy()
    middles[:, :split] = (grid[:, :split] + np.roll(grid[:, :split], 1, axis=0)) / 2
    return np.vstack([grid, middles])


def _first(matrix: Floats, runs: int, rng: np.random.Generator) -> NDArray[np.intp]:
    for _attempt in range(200):
        chosen = rng.integers(len(matrix), size=runs)
        if np.linalg.matrix_rank(matrix[chosen]) == matrix.shape[1]:
            return chosen
    # A random start rarely spans many terms: take rows that add a direction each.
    order = rng.permutation(len(matrix))
    kept: list[int] = []
    rank = 0
    for at in order:
        now = int(np.linalg.matrix_rank(matrix[[*kept, at]]))
        if now > rank:
            kept, rank = [*kept, int(at)], now
    return np.array([*kept, *rng.integers(len(matrix), size=runs - len(kept))])


def _exchanged(
    matrix: Floats, moments: Floats, chosen: NDArray[np.intp], criterion: str
) -> tuple[NDArray[np.intp], float]:
    """Swap one run at a time for the candidate that gains most, until none does."""
    chosen = chosen.copy()
    inverse = _inverse(matrix[chosen])
    for _round in range(50):
        moved = False
        for at in range(len(chosen)):
            gains = _gains(matrix, inverse, matrix[chosen[at]], moments, criterion)
            to = int(np.argmax(gains))
            if gains[to] > 1e-9:
                chosen[at] = to
                inverse = _inverse(matrix[chosen])
                moved = True
        if not moved:
            break
    return chosen, _value(matrix[chosen], moments, criterion)


def _inverse(rows: Floats) -> Floats:
    """Of the information matrix."""
    return np.asarray(np.linalg.inv(rows.T @ rows), float)


def _gains(matrix: Floats, inverse: Floats, out: Floats, moments: Floats, criterion: str) -> Floats:
    """What each candidate gains in place of the run `out`, by rank-one updates of the inverse."""
    image = inverse @ out
    own = float(out @ image)
    images = matrix @ inverse
    all_own = np.einsum("ij,ij->i", images, matrix)
    across = images @ out
    ratio = (1 + all_own) * (1 - own) + across**2
    found: Floats = ratio - 1
    if criterion == "D":
        return found
    # (M + x x' - o o')^-1 by Woodbury; the trace with the moments is the mean variance of a prediction.
    weight = float(image @ moments @ image)
    cross = images @ (moments @ image)
    spread = np.einsum("ij,jk,ik->i", images, moments, images)
    fall = ((1 - own) * spread + 2 * across * cross - (1 + all_own) * weight) / np.maximum(ratio, 1e-12)
    relative = fall / max(float(np.trace(inverse @ moments)), 1e-300)
    return np.where(ratio > 1e-9, relative, -np.inf)


def _value(rows: Floats, moments: Floats, criterion: str) -> float:
    information = rows.T @ rows
    if criterion == "D":
        return float(np.linalg.slogdet(information)[1])
    return -float(np.trace(np.linalg.solve(information, moments)))
