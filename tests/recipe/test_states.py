"""ISA-88 states: the fold against a table written down apart from it, and the order of a procedure."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrain.base import InputError, use_language
from seedtrain.recipe import (
    Command,
    HoldPoint,
    IllegalCommand,
    Permit,
    PermitRequest,
    Refusal,
    State,
    commands,
    fold,
    hold_points,
    next_phase,
    next_state,
    state_words,
)
from tests.recipe.examples import example, small

# The state transition matrix of ANSI/ISA-88.01-1995, laid out as the standard lays it out: a row for each initial
# state, first the state that follows without a command ("no command"), then the one after each command.
MATRIX = """
state       | no command | start   | stop     | hold    | restart    | abort    | reset | pause   | resume
idle        |            | running |          |         |            |          |       |         |
running     | complete   |         | stopping | holding |            | aborting |       | pausing |
complete    |            |         |          |         |            |          | idle  |         |
pausing     | paused     |         | stopping | holding |            | aborting |       |         |
paused      |            |         | stopping | holding |            | aborting |       |         | running
holding     | held       |         | stopping |         |            | aborting |       |         |
held        |            |         | stopping |         | restarting | aborting |       |         |
restarting  | running    |         | stopping | holding |            | aborting |       |         |
stopping    | stopped    |         |          |         |            | aborting |       |         |
stopped     |            |         |          |         |            | aborting | idle  |         |
aborting    | aborted    |         |          |         |            |          |       |         |
aborted     |            |         |          |         |            |          | idle  |         |
"""


def matrix() -> dict[tuple[str, str], str]:
    header, *rows = [[cell.strip() for cell in line.split("|")] for line in MATRIX.strip().splitlines()]
    names = ["complete" if name == "no command" else name for name in header[1:]]
    return {(row[0], command): after for row in rows for command, after in zip(names, row[1:], strict=True) if after}


ORACLE = matrix()


def test_every_pair_of_state_and_command():
    assert {state.value for state in State} == {state for state, _ in ORACLE}
    assert {command.value for command in Command} == {command for _, command in ORACLE}
    for state in State:
        for command in Command:
            after = ORACLE.get((state.value, command.value))
            if after is None:
                with pytest.raises(
                    IllegalCommand, match=f"'{command.value}' is not legal while {state.value}"
                ) as caught:
                    next_state(state, command)
                assert all(legal.value in caught.value.remedy for legal in commands(state))
            else:
                assert next_state(state, command) is State(after)
                assert command in commands(state)


@given(st.lists(st.sampled_from(Command), max_size=30))
def test_a_fold_goes_where_the_table_goes_and_stops_where_it_has_no_way(sequence):
    state = "idle"
    for index, command in enumerate(sequence):
        after = ORACLE.get((state, command.value))
        if after is None:
            with pytest.raises(IllegalCommand):
                fold(sequence[: index + 1])
            return
        state = after
        assert fold(sequence[: index + 1]) is State(state)


@given(st.integers(0, 2**32), st.integers(0, 40), st.integers(0, 40))
def test_a_fold_may_be_cut_anywhere(seed, length, cut):
    choice = random.Random(seed)
    state, sequence = State.IDLE, []
    for _ in range(length):
        command = choice.choice(commands(state))
        sequence.append(command)
        state = next_state(state, command)
    assert fold(sequence) is state
    assert fold(sequence[cut:], fold(sequence[:cut])) is state


def test_every_state_can_be_left_and_every_run_can_be_aborted():
    for state in State:
        assert commands(state)
        if state not in (State.IDLE, State.COMPLETE, State.ABORTING, State.ABORTED):
            assert fold([Command.ABORT, Command.COMPLETE, Command.RESET], state) is State.IDLE
    assert [state.value for state in State if state.is_final] == ["stopped", "aborted", "complete"]
    acting = {"running", "pausing", "holding", "restarting", "stopping", "aborting"}
    assert {state.value for state in State if state.is_acting} == acting


def test_states_are_spoken_in_both_languages():
    assert state_words(State.HELD) == "held"
    with use_language("zh"):
        assert len({state_words(state) for state in State}) == len(State)
        assert state_words(State.RUNNING) == "运行中"


def test_a_procedure_goes_phase_by_phase_and_waits_at_hold_points():
    recipe = example()
    done: list[str] = []
    signed: list[str] = []
    waited = []
    while (following := next_phase(recipe, done, signed)) is not None:
        if isinstance(following, HoldPoint):
            waited.append(following)
            assert following.path == done[-1]
            assert following.words == recipe.phase(following.path).hold_point
            signed.append(following.path)
        else:
            done.append(following.path)
    assert done == [place.path for place in recipe.phases()]
    assert tuple(waited) == hold_points(recipe)
    assert [item.path for item in waited] == ["production/induction/express"]


def test_what_runs_out_of_its_order_is_refused():
    paths = [place.path for place in small().phases()]
    with pytest.raises(InputError, match=r"was completed before seed/expansion/fill") as caught:
        next_phase(small(), paths[1:2])
    assert str(caught.value.position).startswith("small.yaml:")
    with pytest.raises(InputError, match="before the signature of production/culture/feed"):
        next_phase(small(), paths)
    assert next_phase(small(), paths, ["production/culture/feed"]) is None
    with pytest.raises(InputError, match="no phase"):
        next_phase(small(), ["a/b/c"])


def test_a_permit_is_anything_that_answers():
    class Closed:
        def check(self, request: PermitRequest) -> Refusal | None:
            return Refusal(f"{request.unit} is dirty", "Clean it.") if "lot" not in request.lots else None

    permit = Closed()
    assert isinstance(permit, Permit)
    request = PermitRequest("B-1", "production/culture/feed", "BENCH-1L", (), datetime(2026, 1, 1, tzinfo=UTC))
    assert permit.check(request) == Refusal("BENCH-1L is dirty", "Clean it.")
