"""The process of a virtual plant as the one that started it sees it: it is never blocked, and its end is told."""

from __future__ import annotations

import subprocess
import sys

import pytest

from seedtrain.automation._served import LINES, PlantProcess, _Words
from seedtrain.base import UnavailableError


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
