"""`seedtrain design guides` on a user's files."""

from __future__ import annotations

import json
import random

import pytest

from seedtrain.base import InputError
from seedtrain.cli._design import app


@pytest.fixture
def genome(tmp_path, monkeypatch):
    monkeypatch.setenv("SEEDTRAIN_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "genome.fa"
    path.write_text(">chr\n" + "".join(random.Random(4).choices("ACGT", k=3000)) + "\n")
    return path


def run(*tokens):
    return app([str(token) for token in tokens], exit_on_error=False, result_action="return_value")


def test_guides_as_table_json_and_files(genome, tmp_path, capsys):
    gff3, genbank = tmp_path / "a.gff3", tmp_path / "a.gb"
    assert run("guides", genome, "chr:1001-1400", "--count", 3, "--gff3", gff3, "--genbank", genbank) == 0
    assert "3 of " in capsys.readouterr().out
    assert gff3.read_text().startswith("##gff-version 3\n")
    assert genbank.read_text().startswith("LOCUS")
    assert run("guides", genome, "chr:1001-1400", "--json") == 0
    data = json.loads(capsys.readouterr().out)
    assert data["verdict"] == data["guides"][0]["verdict"]["verdict"] == "pass"


def test_a_search_without_bulges_is_inconclusive(genome, capsys):
    assert run("guides", genome, "chr:1001-1400", "--no-bulge") == 3
    assert "not searched" in capsys.readouterr().out


def test_a_wrong_region_is_an_input_error(genome):
    with pytest.raises(InputError, match="no contig"):
        run("guides", genome, "chrX:1-5")
