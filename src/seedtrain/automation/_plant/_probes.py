"""What the transmitters of a unit have adopted from the calibrations of their probes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from seedtrain.automation._plant._base import Value
from seedtrain.base import InputError
from seedtrain.recipe import Calibration, Phase, calibration, references, settled


@dataclass
class Probes:
    """By tag every calibration since the probe was new: each corrects what the ones before it made of a reading."""

    adopted: dict[str, list[Calibration]] = field(default_factory=dict)

    def shown(self, tag: str, raw: float) -> float:
        """What the transmitter shows of a raw reading."""
        for made in self.adopted.get(tag, ()):
            raw = made.corrected(raw)
        return raw

    def calibrate(self, phase: Phase, hours: float, times: Sequence[float], values: Sequence[float]) -> None:
        """Adopt what was shown in the references of a phase, unless it is out of the phase's limits, or is too little.

        - `times`, `values`: as shown, h of the phase that lasted `hours`, shape "time".
        """
        tag, _known = references(phase)
        try:
            made = calibration(phase, settled(phase, hours, times, values))
        except InputError:
            return
        if not made.outside(phase):
            self.adopted.setdefault(tag, []).append(made)

    def adopt(self, phase: Phase, shown: Sequence[Value]) -> None:
        """`calibrate` by all that was shown from the phase's start to its end."""
        began, ended = shown[0].at, shown[-1].at
        times = [(item.at - began).total_seconds() / 3600.0 for item in shown]
        self.calibrate(phase, (ended - began).total_seconds() / 3600.0, times, [item.value for item in shown])

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {tag: [vars(made) for made in found] for tag, found in self.adopted.items()}

    def restore(self, data: dict[str, Any]) -> None:
        """The state of `to_data`."""
        self.adopted = {
            tag: [Calibration(**{**made, "points": tuple(map(tuple, made["points"]))}) for made in found]
            for tag, found in data.items()
        }
