"""The how-to from one's own data to a decision, every command of it, in one folder, one after the other."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.test_docs import ROOT, copy_examples

PAGE = ROOT / "docs/how-to/from-your-data-to-a-decision.md"
FENCE = re.compile(r"^```(?P<language>console|sh)\n(?P<body>.*?)^```$", re.M | re.S)


def commands() -> list[str]:
    """The lines that are run: those after `$ ` of console blocks, and all of sh blocks."""
    found: list[str] = []
    for block in FENCE.finditer(PAGE.read_text(encoding="utf-8")):
        lines = block["body"].splitlines()
        if block["language"] == "console":
            lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        found += lines
    return found


@pytest.mark.slow
def test_a_folder_of_tables_comes_to_a_fit_a_design_a_sheet_and_a_cost_table(tmp_path: Path) -> None:
    """Also what stands there as `sh` and is too long for the quick run; what was hidden is found, and carried on."""
    copy_examples(tmp_path)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for command in commands():
        done = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    fit = json.loads((tmp_path / "fitted/fit.json").read_text())
    found = {item["name"]: item["value"] for item in fit["parameters"]}
    assert found["q_S_max"] == pytest.approx(0.7, rel=0.05)
    assert found["Y_em"] == pytest.approx(0.48, rel=0.05)
    verdict = json.loads((tmp_path / "compared/comparison.json").read_text())
    assert verdict["verdict"] == "pass"
    assert verdict["simulated"] == ["B1", "B2", "B3", "P1", "P2", "P3"]
    sheet = json.loads((tmp_path / "transfer/transfer.json").read_text())
    cost = json.loads((tmp_path / "cost/economics.json").read_text())
    # One culture all the way: the titre of the sheet is the titre that the cost rests on.
    assert cost["performance"]["titre"] == pytest.approx(sheet["end"]["titre"], rel=0.2)
    assert cost["simulated"]
