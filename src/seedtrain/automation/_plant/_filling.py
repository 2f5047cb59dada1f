"""What goes into a tank at once as a phase begins: medium, an inoculum, an inducer; and what is taken out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from seedtrain.automation._live_scenario import Inoculum
from seedtrain.automation._plant._fittings import bicarbonate
from seedtrain.automation._plant._inoculum import grown_broth
from seedtrain.automation._plant._live_phase import feeding_of, phases_of
from seedtrain.automation._plant._live_tank import DrivenTank
from seedtrain.base import InputError
from seedtrain.recipe import MasterRecipe, Phase, PhaseAt
from seedtrain.simulation import Broth, Plan, Segment


class Filling:
    """Fills one tank by its recipe; `charged`: L of medium in the unit procedure that runs.

    - `inocula`: by unit procedure. `source`: gives the tank of another unit whose broth inoculates this one.
    """

    def __init__(
        self,
        driven: DrivenTank,
        recipe: MasterRecipe,
        inocula: Mapping[str, Inoculum],
        source: Callable[[str], DrivenTank] | None,
    ) -> None:
        self._driven, self._recipe, self._inocula, self._source = driven, recipe, inocula, source
        self.charged = 0.0

    def check(self, step: PhaseAt) -> None:
        """Nothing is cleaned that holds broth; the first phase of a unit procedure empties the batch before."""
        tank = self._driven.tank
        if step.phase.do == "clean" and phases_of(step)[0] is not step.phase and not tank.empty:
            raise InputError(
                f"{tank.vessel.name} holds {tank.volume:.4g} L and cannot be cleaned",
                remedy="Transfer what it holds first.",
            )

    def draws_from(self, step: PhaseAt) -> tuple[str, ...]:
        """The integrated units whose broth a phase takes."""
        if step.phase.do not in ("thaw", "inoculate"):
            return ()
        source = self._inocula[step.unit_procedure.name].unit
        return (source,) if source else ()

    def begin(self, step: PhaseAt, phase: Phase, plan: Plan, segment: Segment | None) -> None:
        """What happens at once when a phase begins."""
        tank, phases = self._driven.tank, phases_of(step)
        if phases[0] is step.phase:
            self.charged = 0.0
            tank.empty_out()  # the rest of the batch before
        if phase.do == "charge":
            number = [item for item in phases if item.do == "charge"].index(step.phase)
            full = self._driven.vessel.working_volume[1]
            volume = phase.number("volume", "L") if "volume" in phase.set else phase.number("fill", "") * full
            first = plan.segments[0]
            tank.charge(
                plan.medium[number][0],
                volume,
                temperature=first.temperature,
                pH=first.pH,
                bicarbonate=bicarbonate(self._recipe, phase.word("material")),
            )
            self.charged += volume
        elif phase.do in ("thaw", "inoculate"):
            volume = phase.number("inoculum_fraction", "") * (self.charged or plan.volume)
            tank.add(self._inoculum(self._inocula[step.unit_procedure.name], plan, volume), volume)
        elif phase.do == "induce" and segment is not None and segment.addition is not None:
            self._driven.charge(segment.addition[0], phase.number("volume", "L"), temperature=20.0)
        elif phase.do == "withdraw":
            self._driven.draw(phase.number("volume", "L"))
        elif phase.do == "feed" and segment is not None and segment.feed is not None:
            self._driven.feed_liquid = segment.feed[0]
            self._driven.feeding = feeding_of(phase)

    def _inoculum(self, source: Inoculum, plan: Plan, volume: float) -> Broth:
        if source.unit and self._source is not None:
            own, other = self._driven.vessel.name, self._source(source.unit).tank
            if other.volume >= volume:
                broth = other.draw(volume)
                other.empty_out()
                return broth
            raise InputError(
                f"{source.unit} holds {other.volume:.4g} L, {own} is to be inoculated with {volume:.4g} L",
                remedy="Grow the seed first, or inoculate with less.",
            )
        return grown_broth(source, self._driven.tank.culture, plan)
