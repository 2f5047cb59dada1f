"""What of a live batch goes on at one time: phases that get ready, phases that run, and units that an order holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from seedtrain.automation._attach import running_phases
from seedtrain.automation._commit import Overtaken, PeopleFirst, asked_at, commit, signed_hold_points
from seedtrain.automation._devices import Ending
from seedtrain.automation._fold import WHOLE, BatchState
from seedtrain.automation._job import Job, by_people, unit_name
from seedtrain.automation._running import PermitRefused, record_phase, start_phase, take_up
from seedtrain.automation._watch import GOES_ON, TakenOver, Watch, hold_for, live_of, obeyed
from seedtrain.base import InputError, UnavailableError
from seedtrain.base import translate as _
from seedtrain.recipe import PhaseAt, State, earlier, next_phases


@dataclass
class Branches:
    """The phases that run at one time; all that is kept here can be found again from the record and the plant.

    - `watches`: of the phases that run, by path; `held`: of those that are held, whose instruments are read too, for
      somebody has to judge whether they go on. `ready`: when those that get ready may start.
    """

    job: Job
    state: BatchState
    watches: dict[str, Watch] = field(default_factory=dict)
    ready: dict[str, datetime] = field(default_factory=dict)
    held: dict[str, Watch] = field(default_factory=dict)

    def obey(self) -> str:
        """Hold or abort every unit that an order stops, once for each order, and record that it is done; words where a
        unit cannot be reached."""
        words = []
        for step in running_phases(self.job, self.state):
            command = self._ordered(step)
            if command:
                self.watches.pop(step.path, None)
                words.append(self._try(step, partial(self._tell, step, command)))
            if command == "hold":
                words.append(self._try(step, partial(self._read_held, step)))
        due = {step.path for step in self._due()} if self.state.state() is State.RUNNING else set()
        self.ready = {path: when for path, when in self.ready.items() if path in due}  # else asked anew, later
        return next(filter(None, words), "")

    def _ordered(self, step: PhaseAt) -> str:
        """What the unit of a phase is to do by the last order; empty where the phase goes on."""
        both = {self.state.state(), self.state.state(step.unit_procedure.name)}
        if both & {State.STOPPED, State.ABORTED}:
            return "abort"
        return "hold" if State.HELD in both else ""

    def _tell(self, step: PhaseAt, command: str) -> None:
        job, state = self.job, self.state
        unit, order = live_of(job).plant.unit(unit_name(step)), state.order_of(step.unit_procedure.name)
        if (order, unit.name) in state.obeyed:
            return
        if command == "abort":
            unit.abort(step.path)
        else:
            unit.hold(step.path)
        at = max(unit.now(), state.clock or unit.now())
        commit(job, state, [obeyed(job, unit, step.path, command, order, at)])

    def _read_held(self, step: PhaseAt) -> None:
        watch = self.held.get(step.path) or Watch(self.job, self.state, step)
        self.held[step.path] = watch
        watch.keep()

    def begin(self) -> str:
        """Start what is next and take up what runs by the record; words where one of them cannot go on."""
        steps = [step for step in self._due() if step.path not in self.watches]
        steps.sort(key=lambda step: step.path not in self.state.started)  # time passes for all that run, or for none
        if steps and not self.watches and steps[0].path not in self.state.started:
            steps = [min(steps, key=self._when)]  # what is ready first goes first
        words = [self._try(step, partial(self._begin, step)) for step in steps]
        return next(filter(None, words), "")

    def _due(self) -> list[PhaseAt]:
        """Phases of the equipment whose turn it is, or that run."""
        state, recipe, people = self.state, self.job.control.recipe, live_of(self.job).people
        unchecked = unchecked_phases(self.job, state)
        return [
            step
            for step in next_phases(recipe, state.completed, signed_hold_points(state))
            if isinstance(step, PhaseAt)
            and not by_people(step, people)
            and step.path not in state.ended
            and self._may_run(step)
            and (step.path in state.started or not unchecked & earlier(recipe, step.path))
        ]

    def _may_run(self, step: PhaseAt) -> bool:
        """Whether the states of the batch and of the unit procedure let the phase go on, or start."""
        whole, own = self.state.state(), self.state.state(step.unit_procedure.name)
        if step.path in self.state.started:
            return whole in GOES_ON and own in GOES_ON
        return whole is State.RUNNING and own in (State.IDLE, State.RUNNING)

    def _when(self, step: PhaseAt) -> datetime:
        """When a phase may start."""
        if step.path not in self.ready:
            unit = live_of(self.job).plant.unit(unit_name(step))
            ready = unit.ready(step.path, asked_at(self.job, self.state, step))
            orders = (self.state.clocks.get(name, ready) for name in (WHOLE, step.unit_procedure.name))
            self.ready[step.path] = max(ready, *orders)
        return self.ready[step.path]

    def _begin(self, step: PhaseAt) -> None:
        job, state = self.job, self.state
        live = live_of(job)
        if step.path not in state.started:
            unit = live.plant.unit(unit_name(step))
            if self.watches and unit.now() < self._when(step):
                return  # it gets ready while others run
            live.tell(_("phase {path}").format(path=step.path))
            ready = self._when(step)
            unit.wait_for(ready)
            del self.ready[step.path]  # asked anew where it may not start yet
            start_phase(job, state, step, ready)
        else:
            live.tell(_("phase {path}").format(path=step.path))
        watch, held = take_up(job, state, step), self.held.pop(step.path, None)
        if held is not None:  # a long hold has a long history, and the unit waits to hear of its executor meanwhile
            watch.seen = held.seen
        self.watches[step.path] = watch

    def look(self) -> None:
        """One look at everything that runs. What has ended first is recorded; where nothing has, time passes."""
        alone = len(self.watches) == 1 and not self.ready
        ended: list[tuple[datetime, Watch, Ending]] = []
        for watch in list(self.watches.values()):
            ending = watch.look(wait=alone)
            if ending is not None:
                ended.append((ending.time, watch, ending))
        if ended:
            _time, watch, ending = min(ended, key=lambda item: item[0])
            self._try(watch.step, partial(self._end, watch, ending))
        elif not alone and self.watches:
            watch = max(self.watches.values(), key=lambda item: item.moves)
            watch.pass_time(min(self.ready.values(), default=None))

    def _end(self, watch: Watch, ending: Ending) -> None:
        watch.close(ending)
        del self.watches[watch.step.path]
        record_phase(self.job, self.state, watch.step, ending)

    def _try(self, step: PhaseAt, do: Callable[[], None]) -> str:
        """Do something for one phase; what hinders it holds that phase, and is told, and the others go on."""
        try:
            do()
        except PeopleFirst as error:
            return error.words
        except (PermitRefused, UnavailableError) as error:
            return error.message
        except TakenOver:
            raise
        except InputError as error:
            self.hold(step, error.message)
            return error.in_one_line
        return ""

    def hold(self, step: PhaseAt | None, words: str) -> None:
        """A unit refuses, or something does not fit: Held until somebody has looked; None: the whole batch."""
        if step is not None:
            self.watches.pop(step.path, None)
        try:
            hold_for(self.job, self.state, self.state.clock or datetime.now(UTC), words, of=step)
        except Overtaken:
            return  # somebody has given an order meanwhile


def unchecked_phases(job: Job, state: BatchState) -> set[str]:
    """Completed phases that a second person has yet to check."""
    return {
        step.path
        for step in job.steps()
        if step.phase.second_person and step.path in state.completed and step.path not in state.checked
    }
