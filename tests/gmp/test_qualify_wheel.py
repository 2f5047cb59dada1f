"""`seedtrain qualify` on an installation from a wheel, as a user has it (slow: it builds one)."""

import json
import os
import subprocess
import sys

import pytest

from tests.recipe.examples import ROOT

pytestmark = pytest.mark.slow
RUN = "import sys; from seedtrain.cli import main; main(['qualify', '--out', sys.argv[1], '--json'])"


def test_it_passes_on_a_fresh_install_and_fails_once_a_file_is_changed(tmp_path):
    pytest.importorskip("hatchling")
    wheels, site = tmp_path / "wheels", tmp_path / "site"
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", wheels], cwd=ROOT, check=True)
    (wheel,) = wheels.iterdir()
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", site, wheel]
    subprocess.run(install, check=True)
    environment = {**os.environ, "PYTHONPATH": str(site)}

    def qualified():
        command = [sys.executable, "-c", RUN, str(tmp_path / "out")]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.returncode, json.loads(done.stdout)

    code, report = qualified()
    assert (code, report["verdict"]) == (0, "pass"), [item for item in report["checks"] if item["verdict"] != "pass"]
    assert report["seconds"] < 60
    changed = site / "seedtrain" / "gmp" / "_permit.py"
    changed.write_text(changed.read_text() + "\n# a change\n")
    code, report = qualified()
    assert code == 1
    assert [item["id"] for item in report["checks"] if item["verdict"] == "fail"] == ["IQ-02"]
