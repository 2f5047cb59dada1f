"""The ISA-88 state of one unit and the phase that it runs; commands given twice do what they do once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from seedtrain.base import InputError
from seedtrain.recipe import Command, State, next_state


@dataclass
class UnitState:
    """Which of `phases` (paths) the unit runs or ran last, since when, and its ISA-88 state."""

    name: str
    phases: Collection[str]
    state: State = State.IDLE
    running: tuple[str, datetime] | None = None
    told: set[str] = field(default_factory=set)

    def check(self, path: str) -> None:
        """Refuse a phase that the unit cannot run."""
        if path not in self.phases:
            known = ", ".join(self.phases)
            raise InputError(f"{self.name} cannot run {path!r}", remedy=f"It runs: {known}.")

    def command(self, path: str) -> None:
        """The set points of the phase are known."""
        self.check(path)
        self.told.add(path)

    def start(self, path: str, at: datetime) -> bool:
        """Run the phase from `at`; False where it runs or ran from there already.

        Refused while another one runs, and before its set points are known.
        """
        self.check(path)
        if self.running == (path, at) and self.state in (State.RUNNING, State.COMPLETE):
            return False
        if self.state is State.RUNNING:
            assert self.running is not None
            raise InputError(
                f"{self.name} runs {self.running[0]} and cannot start {path}", remedy="Wait until it has ended."
            )
        if path not in self.told:
            raise InputError(f"{self.name} has no set points for {path}", remedy="Command the set points first.")
        if self.state is State.COMPLETE:
            self.state = next_state(self.state, Command.RESET)
        if self.state is State.HELD:
            self.state = next_state(next_state(self.state, Command.RESTART), Command.COMPLETE)
        else:
            self.state = next_state(self.state, Command.START)
        self.running = (path, at)
        return True

    def hold(self, path: str) -> None:
        """Go to the safe state; an idle unit is there."""
        self.check(path)
        if self.state is State.RUNNING:
            self.state = next_state(next_state(self.state, Command.HOLD), Command.COMPLETE)

    def abort(self, path: str) -> None:
        """Stop for good."""
        self.check(path)
        if self.state is not State.ABORTED:
            self.state = next_state(next_state(self.state, Command.ABORT), Command.COMPLETE)

    def reset(self) -> None:
        """Idle again, whatever it did; one that runs or is held is stopped first."""
        if self.state in (State.RUNNING, State.HELD):
            self.state = next_state(next_state(self.state, Command.STOP), Command.COMPLETE)
        if self.state is not State.IDLE:
            self.state = next_state(self.state, Command.RESET)

    def end(self) -> None:
        """The phase has run its logic."""
        if self.state is State.RUNNING:
            self.state = next_state(self.state, Command.COMPLETE)

    def began(self, path: str) -> datetime:
        """When the phase began; raises `InputError` where it does not run, because nothing can be read of it then."""
        self.check(path)
        if self.running is None or self.running[0] != path or self.state not in (State.RUNNING, State.COMPLETE):
            raise InputError(f"{self.name} does not run {path} (it is {self.state.value})", remedy="Start it first.")
        return self.running[1]
