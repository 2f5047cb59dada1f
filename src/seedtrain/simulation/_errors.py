"""What a simulation can fail with."""

from __future__ import annotations

from collections.abc import Mapping

from seedtrain.base import InputError, SeedtrainError


class OverfillError(InputError):
    """The recipe puts more into a vessel than it may hold."""


class TrajectoryError(SeedtrainError):
    """An integration that could not go on; `last` is its last good state by name, `time` (h) when that was."""

    def __init__(self, message: str, *, time: float, last: Mapping[str, float], remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.time = time
        self.last = dict(last)
