"""The same problem solved by CADET, where the user has installed it: a program of its own in a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from seedtrain.base import InputError, UnavailableError
from seedtrain.simulation._downstream._chromatography._bed import Bed, Chromatogram, Grid, Inlet
from seedtrain.simulation._downstream._chromatography._elute import moments, same_components
from seedtrain.simulation._downstream._chromatography._isotherm import Isotherm, Langmuir, Linear
from seedtrain.simulation._run import Floats

VARIABLE: Final = "SEEDTRAIN_CADET"
"""Environment variable that names a Python 3.12 or newer in which cadet-core and h5py are installed."""
REMEDY: Final = (
    f"Install cadet-core and h5py into a Python 3.12 or newer of its own, and set {VARIABLE} to that interpreter."
)
_WORKER: Final = Path(__file__).with_name("_cadet_worker.py")


@dataclass(frozen=True)
class Cadet:
    """CADET behind `interpreter`, a Python that has cadet-core and h5py; `limit`: longest run, s."""

    interpreter: str
    limit: float = 600.0

    @classmethod
    def found(cls) -> Cadet | None:
        """The one that the environment names, None without."""
        named = os.environ.get(VARIABLE)
        return cls(named) if named else None

    def version(self) -> str:
        """Its version; raises `UnavailableError` where it does not run."""
        match = re.search(r"\d+\.\d+\.\d+", str(self._ask({"only_version": True})["version"]))
        return match.group() if match else "unknown"

    def elute(
        self,
        bed: Bed,
        isotherm: Isotherm,
        inlets: Sequence[Inlet],
        *,
        initial: Sequence[float] = (),
        times: int | Floats = 501,
        grid: Grid | None = None,
        rtol: float = 1e-6,
    ) -> Chromatogram:
        """As `elute`, solved by CADET's discontinuous Galerkin method; a bead's degree counts in r, not in r^2.

        `details` holds `cpu_s`, CPU seconds of its process. It tells no amounts: `held` and `left` come from its outlet
        by the trapezoidal rule over `times`. Raises `UnavailableError` where it does not run, `InputError` for what it
        refuses.
        """
        first = same_components(bed, isotherm, inlets, initial)
        at = moments(times, sum(inlet.duration for inlet in inlets))
        answer = self._ask({"input": _problem(bed, isotherm, inlets, first, at, grid or Grid(), rtol)})
        outlet = np.array(answer["outlet"], dtype=np.float64)
        return _chromatogram(bed, isotherm, inlets, first, at, outlet, answer)

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        command = [self.interpreter, str(_WORKER)]
        try:
            done = subprocess.run(  # noqa: S603 - the user names the interpreter
                command, input=json.dumps(question), capture_output=True, text=True, timeout=self.limit, check=False
            )
        except OSError as error:
            raise UnavailableError(
                f"CADET: {self.interpreter!r} cannot be run: {error.strerror}", remedy=REMEDY
            ) from error
        except subprocess.TimeoutExpired as error:
            raise UnavailableError(
                f"CADET did not answer within {self.limit:g} s", remedy="Give it a coarser grid or more time."
            ) from error
        try:
            answer: dict[str, Any] = json.loads(done.stdout)
        except json.JSONDecodeError as error:
            raise UnavailableError(f"CADET: {done.stderr.strip()[-500:] or 'no answer'}", remedy=REMEDY) from error
        if "error" in answer:
            if "version" in answer:
                raise InputError(f"CADET refused the problem: {answer['error'].strip()}", remedy="Correct it.")
            raise UnavailableError(f"CADET: {answer['error']}", remedy=REMEDY)
        return answer


def _problem(
    bed: Bed, isotherm: Isotherm, inlets: Sequence[Inlet], first: Floats, at: Floats, grid: Grid, rtol: float
) -> dict[str, Any]:
    """The tree that CADET's file format (version 5) asks for."""
    count = isotherm.components
    edges = np.concatenate(([0.0], np.cumsum([inlet.duration for inlet in inlets])))
    sections = {f"sec_{k:03d}": _section(inlet) for k, inlet in enumerate(inlets)}
    area = 1e-4
    switches = {
        f"switch_{k:03d}": {
            "SECTION": k,
            "CONNECTIONS": [1.0, 0.0, -1.0, -1.0, -1.0, -1.0, inlet.velocity * area * bed.porosity],
        }
        for k, inlet in enumerate(inlets)
    }
    connections = {"NSWITCHES": len(inlets), "CONNECTIONS_INCLUDE_PORTS": 1, **switches}
    solver = {"GS_TYPE": 1, "MAX_KRYLOV": 0, "MAX_RESTARTS": 10, "SCHUR_SAFETY": 1e-8}
    model = {
        "NUNITS": 2,
        "connections": connections,
        "solver": solver,
        "unit_000": _unit(bed, isotherm, inlets, first, grid, area),
        "unit_001": {"UNIT_TYPE": "INLET", "NCOMP": count, "INLET_TYPE": "PIECEWISE_CUBIC_POLY", **sections},
    }
    returned = {"WRITE_SOLUTION_TIMES": 1, "unit_000": {"WRITE_SOLUTION_OUTLET": 1}}
    integrator = {
        "ABSTOL": rtol * 1e-2,
        "RELTOL": rtol,
        "ALGTOL": 1e-12,
        "INIT_STEP_SIZE": 1e-6,
        "MAX_STEPS": 100_000,
    }
    times = {"NSEC": len(inlets), "SECTION_TIMES": edges.tolist(), "SECTION_CONTINUITY": [0] * (len(inlets) - 1)}
    run = {
        "NTHREADS": 1,
        "USER_SOLUTION_TIMES": at.tolist(),
        "sections": times,
        "time_integrator": integrator,
    }
    return {"model": model, "return": returned, "solver": run}


def _section(inlet: Inlet) -> dict[str, Any]:
    names = ("CONST_COEFF", "LIN_COEFF", "QUAD_COEFF", "CUBE_COEFF")
    return dict(zip(names, inlet.coefficients().T.tolist(), strict=True))


def _unit(
    bed: Bed, isotherm: Isotherm, inlets: Sequence[Inlet], first: Floats, grid: Grid, area: float
) -> dict[str, Any]:
    count = isotherm.components
    binding, adsorption, binds = _binding(isotherm)
    bound = isotherm.bound(first)
    unit: dict[str, Any] = {
        "UNIT_TYPE": "LUMPED_RATE_MODEL_WITH_PORES" if bed.lumped else "GENERAL_RATE_MODEL",
        "NCOMP": count,
        "NPARTYPE": 1,
        "ADSORPTION_MODEL": binding,
        "adsorption": adsorption,
        "NBOUND": [int(flag) for flag in binds],
        "COL_LENGTH": bed.length,
        "COL_POROSITY": bed.porosity,
        "COL_DISPERSION": [bed.dispersivity * inlet.velocity for inlet in inlets],
        "COL_DISPERSION_MULTIPLEX": 2,  # one value for each section
        "CROSS_SECTION_AREA": area,
        "VELOCITY": 1.0,
        "PAR_RADIUS": bed.bead_radius,
        "PAR_POROSITY": bed.bead_porosity,
        "PAR_GEOM": "SPHERE",
        "FILM_DIFFUSION": list(bed.film),
        "FILM_DIFFUSION_MULTIPLEX": 0,
        "INIT_C": first.tolist(),
        "INIT_Q": [float(q) for q, flag in zip(bound, binds, strict=True) if flag],
        "discretization": {
            "SPATIAL_METHOD": "DG",
            "POLYDEG": grid.degree,
            "NELEM": grid.elements,
            "EXACT_INTEGRATION": 1,
            "PAR_POLYDEG": grid.bead_degree,
            "PAR_NELEM": grid.bead_elements,
            "PAR_DISC_TYPE": "EQUIDISTANT_PAR",
            "USE_ANALYTIC_JACOBIAN": 1,
            "GS_TYPE": 1,
            "MAX_KRYLOV": 0,
            "MAX_RESTARTS": 10,
            "SCHUR_SAFETY": 1e-8,
        },
    }
    if not bed.lumped:
        unit["PAR_DIFFUSION"] = list(bed.pore_diffusion)
        surface = bed.surface_diffusion or (0.0,) * count
        unit["PAR_SURFDIFFUSION"] = [float(d) for d, flag in zip(surface, binds, strict=True) if flag]
    return unit


def _binding(isotherm: Isotherm) -> tuple[str, dict[str, Any], list[bool]]:
    """CADET's name, its parameters, and which components bind. At equilibrium only k_a over k_d counts."""
    kinetic = {"IS_KINETIC": int(bool(isotherm.desorption))}
    rates = list(isotherm.desorption)
    if isinstance(isotherm, Linear):
        off = rates or [1.0] * isotherm.components
        on = [h * k for h, k in zip(isotherm.henry, off, strict=True)]
        return "LINEAR", {**kinetic, "LIN_KA": on, "LIN_KD": off}, [h > 0 for h in isotherm.henry]
    if isinstance(isotherm, Langmuir):
        off = rates or [1.0] * isotherm.components
        on = [b * k for b, k in zip(isotherm.affinity, off, strict=True)]
        binds = [q > 0 and b > 0 for q, b in zip(isotherm.capacity, isotherm.affinity, strict=True)]
        held = [q if flag else 1.0 for q, flag in zip(isotherm.capacity, binds, strict=True)]
        parameters = {**kinetic, "MCL_KA": on, "MCL_KD": off, "MCL_QMAX": held}
        return "MULTI_COMPONENT_LANGMUIR", parameters, binds
    off = rates or [1000.0] * len(isotherm.charge)
    parameters = {
        **kinetic,
        "SMA_LAMBDA": isotherm.sites,
        "SMA_NU": [0.0, *isotherm.charge],
        "SMA_SIGMA": [0.0, *isotherm.shielding],
        "SMA_KA": [0.0, *(k * rate for k, rate in zip(isotherm.equilibrium, off, strict=True))],
        "SMA_KD": [0.0, *off],
    }
    return "STERIC_MASS_ACTION", parameters, [True] * isotherm.components


def _chromatogram(
    bed: Bed,
    isotherm: Isotherm,
    inlets: Sequence[Inlet],
    first: Floats,
    at: Floats,
    outlet: Floats,
    answer: dict[str, Any],
) -> Chromatogram:
    """Amounts by the trapezoidal rule from what CADET tells."""
    edges = np.cumsum([inlet.duration for inlet in inlets])
    section = np.minimum(np.searchsorted(edges, 0.5 * (at[1:] + at[:-1])), len(inlets) - 1)
    speeds = np.array([inlet.velocity for inlet in inlets])[section] if len(at) > 1 else np.zeros(0)
    passed = 0.5 * (outlet[1:] + outlet[:-1]) * (np.diff(at) * speeds)[:, None]
    left = np.concatenate((np.zeros((1, outlet.shape[1])), np.cumsum(passed, axis=0))) * bed.porosity / bed.length
    loaded = sum((inlet.integral() * inlet.velocity for inlet in inlets), np.zeros(isotherm.components))
    loaded = loaded * bed.porosity / bed.length
    eps = bed.bead_porosity
    before = bed.porosity * first + (1.0 - bed.porosity) * (eps * first + (1.0 - eps) * isotherm.bound(first))
    match = re.search(r"\d+\.\d+\.\d+", str(answer["version"]))
    return Chromatogram(
        times=at,
        outlet=outlet,
        left=left,
        loaded=loaded,
        held_before=before,
        held=before + loaded - left[-1],
        state=None,
        steps=0,
        rejected=0,
        engine=f"CADET-Core {match.group() if match else 'unknown'}",
        details={"cpu_s": float(answer["cpu_s"])},
    )
