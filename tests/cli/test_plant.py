"""`seedtrain plant`: a plant that serves the worked example, and what browsing it shows."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedtrain.automation import TagMapping, read_any_mapping, read_mapping
from seedtrain.base import InputError, UnavailableError
from seedtrain.cli._plant import app

pytest.importorskip("asyncua", reason="the group `plant` is not installed")

EXAMPLE = Path(__file__).parents[2] / "examples" / "collagen"
RUN = "import sys; from seedtrain.cli._plant import app; sys.exit(app(sys.argv[1:], result_action='return_value'))"


def call(*arguments: object) -> int:
    code = app([str(item) for item in arguments], exit_on_error=False, result_action="return_value")
    assert isinstance(code, int)
    return code


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[str], dict[str, object]]]:
    folder = tmp_path_factory.mktemp("plant") / "example"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("out"))
    plant = folder / "plant.yaml"
    plant.write_text(f"{plant.read_text()}\nspeaks:\n  modbus: {{port: {free_port()}}}\n")
    command = [sys.executable, "-c", RUN, "start", str(plant), "--lock-step", "--port", "0", "--json"]
    command += ["--register-map", str(folder / "registers.yaml")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines: list[str] = []
    while not lines or lines[-1] != "}\n":
        lines.append(process.stdout.readline())
        assert lines[-1], "the plant ended"
    yield process, json.loads("".join(lines))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)


def test_start_says_where_it_serves(started: tuple[subprocess.Popen[str], dict[str, object]]):
    _, told = started
    assert str(told["url"]).startswith("opc.tcp://127.0.0.1:")
    assert told["speed"] is None
    assert told["origin"] == "simulated"
    assert {"FLASK-500", "SEED-20", "PILOT-200", "freeze_dryer"} <= set(told["units"])  # type: ignore[call-overload]


def test_the_plant_speaks_modbus_too(
    started: tuple[subprocess.Popen[str], dict[str, object]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """As its plant file says, with the register map that it wrote; the draft of the mapping can be read."""
    process, told = started
    url = told["speaks"]["modbus"]  # type: ignore[index]
    assert isinstance(process.args, list)
    registers, file = Path(process.args[-1]), tmp_path / "mapping.yaml"
    assert call("browse", url, "--registers", registers, "--write", file) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "virtual plant (Seedtrain, virtual plant (simulated)): simulated, not for use"
    assert "  PILOT-200/temperature/target = degC  (no good value)  [can be written]" in shown
    mapping = read_any_mapping(file)
    assert isinstance(mapping, TagMapping)
    assert mapping.entry.units["PILOT-200"].functions["OUR"].unit == "mmol/L/h"
    assert (tmp_path / mapping.entry.registers).resolve() == registers.resolve()
    assert call("browse", url, "--registers", registers, "--json", "--lang", "zh") == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["tags"]}
    assert rows["PILOT-200/Program/state"]["value"] == "idle"
    assert rows["PILOT-200/temperature/current"]["quality"] == "bad", "nothing runs"


def test_a_register_map_of_a_plant_without_modbus_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="does not speak Modbus") as caught:
        call("start", EXAMPLE / "plant.yaml", "--register-map", tmp_path / "registers.yaml")
    assert "speaks" in caught.value.remedy


def test_browse_prints_and_drafts(
    started: tuple[subprocess.Popen[str], dict[str, object]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    url, file = started[1]["url"], tmp_path / "mapping.yaml"
    assert call("browse", url, "--write", file) == 0
    shown = capsys.readouterr().out
    for words in ("PILOT-200", "dissolved_oxygen", "TargetValue = nan degC  [can be written]", "StartProgram()"):
        assert words in shown
    assert read_mapping(file).entry.units["PILOT-200"].functions["OUR"].unit == "mmol/L/h"
    with pytest.raises(InputError, match="exists"):
        call("browse", url, "--write", file)
    assert call("browse", url, "--json") == 0
    nodes = json.loads(capsys.readouterr().out)["nodes"]
    assert any(item["node"].endswith("s=PILOT-200/FunctionSet/pH/CurrentValue") for item in nodes)


def test_browse_in_chinese(
    started: tuple[subprocess.Popen[str], dict[str, object]], capsys: pytest.CaptureFixture[str]
):
    assert call("browse", started[1]["url"], "--lang", "zh") == 0
    assert "可写" in capsys.readouterr().out


def test_browsing_nobody_is_unavailable():
    with pytest.raises(UnavailableError, match="cannot be reached"):
        call("browse", "opc.tcp://127.0.0.1:1")


def test_half_of_a_secure_connection_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="needs its own certificate") as caught:
        call("browse", "opc.tcp://127.0.0.1:1", "--user", "operator")
    assert "--server-certificate" in caught.value.remedy
    with pytest.raises(InputError, match="needs its own certificate"):
        call("start", EXAMPLE / "plant.yaml", "--certificate", tmp_path / "x.pem")


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--speed", "0", "does not run"),
        ("--interval", "3 L", "not a time"),
        ("--interval", "0 min", "is none"),
        ("--clock", "noon", "no moment"),
    ],
)
def test_a_plant_that_makes_no_sense(option: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch):
    from seedtrain.automation import Scenario
    from seedtrain.cli import _plant

    monkeypatch.setattr(_plant, "_scenario", lambda *_, **__: (Scenario("0" * 64, {}), None, []))
    with pytest.raises(InputError, match=words):
        call("start", EXAMPLE / "plant.yaml", option, value, "--port", "0")
