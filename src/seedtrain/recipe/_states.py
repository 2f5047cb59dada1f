"""The ISA-88 states of procedural elements as a pure fold over commands.

Source: ANSI/ISA-88.01-1995 (IEC 61512-1), clause 5.6, the example states and the state transition matrix of
procedural elements. What the standard calls the end of a state without a command is here the command `complete`, which
the equipment gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from seedtrain.base import InputError
from seedtrain.base import translate as _


class State(StrEnum):
    """What a procedural element (batch, unit procedure, phase) is doing."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    HOLDING = "holding"
    HELD = "held"
    RESTARTING = "restarting"
    STOPPING = "stopping"
    STOPPED = "stopped"
    ABORTING = "aborting"
    ABORTED = "aborted"
    COMPLETE = "complete"

    @property
    def is_final(self) -> bool:
        """Whether only `reset` (or an abort) leaves it."""
        return self in (State.COMPLETE, State.STOPPED, State.ABORTED)

    @property
    def is_acting(self) -> bool:
        """Whether it ends by itself, with `complete`."""
        return (self, Command.COMPLETE) in TRANSITIONS


class Command(StrEnum):
    """What a person or the control system orders; `complete` is the equipment's word that a state has run its logic."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    HOLD = "hold"
    RESTART = "restart"
    STOP = "stop"
    ABORT = "abort"
    RESET = "reset"
    COMPLETE = "complete"


class IllegalCommand(InputError):
    """A command that the present state does not take."""


_STOPPABLE: Final = (
    State.RUNNING,
    State.PAUSING,
    State.PAUSED,
    State.HOLDING,
    State.HELD,
    State.RESTARTING,
)
_HOLDABLE: Final = (State.RUNNING, State.PAUSING, State.PAUSED, State.RESTARTING)

TRANSITIONS: Final[Mapping[tuple[State, Command], State]] = {
    (State.IDLE, Command.START): State.RUNNING,
    (State.RUNNING, Command.COMPLETE): State.COMPLETE,
    (State.RUNNING, Command.PAUSE): State.PAUSING,
    (State.PAUSING, Command.COMPLETE): State.PAUSED,
    (State.PAUSED, Command.RESUME): State.RUNNING,
    **{(state, Command.HOLD): State.HOLDING for state in _HOLDABLE},
    (State.HOLDING, Command.COMPLETE): State.HELD,
    (State.HELD, Command.RESTART): State.RESTARTING,
    (State.RESTARTING, Command.COMPLETE): State.RUNNING,
    **{(state, Command.STOP): State.STOPPING for state in _STOPPABLE},
    (State.STOPPING, Command.COMPLETE): State.STOPPED,
    **{(state, Command.ABORT): State.ABORTING for state in (*_STOPPABLE, State.STOPPING, State.STOPPED)},
    (State.ABORTING, Command.COMPLETE): State.ABORTED,
    **{(state, Command.RESET): State.IDLE for state in (State.COMPLETE, State.STOPPED, State.ABORTED)},
}
"""Every legal command; what is not here is refused."""


def next_state(state: State, command: Command) -> State:
    """The state after `command`; raises `IllegalCommand` where `state` does not take it."""
    try:
        return TRANSITIONS[state, command]
    except KeyError:
        legal = ", ".join(commands(state))
        over = f"It is over: a batch takes no more orders, and a unit only {legal}, for the next one."
        remedy = over if legal == Command.RESET.value else f"Give one of: {legal}."
        raise IllegalCommand(f"the command {command.value!r} is not legal while {state.value}", remedy=remedy) from None


def fold(events: Iterable[Command], state: State = State.IDLE) -> State:
    """The state after all of `events`, in their order; raises `IllegalCommand` at the first illegal one."""
    for command in events:
        state = next_state(state, command)
    return state


def commands(state: State) -> tuple[Command, ...]:
    """What `state` takes, in the order of `Command`."""
    return tuple(command for command in Command if (state, command) in TRANSITIONS)


def state_words(state: State) -> str:
    """The state's name in the language in use."""
    names = {
        State.IDLE: _("idle"),
        State.RUNNING: _("running"),
        State.PAUSING: _("pausing"),
        State.PAUSED: _("paused"),
        State.HOLDING: _("holding"),
        State.HELD: _("held"),
        State.RESTARTING: _("restarting"),
        State.STOPPING: _("stopping"),
        State.STOPPED: _("stopped"),
        State.ABORTING: _("aborting"),
        State.ABORTED: _("aborted"),
        State.COMPLETE: _("complete"),
    }
    return names[state]
