"""What a killed plant puts back: a phase that is asked for again finds what it found, and no other tank loses any."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from seedtrain.automation._plant._memory import Memory
from tests.automation.made import START

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("later", [False, True])
def test_a_tank_that_was_drawn_from_is_put_back_only_where_it_has_not_gone_on(tmp_path: Path, later: bool):
    path = tmp_path / "state.json"
    first = Memory(path, "one")
    assert first.before("SEED", "grow", START, {"SEED": "empty"}) == {}
    first.after({"SEED": "grown"})
    first.before("TANK", "fill", START + HOUR, {"TANK": "medium", "SEED": "grown"})
    if later:
        first.before("SEED", "clean", START + 2 * HOUR, {"SEED": "rest"})
    second = Memory(path, "one")
    drawn = {} if later else {"SEED": "grown"}
    assert second.before("TANK", "fill", START + HOUR, {"TANK": "now", "SEED": "now"}) == {"TANK": "medium", **drawn}
    third = Memory(path, "one")  # killed again before it had filled: what was put back is what it found
    assert third.tanks()["TANK"] == "medium"


def test_a_phase_is_put_back_once_and_another_one_never(tmp_path: Path):
    """A hold and a restart of the same phase come later: the tank has gone on since."""
    path = tmp_path / "state.json"
    Memory(path, "one").before("TANK", "fill", START, {"TANK": "medium"})
    again = Memory(path, "one")
    assert again.before("TANK", "fill", START, {"TANK": "now"}) == {"TANK": "medium"}
    assert again.before("TANK", "fill", START, {"TANK": "further"}) == {}
    other = Memory(path, "one")
    assert other.before("TANK", "fill", START + HOUR, {"TANK": "now"}) == {}  # another run of it
    assert Memory(path, "one").before("TANK", "grow", START, {"TANK": "now"}) == {}
