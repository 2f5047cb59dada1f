"""Where a kernel keeps what: its arguments, the numbers of each lane, and whole numbers of each lane."""

from __future__ import annotations

from typing import Final

# Places in the array of whole numbers (and addresses) that a kernel is called with.
ARGUMENTS: Final = (
    "first", "end", "stretches", "initial", "initial_step", "numbers", "numbers_step", "jumps", "jumps_step",
    "lengths", "lengths_step", "actions", "actions_step", "times", "rows", "tolerances", "most_steps", "work", "whole",
    "states", "observed", "starts", "finals", "ends", "held", "gauges", "status", "reached", "stretch", "crossed",
    "crossings", "kept", "steps", "rejected", "rates", "stop_when_stiff", "outside",
    "blocks", "d_initial", "d_initial_step", "d_numbers", "d_numbers_step", "d_jumps", "d_jumps_step", "d_lengths",
    "d_lengths_step", "d_natural", "d_natural_step", "states_by", "observed_by", "starts_by", "finals_by", "ends_by",
    "held_by", "d_work",
)  # fmt: skip

# Whole numbers of a lane.
WHOLES: Final = (
    "LANE_TRAJECTORY", "LANE_STRETCH", "LANE_ROW", "LANE_AGAIN", "LANE_LAST", "LANE_STEPS", "LANE_REJECTED",
    "LANE_RATES", "LANE_CROSSED", "LANE_WATCHED", "LANE_STIFF", "LANE_CALM",
)  # fmt: skip


class Layout:
    """Offsets handed out one after the other; their names are replaced in a kernel's text."""

    def __init__(self) -> None:
        self.size = 0
        self.words: dict[str, int] = {}

    def room(self, name: str, count: int) -> None:
        """Room for `count` numbers of each lane under `name`."""
        self.words[name] = self.size
        self.size += count

    def fill(self, text: str) -> str:
        """`text` with every name of the layout, of an argument or of a lane's whole number as its number."""
        import re

        words = {**self.words, **{name: i for i, name in enumerate(WHOLES)}}
        words |= {f"ARG_{name}": i for i, name in enumerate(ARGUMENTS)}
        return re.sub(r"\b[A-Z][A-Za-z_0-9]*\b", lambda found: str(words.get(found[0], found[0])), text)
