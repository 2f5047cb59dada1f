"""`seedtrain simulate --n` where things go wrong: no run ends well, or a file is in the way."""

from __future__ import annotations

import json
from pathlib import Path

from tests.worked import called

RECIPE = Path(__file__).parents[2] / "examples" / "collagen" / "recipe.yaml"


def test_where_no_run_comes_to_its_end_the_reason_is_told() -> None:
    said = called("simulate", RECIPE, "--n", 2, "--vary", "feed_factor=6..7")
    assert said.code == 2, said.err
    assert "2 x the broth reaches more than" in said.out
    assert "no run came to its end" in said.err
    told = called("simulate", RECIPE, "--n", 2, "--vary", "feed_factor=6..7", "--json")
    assert told.code == 2
    assert json.JSONDecoder().raw_decode(told.out)[0]["finished"] == 0


def test_a_file_of_ones_own_is_not_written_over(tmp_path: Path) -> None:
    mine = tmp_path / "notes.txt"
    mine.write_text("mine\n", encoding="utf-8")
    said = called("simulate", RECIPE, "--n", 2, "--spread", 5, "-o", mine)
    assert said.code == 2
    assert "holds something else" in said.err
    assert mine.read_text(encoding="utf-8") == "mine\n"
