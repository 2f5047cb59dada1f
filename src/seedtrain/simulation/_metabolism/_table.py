"""A compiled metabolism: growth and exchanges of a genome-scale model as an affine map on each of a few regions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seedtrain.base import InputError
from seedtrain.simulation._metabolism._kernels._structure import MISSING, OUTSIDE
from seedtrain.simulation._metabolism._moving import MovingBound
from seedtrain.simulation._metabolism._program import Floats, Program
from seedtrain.simulation._metabolism._solver import InfeasibleError, Region, Solver

Outside = Literal["refuse", "solve"]
"""What to do where a bound leaves the box: refuse, or solve the linear programme there and keep its region."""

LARGEST_REPORT: Final = 3  # points that an error names


@dataclass(frozen=True)
class Evaluation:
    """What the cells do under given bounds: shapes follow those of the bounds, less their last axis.

    - `growth`: 1/h. `exchanges`: mmol/gDW/h, + out of the cell, last axis in the order of `table.exchanges`.
    - `deficit`: mmol/gDW/h of each demand that cannot be met, last axis in the order of `table.demands`.
    - `region`: number of the region that holds the point; `table.jacobian(region)` is exact inside it.
    """

    growth: Floats
    exchanges: Floats
    deficit: Floats
    region: NDArray[np.int64]


@dataclass(frozen=True)
class TableCertificate:
    """What was proven and what was tested of a region table; growth in 1/h, fluxes in mmol/gDW/h.

    - `regions`, `vertices`, `solves`: regions of the table, vertices at which it was held against the linear
      programme, linear programmes solved in all.
    - `gap`: largest excess of the table over the programme's value at a vertex; proves the table complete.
    - `dual_slack`: what rounding in the bases could add to that.
    - `flux_gap`: largest difference of an exchange at a vertex of its region.
    - `random`, `face`, `kink`: largest difference of any flux at random points, at points with substrates at a side of
      the box, and at pairs of points astride a border of two regions.
    - `growth_loss`: growth that the tie-break costs at the random points; `growth_while_short`: the fastest growth at a
      tested point where a demand is not met, above zero where a demand's penalty is too small to go before growth.
    - `fitted`: regions too thin for a basis of their own, whose map was fitted to their vertices.
    - `cpu_seconds`: what compiling took; `versions`: of what computed it.
    """

    regions: int
    vertices: int
    solves: int
    gap: float
    dual_slack: float
    flux_gap: float
    random: float
    face: float
    kink: float
    growth_loss: float
    growth_while_short: float
    fitted: int
    cpu_seconds: float
    versions: Mapping[str, str]

    def to_data(self) -> dict[str, Any]:
        """The certificate as JSON-ready data."""
        return {**asdict(self), "versions": dict(self.versions)}


class Arrays(NamedTuple):
    """A table as the kernels read it; see `_kernels/_search.py`."""

    cut: Floats
    maps: Floats
    halves: Floats
    starts: NDArray[np.int64]
    box: Floats


class Cells:
    """Certified regions, if any, and behind them critical regions kept as half-spaces as they are met."""

    def __init__(self, program: Program, cut: Floats, maps: Floats) -> None:
        self._program = program
        self._cut, self._maps = cut, maps
        self._regions: list[Region] = []
        self._arrays: Arrays | None = None

    def __len__(self) -> int:
        return len(self._regions)

    @cached_property
    def _solver(self) -> Solver:
        return Solver(self._program)

    @property
    def solves(self) -> int:
        """Linear programmes solved so far."""
        return self._solver.solves if "_solver" in self.__dict__ else 0

    @property
    def stored(self) -> dict[str, NDArray[Any]]:
        """The regions met so far as plain arrays, for `restore`."""
        found = self._regions
        arrays = {name: np.array([getattr(item, name) for item in found]) for name in ("alpha", "beta", "A", "b")}
        lengths = np.array([len(item.g) for item in found], dtype=np.int64)
        halves = {"H": np.vstack([item.H for item in found]), "g": np.concatenate([item.g for item in found])}
        return {**arrays, **halves, "lengths": lengths}

    def restore(self, stored: Mapping[str, NDArray[Any]]) -> None:
        """Take up the regions that `stored` gave."""
        ends = np.cumsum(stored["lengths"])
        for number, (size, end) in enumerate(zip(stored["lengths"], ends, strict=True)):
            own = {name: stored[name][number] for name in ("alpha", "A", "b")}
            H, g = stored["H"][end - size : end], stored["g"][end - size : end]
            self._regions.append(Region(**own, beta=float(stored["beta"][number]), H=H, g=g, dual_slack=0.0))
        self._arrays = None

    def learn(self, theta: Floats) -> None:
        """Solve at `theta` and keep the region; raises `InputError` where no flux is possible."""
        from dataclasses import replace

        try:
            region = self._solver.region(theta)
        except InfeasibleError:
            from seedtrain.simulation._metabolism._explain import infeasible

            raise infeasible(self._program, theta) from None
        # The optimum may lie on an edge to within the solver's tolerance: its own point must be inside.
        short = region.H @ theta - region.g
        region = replace(region, g=region.g + np.maximum(short, 0.0))
        self._regions.append(region)
        self._arrays = None

    @property
    def arrays(self) -> Arrays:
        """What the kernels read; the same object until a region is learned."""
        if self._arrays is None:
            p = len(self._program.moving)
            own = [np.column_stack([region.A, region.b])[None] for region in self._regions]
            halves = [np.column_stack([region.H, region.g]) for region in self._regions]
            self._arrays = Arrays(
                cut=self._cut,
                maps=np.concatenate([self._maps, *own]),
                halves=np.concatenate([np.zeros((0, p + 1)), *halves]),
                starts=np.cumsum([0, *(len(item) for item in halves)]).astype(np.int64),
                box=np.array([self._program.low, self._program.high]),
            )
        return self._arrays


class CompiledMetabolism(ABC):
    """A compiled metabolism, whether its regions are certified (`RegionTable`) or found on the way (`LazyTable`)."""

    program: Program

    @property
    @abstractmethod
    def certificate(self) -> TableCertificate | None:
        """What was proven of the table; nothing for one that is filled on the way."""

    @property
    @abstractmethod
    def arrays(self) -> Arrays:
        """What the kernels read, as it is now."""

    @abstractmethod
    def learn(self, theta: Floats) -> None:
        """Find and keep the region of a point that no region holds yet."""

    @property
    def regions(self) -> int:
        """Regions of the table: those certified, and those met outside the box or, of a lazy one, so far."""
        return len(self.arrays.maps)

    @property
    def moving(self) -> tuple[MovingBound, ...]:
        """The bounds that move, in the order of theta."""
        return self.program.moving

    @property
    def exchanges(self) -> tuple[str, ...]:
        """The exchanges that are reported; `carbon_elsewhere` is all carbon that leaves by another way."""
        return self.program.outputs[1 : len(self.program.outputs) - self.program.deficits]

    @property
    def demands(self) -> tuple[str, ...]:
        """The demanded reactions, in the order of deficits."""
        return tuple(item.reaction for item in self.moving if item.kind == "demand")

    def evaluate(self, theta: ArrayLike, *, outside: Outside = "refuse") -> Evaluation:
        """What the cells do under the bounds `theta` (..., p), mmol/gDW/h, in the order of `moving`.

        Raises `InputError` for bounds that are no numbers or, with `outside="refuse"`, lie outside the compiled box;
        with `outside="solve"` the linear programme answers there, and its region is kept.
        """
        from seedtrain.simulation._metabolism._kernels._build import evaluation_kernel

        points = np.asarray(theta, dtype=float)
        if points.shape[-1:] != (len(self.moving),) or not np.isfinite(points).all():
            names = ", ".join(item.reaction for item in self.moving)
            raise InputError(
                f"bounds of shape {points.shape} do not give {len(self.moving)} finite numbers each",
                remedy=f"Give one number for each of: {names}.",
            )
        shape = points.shape[:-1]
        flat = np.ascontiguousarray(points.reshape(-1, len(self.moving)))
        outputs, regions = np.empty((len(flat), len(self.program.outputs))), np.empty(len(flat), dtype=np.int64)
        kernel = evaluation_kernel(len(self.moving)).evaluate
        todo = slice(None)
        while True:
            arrays = self.arrays
            kernel(*arrays, outside == "refuse", flat[todo], outputs[todo], regions[todo])
            if (regions == OUTSIDE).any():
                raise self.refusal(flat[int(np.argmax(regions == OUTSIDE))])
            missing = np.flatnonzero(regions == MISSING)
            if not len(missing):
                break
            self.learn(flat[missing[0]])
        count = self.program.deficits
        return Evaluation(
            growth=outputs[:, 0].reshape(shape),
            exchanges=outputs[:, 1 : outputs.shape[1] - count].reshape(*shape, -1),
            deficit=outputs[:, outputs.shape[1] - count :].reshape(*shape, count),
            region=regions.reshape(shape),
        )

    def jacobian(self, region: ArrayLike) -> Floats:
        """Derivatives of (growth, exchanges, deficits), last axis but one, by the bounds, last axis, in a region.

        Exact inside a region and one-sided on its border.
        """
        return np.asarray(self.arrays.maps[np.asarray(region, dtype=np.int64)][..., :-1])

    def to_data(self) -> dict[str, Any]:
        """What was compiled and what was proven of it, as JSON-ready data (not the table itself)."""
        program = self.program
        return {
            "model": program.name,
            "file": program.file,
            "digest": program.digest,
            "reactions": len(program.reactions),
            "metabolites": len(program.metabolites),
            "growth": program.reactions[int(program.rows[[0]].tocoo().col[0])],
            "growth_mass": program.growth_mass,
            "moving": [item.to_data() for item in program.moving],
            "exchanges": list(self.exchanges),
            "epsilon": program.epsilon,
            "kind": "lazy" if self.certificate is None else "certified",
            "certificate": None if self.certificate is None else self.certificate.to_data(),
        }

    def limiting(self, region: int) -> tuple[str, ...]:
        """The bounds that growth depends on in a region, by reaction."""
        slopes = self.arrays.maps[region, 0, :-1]
        return tuple(item.reaction for item, slope in zip(self.moving, slopes, strict=True) if abs(slope) > 1e-7)

    def refusal(self, theta: Floats) -> InputError:
        """The error for bounds outside the box."""
        program = self.program
        parts = [
            f"{item.reaction} {value:.6g} (box {item.low:g} .. {item.high:g})"
            for item, value in zip(program.moving, theta, strict=True)
            if not item.low <= value <= item.high
        ]
        return InputError(
            f"outside what was compiled of {program.name}: {', '.join(parts[:LARGEST_REPORT])} mmol/gDW/h",
            remedy="Compile a wider box, or allow the linear programme outside it (outside='solve').",
        )


@dataclass(frozen=True)
class RegionTable(CompiledMetabolism):
    """A certified region table: inside its box it is the linear programme's answer, to the gaps of its `proof`.

    - `alpha` (regions x p), `beta` (regions): the region of theta is the one where alpha theta + beta is the least.
    - `A` (regions x outputs x p), `b` (regions x outputs): outputs = A theta + b, by `program.outputs`.
    """

    program: Program
    alpha: Floats
    beta: Floats
    A: Floats
    b: Floats
    proof: TableCertificate

    @property
    def certificate(self) -> TableCertificate:
        """What was proven of the table."""
        return self.proof

    @cached_property
    def _cells(self) -> Cells:
        cut = np.ascontiguousarray(np.vstack([self.alpha.T, self.beta[None]]))
        return Cells(self.program, cut, np.concatenate([self.A, self.b[:, :, None]], axis=2))

    @property
    def arrays(self) -> Arrays:
        """What the kernels read: the certified regions, then those solved outside the box."""
        return self._cells.arrays

    def learn(self, theta: Floats) -> None:
        """Find and keep the region of a point outside the box."""
        self._cells.learn(theta)


class LazyTable(CompiledMetabolism):
    """Regions found as they are met, for more bounds than can be certified; it grows with use.

    Inside a region it is as exact as the linear programme; nothing is proven of the regions not met yet.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        p = len(program.moving)
        self._cells = Cells(program, np.zeros((p + 1, 0)), np.zeros((0, len(program.outputs), p + 1)))

    @property
    def certificate(self) -> None:
        """Nothing: such a table proves nothing."""
        return

    @property
    def solves(self) -> int:
        """Linear programmes solved so far, in this process."""
        return self._cells.solves

    @property
    def stored(self) -> dict[str, NDArray[Any]]:
        """The regions met so far as plain arrays."""
        return self._cells.stored

    def restore(self, stored: Mapping[str, NDArray[Any]]) -> None:
        """Take up regions that were `stored`."""
        self._cells.restore(stored)

    @property
    def arrays(self) -> Arrays:
        """What the kernels read: the regions met so far."""
        return self._cells.arrays

    def learn(self, theta: Floats) -> None:
        """Find and keep the region of a point that no region holds yet."""
        self._cells.learn(theta)
