"""What a gate is: one reason for which a phase may not go on, decided on the ledger alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from seedtrain.gmp._batch._record import BatchRecord
from seedtrain.recipe import ControlRecipe, PermitRequest, PhaseAt, Refusal
from seedtrain.record import Ledger


@dataclass(frozen=True)
class Asked:
    """What a gate decides on.

    - `request`: batch, phase, unit, lots, equipment, time, and who asks (an empty actor: the control system).
    - `record`: of the batch. `control`: its recipe. `place`: the phase; None where the recipe has none of that path.
    """

    ledger: Ledger
    request: PermitRequest
    record: BatchRecord
    control: ControlRecipe
    place: PhaseAt | None


Gate = Callable[[Asked], Refusal | None]
"""None where this gate lets the phase go on. A `Refusal` with a `gate` and a `subject` that quality may lift under a
deviation says so by `liftable`; the permit looks for the decision."""
