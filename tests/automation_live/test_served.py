"""The process of a virtual plant as the one that started it sees it: it is never blocked, and its end is told."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from seedtrain.automation import write_scenario
from seedtrain.automation._plant import PlantSettings
from seedtrain.automation._served import LINES, PlantProcess, _Words, start_plant
from seedtrain.base import InputError, UnavailableError
from tests.automation_opcua.served import small_scenario
from tests.worked import called


def process(code: str) -> PlantProcess:
    command = [sys.executable, "-c", code]
    made = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return PlantProcess(made, "opc.tcp://127.0.0.1/", _Words(made))


def test_a_plant_that_says_more_than_a_pipe_holds_goes_on_and_its_last_words_are_told() -> None:
    plant = process(
        "import sys\nfor i in range(20000): print('warning', i, file=sys.stderr)\nsys.exit('the clock broke')"
    )
    try:
        with pytest.raises(UnavailableError, match="has ended: the clock broke"):
            plant.wait()
        assert len(plant.words.all()) == LINES
    finally:
        plant.stop()


def test_one_that_is_killed_says_by_what_and_one_that_ends_is_no_fault() -> None:
    for code, words in (("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "killed by signal 9"), ("", "")):
        plant = process(code)
        try:
            if words:
                with pytest.raises(UnavailableError, match=words):
                    plant.wait()
            else:
                assert plant.wait() == 0
        finally:
            plant.stop()


def test_a_plant_that_cannot_listen_says_where_and_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "scenario.json"
    write_scenario(path, small_scenario())
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(
            UnavailableError, match=f"cannot listen on opc.tcp://127.0.0.1:{port}.*already in use"
        ) as said:
            start_plant(path, port=port)
    assert "--port" in said.value.remedy
    with pytest.raises(InputError, match="there is no port 65536"):
        PlantSettings(port=65_536).check()


def test_what_makes_no_plant_is_told_before_anything_is_simulated(tmp_path: Path) -> None:
    plant = Path(__file__).parents[2] / "examples" / "collagen" / "plant.yaml"
    there = tmp_path / "control.yaml"
    there.write_text("mine", encoding="utf-8")
    for words, wanted in (
        (("--control-recipe", there), "the file exists"),
        (("--clock", "yesterday"), "this is no moment"),
        (("--lock-step", "--speed", "600"), "has no speed"),
        (("--lock-step", "--clock", "2026-12-21T08:00Z"), "begins where its first client does"),
    ):
        said = called("plant", "start", plant, *words, "--json")
        assert said.code == 2
        assert wanted in said.document["errors"][0]["message"]
    assert there.read_text(encoding="utf-8") == "mine"
