"""What decides the text of a kernel, and the names that a kernel and its callers share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# Kinds of a moving bound, each with three places for parameters.
CONSTANT: Final = 0  # value
MONOD: Final = 1  # q_max, K_S, K_I
TRANSFER: Final = 2  # q_max, kLa, saturation: what the gas can bring per cell, at most q_max
BOUND_WIDTH: Final = 3
GAS_WIDTH: Final = 2  # kLa, saturation

# What an integration ends with.
DONE: Final = 0
NEEDS_REGION: Final = 1  # solve the programme at the bounds left in `theta`, then go on
LEFT_BOX: Final = 2
STEP_TOO_SMALL: Final = 3
TOO_MANY_STEPS: Final = 4
NOT_FINITE: Final = 5
STIFF: Final = 6  # the explicit method hands over to the stiff one

# Codes in place of a region.
MISSING: Final = -1  # no certified or cached region holds the point
OUTSIDE: Final = -2  # the point lies outside the box, and that is refused

# Places in `clock` (h) and `count`, which a trajectory carries along.
NOW, STEP, LAST_ERROR, CLOCKS = 0, 1, 2, 3
STEPS, REJECTED, RATES, NEXT_OUTPUT, REGION, SEGMENT, STIFF_STEPS, CALM_STEPS, COUNTS = 0, 1, 2, 3, 4, 5, 6, 7, 8


@dataclass(frozen=True)
class Bound:
    """How one moving bound follows from the state: its `kind`, and the states of substrate and inhibitor (-1: none)."""

    kind: int
    substrate: int = -1
    inhibitor: int = -1


@dataclass(frozen=True)
class Structure:
    """A reactor's states and what acts on them.

    Active states: X; the concentrations that a bound or a gas acts on, of which `gas` says whether they have gas
    transfer; V where `feeds` is not 0. After them come passive ones, whose number a kernel is told when it runs: what
    the cells give off and nothing depends on.

    Parameters: k_d; three for each bound; two for each state with gas transfer; for each feed its rate, its growth and
    its active concentrations; the initial active states; for each passive state its initial value and its
    concentration in each feed.
    """

    bounds: tuple[Bound, ...]
    gas: tuple[bool, ...]
    feeds: int = 0

    @property
    def volume(self) -> bool:
        """Whether V is a state."""
        return self.feeds > 0

    @property
    def solutes(self) -> int:
        """How many active concentrations there are."""
        return len(self.gas)

    @property
    def active(self) -> int:
        """How many active states there are."""
        return 1 + len(self.gas) + self.volume

    def bound_place(self, bound: int) -> int:
        """Where the parameters of a bound begin."""
        return 1 + BOUND_WIDTH * bound

    def gas_place(self, solute: int) -> int:
        """Where kLa of the `solute`-th concentration (from 0) stands."""
        assert self.gas[solute]
        return 1 + BOUND_WIDTH * len(self.bounds) + GAS_WIDTH * sum(self.gas[:solute])

    def feed_place(self, feed: int) -> int:
        """Where the parameters of a feed begin: rate, growth, then the active concentrations."""
        return 1 + BOUND_WIDTH * len(self.bounds) + GAS_WIDTH * sum(self.gas) + feed * (2 + len(self.gas))

    @property
    def initial_place(self) -> int:
        """Where the initial active states begin."""
        return self.feed_place(self.feeds)

    @property
    def passive_width(self) -> int:
        """Parameters of a passive state: its initial value, then its concentration in each feed."""
        return 1 + self.feeds

    def passive_place(self, passive: int) -> int:
        """Where the parameters of a passive state begin."""
        return self.initial_place + self.active + passive * self.passive_width
