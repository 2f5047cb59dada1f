"""Our own solver: a sequence of inlet sections through a packed bed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from seedtrain.base import InputError, Progress, SeedtrainError
from seedtrain.simulation._downstream._chromatography import _method
from seedtrain.simulation._downstream._chromatography._bed import Bed, Chromatogram, Grid, Inlet, State
from seedtrain.simulation._downstream._chromatography._grid import Axial, Radial, axial_grid, radial_grid
from seedtrain.simulation._downstream._chromatography._isotherm import (
    LANGMUIR,
    LINEAR,
    STERIC_MASS_ACTION,
    Isotherm,
    Langmuir,
    Linear,
    StericMassAction,
)
from seedtrain.simulation._run import Floats

if TYPE_CHECKING:
    from seedtrain.simulation._downstream._chromatography._eliminate import Local, Transport
    from seedtrain.simulation._downstream._chromatography._kernel import Method

_KINDS: Final = {Linear: LINEAR, Langmuir: LANGMUIR, StericMassAction: STERIC_MASS_ACTION}
_FIRST_STEP: Final = 1e-4
"""Of the time that the liquid takes through the bed; the integration finds its own from there."""
_NOTHING: Final = 1e-2
"""Absolute over relative tolerance times the highest concentration of a component."""


MOST_UNKNOWNS: Final = 6000
"""In the liquid between the beads, so that their matrix stays below 300 MB."""


class ColumnError(SeedtrainError):
    """The equations of a bed could not be integrated to the end; `reached` is the last good time, s."""

    def __init__(self, message: str, *, reached: float, remedy: str) -> None:
        super().__init__(message, remedy=remedy)
        self.reached = reached


@lru_cache(maxsize=32)
def grids(grid: Grid, lumped: bool) -> tuple[Axial, Radial]:
    """The points along a column and inside a bead; one point stands for a bead in the lumped model."""
    inside = (1, 0) if lumped else (grid.bead_elements, grid.bead_degree)
    return axial_grid(grid.elements, grid.degree), radial_grid(*inside)


def integrate(
    bed: Bed,
    isotherm: Isotherm,
    inlets: Sequence[Inlet],
    *,
    initial: Sequence[float],
    start: State | None,
    times: int | Floats,
    grid: Grid | None,
    rtol: float,
    most_steps: int,
    progress: Progress,
) -> Chromatogram:
    """`elute` by our own solver."""
    grid = grid or Grid()
    first = same_components(bed, isotherm, inlets, initial)
    _check_numbers(isotherm, inlets, first, start, rtol)
    axial, radial = grids(grid, bed.lumped)
    at = moments(times, sum(inlet.duration for inlet in inlets))
    problem = Problem(bed, isotherm, axial, radial)
    y, guess = problem.begin(first) if start is None else (start.values.copy(), start.guess.copy())
    if len(y) != problem.size:
        raise InputError(
            f"the state to go on from has {len(y)} values, this bed and grid {problem.size}",
            remedy="Go on with the bed, the isotherm and the grid that left it.",
        )
    y[-problem.components :] = 0.0
    before = problem.held(y)
    outlet, left, counts = problem.integrate(inlets, at, y, guess, rtol, most_steps, progress)
    loaded = sum((inlet.integral() * inlet.velocity for inlet in inlets), np.zeros(problem.components))
    return Chromatogram(
        times=at,
        outlet=outlet,
        left=left * bed.porosity,
        loaded=loaded * bed.porosity / bed.length,
        held_before=before,
        held=problem.held(y),
        state=State(y, guess),
        steps=int(counts[0]),
        rejected=int(counts[1]),
        engine="seedtrain",
    )


def same_components(bed: Bed, isotherm: Isotherm, inlets: Sequence[Inlet], initial: Sequence[float]) -> Floats:
    """The initial liquid, once everything speaks of the same components; raises `InputError`."""
    count = isotherm.components
    if not inlets:
        raise InputError("there is no inlet section", remedy="Give at least one.")
    first = np.array(initial, dtype=np.float64) if len(initial) else np.zeros(count)
    for name, found in (("film", len(bed.film)), ("initial", len(first)), *(("start", len(i.start)) for i in inlets)):
        if found != count:
            raise InputError(
                f"{name} has {found} values, the isotherm {count} components",
                remedy="Give one value for each component.",
            )
    if not (np.isfinite(first).all() and (first >= 0).all()):
        raise InputError(f"initial {first.tolist()!r} holds a value below 0", remedy="Give 0 mol/m3 or more.")
    return first


def _check_numbers(
    isotherm: Isotherm, inlets: Sequence[Inlet], first: Floats, start: State | None, rtol: float
) -> None:
    if not 1e-12 <= rtol <= 0.1:
        raise InputError(f"rtol {rtol!r} is not from 1e-12 to 0.1", remedy="Leave it at 1e-4.")
    if not isinstance(isotherm, StericMassAction):
        return
    lowest = min(float(inlet.at(moment)[0]) for inlet in inlets for moment in np.linspace(0.0, inlet.duration, 9))
    if start is None:
        lowest = min(lowest, float(first[0]))
    if not lowest > 0:
        raise InputError(
            f"the counter-ion (component 0) falls to {lowest:g} mol/m3", remedy="Keep salt in every liquid."
        )


def moments(times: int | Floats, end: float) -> Floats:
    if isinstance(times, int):
        if times < 2:
            raise InputError(f"{times} times make no chromatogram", remedy="Ask for 2 or more.")
        return np.linspace(0.0, end, times)
    found = np.asarray(times, dtype=np.float64)
    if found.ndim != 1 or len(found) < 1 or (np.diff(found) < 0).any() or found[0] < 0 or found[-1] > end * (1 + 1e-9):
        raise InputError(f"the times do not rise from 0 to {end:g} s", remedy="Give times within the sections.")
    return np.minimum(found, end)


class Problem:
    """A bed on its grid, as the kernel takes it."""

    def __init__(self, bed: Bed, isotherm: Isotherm, axial: Axial, radial: Radial) -> None:
        self.bed, self.isotherm, self.axial, self.radial = bed, isotherm, axial, radial
        self.components = isotherm.components
        own = 0 if not isotherm.desorption else self.components - isinstance(isotherm, StericMassAction)
        self.local = self.components + own
        self.places, self.depths = len(axial.points), len(radial.points)
        if self.components * self.places > MOST_UNKNOWNS:
            raise InputError(
                f"{self.places} points along the column with {self.components} components are "
                f"{self.components * self.places} unknowns, above {MOST_UNKNOWNS}",
                remedy="Use fewer elements.",
            )
        self.size = self.components * (self.places + 1) + self.local * self.places * self.depths
        zero = (0.0,) * self.components
        square = radial.diffusion / bed.bead_radius**2
        pore = np.array(bed.pore_diffusion or zero) * bed.bead_porosity
        surface = np.array(bed.surface_diffusion or zero)
        # eps D_p grad c + (1 - eps) D_s grad q, with (1 - eps) q = w - eps c.
        self.in_beads = np.multiply.outer(pore - surface * bed.bead_porosity, square)
        self.on_surface = np.multiply.outer(surface, square)
        film = 3.0 / bed.bead_radius * np.array(bed.film)
        self.into = film / radial.weights[-1]
        self.out_of = film * bed.beads_per_liquid

    def begin(self, liquid: Floats) -> tuple[Floats, Floats]:
        """The state of a bed at equilibrium with `liquid`."""
        bound = self.isotherm.bound(liquid)
        eps = self.bed.bead_porosity
        point = np.concatenate((eps * liquid + (1.0 - eps) * bound, bound[self.components * 2 - self.local :]))
        if self.local == self.components:
            point = point[: self.components]
        inside = np.tile(point, self.places * self.depths)
        y = np.concatenate((np.tile(liquid, self.places), inside, np.zeros(self.components)))
        guess = np.zeros((self.places, self.depths))
        if isinstance(self.isotherm, StericMassAction):
            free = self.isotherm.sites - float(
                (np.array(self.isotherm.charge) + np.array(self.isotherm.shielding)) @ bound[1:]
            )
            guess[:] = np.log(max(free, 1e-30) / liquid[0])
        return y, guess

    def held(self, y: Floats) -> Floats:
        """mol per m3 of bed, in liquid, pores and bound, by component."""
        between = y[: self.places * self.components].reshape(self.places, self.components)
        inside = y[self.places * self.components : -self.components].reshape(self.places, self.depths, self.local)
        in_beads = np.einsum("z,r,zri->i", self.axial.weights, self.radial.weights, inside[..., : self.components])
        porosity = self.bed.porosity
        return np.asarray(porosity * (self.axial.weights @ between) + (1.0 - porosity) * in_beads, dtype=np.float64)

    def scale(self, inlets: Sequence[Inlet], y: Floats) -> Floats:
        """The highest concentration of each component that the liquid starts with or is given, mol/m3."""
        highest = y[: self.places * self.components].reshape(self.places, self.components).max(axis=0)
        for inlet in inlets:
            for moment in np.linspace(0.0, inlet.duration, 5):
                highest = np.maximum(highest, inlet.at(float(moment)))
        return np.where(highest > 0, highest, max(float(highest.max()), 1e-12))

    def integrate(
        self,
        inlets: Sequence[Inlet],
        at: Floats,
        y: Floats,
        guess: Floats,
        rtol: float,
        most_steps: int,
        progress: Progress,
    ) -> tuple[Floats, Floats, Floats]:
        """Outlet and amount that left (times the bed's length) at the times `at`; moves `y` and `guess` on."""
        from seedtrain.simulation._downstream._chromatography._eliminate import Factors
        from seedtrain.simulation._downstream._chromatography._kernel import section

        outlet, left = np.zeros((len(at), self.components)), np.zeros((len(at), self.components))
        counts = np.zeros(3)
        local = self.inside(guess)
        bead, bulk = self.depths * self.local, self.places * self.components
        factors = Factors(np.zeros((self.places, bead, bead)), np.zeros((bulk, bulk)))
        nothing = _NOTHING * rtol * self.scale(inlets, y)
        begin, total = 0.0, sum(inlet.duration for inlet in inlets)
        first = 0
        for number, inlet in enumerate(inlets):
            end = total if number == len(inlets) - 1 else begin + inlet.duration
            after = len(at) if end >= total else int(np.searchsorted(at, end, side="right"))
            code = section(
                self.transport(inlet.velocity),
                self.method(inlet.velocity, rtol, nothing, most_steps),
                inlet.coefficients(),
                inlet.duration,
                y,
                local,
                factors,
                np.minimum(at[first:after] - begin, inlet.duration),
                outlet[first:after],
                left[first:after],
                counts,
            )
            if code < 0:
                raise ColumnError(
                    f"section {number + 1} of the inlet: "
                    + ("the step became too small" if code == -1 else f"{most_steps} steps were not enough")
                    + f" at {begin + counts[2]:g} s of {total:g} s",
                    reached=begin + counts[2],
                    remedy="Check the units of the parameters; for sharp fronts use more elements, or degree 0.",
                )
            begin, first = end, after
            progress(begin / total, "chromatography")
        return outlet, left, counts

    def inside(self, guess: Floats) -> Local:
        """Room for what is known inside the beads."""
        from seedtrain.simulation._downstream._chromatography._eliminate import Local

        shape = (self.places, self.depths)
        return Local(
            guess,
            np.zeros((*shape, self.components)),
            np.zeros((*shape, self.components, self.local)),
            np.zeros((*shape, self.local - self.components, self.local)),
        )

    def rates(self) -> Callable[[Inlet, float, Floats], Floats]:
        """dy/dt of the state `y` at a time (s) in a section of the inlet, for other integrators than ours."""
        from seedtrain.simulation._downstream._chromatography._kernel import rates

        local = self.inside(np.zeros((self.places, self.depths)))
        known: dict[float, Transport] = {}

        def at(inlet: Inlet, time: float, y: Floats) -> Floats:
            bed = known.get(inlet.velocity) or known.setdefault(inlet.velocity, self.transport(inlet.velocity))
            found = np.empty(self.size)
            rates(bed, inlet.at(time), np.ascontiguousarray(y), local, False, found)
            return found

        return at

    def transport(self, velocity: float) -> Transport:
        """The bed at one velocity, as the kernel takes it."""
        from seedtrain.simulation._downstream._chromatography._eliminate import Transport

        speed = velocity / self.bed.length
        spread = self.bed.dispersivity * velocity / self.bed.length**2
        along = speed * self.axial.convection + spread * self.axial.dispersion
        return Transport(
            _KINDS[type(self.isotherm)],
            self.bed.bead_porosity,
            self.isotherm.table(),
            np.repeat(along[None], self.components, axis=0),
            self.axial.below,
            self.axial.above,
            speed * self.axial.inlet,
            speed,
            self.in_beads,
            self.on_surface,
            self.radial.reach,
            self.into,
            self.out_of,
        )

    def method(self, velocity: float, rtol: float, nothing: Floats, most_steps: int) -> Method:
        """RODASP and how it is driven."""
        from seedtrain.simulation._downstream._chromatography._kernel import Method

        return Method(
            _method.A,
            _method.C,
            _method.NODES,
            _method.GAMMAS,
            _method.GAMMA,
            _method.ORDER,
            rtol,
            nothing,
            _FIRST_STEP * self.bed.length / velocity,
            most_steps,
        )
