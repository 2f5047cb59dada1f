"""`seedtrain purify`: a recipe on a stream of one's own, in two languages, and faults at their places."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seedtrain.base import InputErrors
from seedtrain.simulation import read_stream
from tests.worked import called

RECIPE = Path(__file__).parents[2] / "examples" / "collagen" / "recipe.yaml"
FEED = """\
stream: broth
volume: 150 L
temperature: 32 degC
composition: {product: 5 g/L, cells: 38 g/L, salts: 12 g/L, acetate: 1 g/L, iptg: 0.238 g/L}
endotoxin: 1.46e10 EU/L
"""


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    path = tmp_path / "broth.yaml"
    path.write_text(FEED, encoding="utf-8")
    return path


def test_every_phase_is_shown_with_its_yield(feed: Path) -> None:
    said = called("purify", RECIPE, "--feed", feed)
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0].split()[0] == "phase"
    assert len([line for line in lines if "/" in line.split()[0]]) == 23
    assert "recovery 55.9 %" in said.out
    assert "endotoxin 0.21" in said.out
    assert "simulated" in said.out


def test_in_chinese(feed: Path) -> None:
    said = called("purify", RECIPE, "--feed", feed, "--lang", "zh")
    assert said.code == 0
    assert said.out.startswith("阶段")
    assert "回收率" in said.out


def test_for_machines_with_the_course_of_every_step(feed: Path) -> None:
    said = called("purify", RECIPE, "--feed", feed, "--json")
    found = json.loads(said.out)
    assert found["recovery"] == pytest.approx(0.559, abs=0.001)
    assert len(found["steps"]) == 23
    dry = next(step for step in found["steps"] if step["kind"] == "lyophilise")
    assert len(dry["trajectory"]["time"]) == len(dry["trajectory"]["dried_layer"])


def test_a_course_is_drawn(feed: Path, tmp_path: Path) -> None:
    drawn = tmp_path / "elution.svg"
    words = ("--step", "capture/cation-exchange/elute", "--plot", drawn)
    assert called("purify", RECIPE, "--feed", feed, *words).code == 0
    assert "<svg" in drawn.read_text(encoding="utf-8")
    wrong = called("purify", RECIPE, "--feed", feed, "--step", "capture/none", "--plot", drawn)
    assert wrong.code == 2
    assert "capture/cation-exchange/elute" in wrong.err
    assert called("purify", RECIPE, "--feed", feed, "--plot", drawn).code == 2


@pytest.mark.parametrize(
    ("before", "after", "place", "words"),
    [
        ("150 L", "150 kg", ":2:9", "a mass, not a volume"),
        ("150 L", "-150 L", ":2:9", "-150 L"),
        ("product: 5", "prduct: 5", ":4:15", "no component 'prduct'"),
        ("cells: 38", "cells: -38", ":4:38", "-38 g/L"),
        ("32 degC", "320 degC", ":3:14", "320 degC"),
        ("stream: broth", "strem: broth", ":1:1", "'strem' is unknown"),
        ("product: 5 g/L, ", "", ":3:14", "no product"),
        ("endotoxin:", "in_solids: {dna: 150 %}\nendotoxin:", ":5:13", "holds no 'dna'"),
        ("endotoxin:", "in_solids: {cells: 150 %}\nendotoxin:", ":5:20", "no part of it"),
        ("{product", "[product", ":4:", "not YAML"),
    ],
)
def test_a_stream_with_a_fault_is_refused_at_its_place(
    tmp_path: Path, before: str, after: str, place: str, words: str
) -> None:
    path = tmp_path / "wrong.yaml"
    text = FEED.replace(before, after, 1)
    path.write_text(text.replace("temperature: 32 degC\n", "", 1) if "no product" in words else text, encoding="utf-8")
    said = called("purify", RECIPE, "--feed", path)
    assert said.code == 2
    assert words in said.err
    assert f"{path}{place}" in said.err
    assert "Traceback" not in said.err


def test_faults_are_said_all_at_once_and_json_is_a_stream_too(tmp_path: Path) -> None:
    path = tmp_path / "stream.json"
    path.write_text('{"stream": "x", "volume": "2 L", "composition": {"prduct": "5 g/L", "cells": "-3 g/L"}}', "utf-8")
    with pytest.raises(InputErrors) as caught:
        read_stream(path)
    assert len(caught.value.parts) == 3
    path.write_text('{"stream": "x", "volume": "2 L", "composition": {"product": "5 g/L"}, "pH": "7.4"}', "utf-8")
    found = read_stream(path)
    assert (found.volume, found.masses["product"], found.pH) == (2.0, 10.0, 7.4)
    assert found.masses["water"] == pytest.approx(2000.0 - 7.5)
    assert called("purify", RECIPE, "--feed", tmp_path / "none.yaml").code == 2
