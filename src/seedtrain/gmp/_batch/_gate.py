"""What a gate is: one reason for which a phase may not go on, decided on the ledger alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from seedtrain.gmp._batch._record import BatchRecord
from seedtrain.recipe import ControlRecipe, PermitRequest, PhaseAt, Refusal
from seedtrain.record import Ledger


@dataclass(frozen=True)
class Asked:
    """What a gate decides on.

    - `request`: batch, phase, unit, lots, equipment, time, and who asks (an empty actor: the control system).
    - `record`: of the batch. `control`: its recipe. `place`: the phase; None where the recipe has none of that path.
    - `memory`: where a gate keeps what it folded from the ledger, under a name of its own, from question to question.
    """

    ledger: Ledger
    request: PermitRequest
    record: BatchRecord
    control: ControlRecipe
    place: PhaseAt | None
    memory: MutableMapping[str, Any] = field(default_factory=dict)


Gate = Callable[[Asked], Iterable[Refusal]]
"""Every reason of this gate against it, none where it lets the phase go on: quality may have lifted the first of two.

A refusal names its `gate` and `subject`, so that somebody can lift it; `liftable` says whether they may."""
