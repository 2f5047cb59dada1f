"""Writing models as SBML files that libsbml's validator accepts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from seedtrain.base import InputError, Position, write_atomic
from seedtrain.simulation._culture import Culture
from seedtrain.simulation._engine import Schedule, System
from seedtrain.simulation._exchange._export import source_of_system
from seedtrain.simulation._exchange._tank import Tank, source_of_culture
from seedtrain.simulation._exchange._writing import Finding, check_sbml, sbml_text
from seedtrain.simulation._reproduce import PublishedPhase


def write_sbml(
    model: Culture | System,
    path: str | Path,
    *,
    schedule: Schedule | None = None,
    initial: Mapping[str, float] | None = None,
    phases: Sequence[PublishedPhase] = (),
    volume: float = 1.0,
    **tank: float,
) -> tuple[Finding, ...]:
    """Writes SBML Level 3 Version 2, and gives what libsbml's checks say of it short of errors.

    - a `System` with its `schedule` (the first trajectory where there are several);
    - a culture in its authors' vessel, with the arguments of `reproduce`: `initial` by symbol (0 where none is given),
      `phases` (a closed vessel where there are none), `volume` in L, and `saturation`, `henry`, `probe_lag`.

    Raises `InputError` where the model cannot be said in SBML, `UnavailableError` without python-libsbml.
    """
    if isinstance(model, System):
        if schedule is None:
            raise InputError(f"system {model.name!r} has no schedule", remedy="Give its initial state and numbers.")
        source = source_of_system(model, schedule)
    else:
        stretches = tuple(phases) or (PublishedPhase("batch", 1.0),)
        source = source_of_culture(model, Tank(initial or {}, stretches, volume, **tank))
    text = sbml_text(source)
    findings = check_sbml(text)
    bad = [item for item in findings if item.severity in ("error", "fatal")]
    if bad:
        raise InputError(
            f"SBML rule {bad[0].rule}: {bad[0].words}",
            position=Position(str(path), bad[0].line, 1),
            remedy="Report this with the model: what is written is meant to be valid.",
        )
    write_atomic(Path(path), text)
    return findings
