"""A change reruns what depends on it, and nothing else."""

from __future__ import annotations

import json

import pytest

import seedtrain.report
from seedtrain.report import page_digest
from tests.worked import STAGES, edit, run_stages

PROCESS = ["bench", "scale", "batch", "economics", "gap", "dossier"]

CHANGES = {
    "a comment behind a value": ("recipe.yaml", "volume: 0.5 L\n\nmat", "volume:    0.5 L # a note\n\nmat", []),
    "a comment that moves lines": ("recipe.yaml", "materials:\n", "# a note\n\n\nmaterials:\n", ["dossier"]),
    "quotes and flow style": (
        "recipe.yaml",
        "composition: {ammonia-water: 0.9 kg/L}",
        'composition: {"ammonia-water": "0.9 kg/L" }',
        [],
    ),
    "release limit": ("recipe.yaml", 'limit: "<= 100 ng/mg"', 'limit: "<= 90 ng/mg"', ["batch", "gap", "dossier"]),
    "text of the control strategy": (
        "recipe.yaml",
        "Repeat the wash before elution.",
        "Repeat the wash once before elution.",
        ["batch", "gap", "dossier"],
    ),
    "buffer concentration": (
        "recipe.yaml",
        "composition: {buffer-salts: 32 g/L, water: 0.985 kg/L}",
        "composition: {buffer-salts: 33 g/L, water: 0.985 kg/L}",
        PROCESS,
    ),
    "feed rate": ("recipe.yaml", "rate: 6.2 mL/h", "rate: 6.0 mL/h", PROCESS),
    "production vessel": (
        "plant.yaml",
        "impeller_diameter: 0.9 m",
        "impeller_diameter: 0.89 m",
        ["scale", "economics", "gap", "dossier"],
    ),
    "amount of a lot": ("plant.yaml", "quantity: 60 kg", "quantity: 61 kg", ["batch", "dossier"]),
    "origin declared": (
        "plant.yaml",
        "{name: protease used for the hydrolysis}",
        "{name: protease used for the hydrolysis, origin: microbial}",
        ["batch", "gap", "dossier"],
    ),
    "planned fault": ("plant.yaml", "duration: 40 min", "duration: 45 min", ["batch", "gap", "dossier"]),
    "limit of the need": ("need.yaml", "value: 50 %", "value: 51 %", ["gap", "dossier"]),
    "excluded origin": ("need.yaml", "value: porcine", "value: bovine", ["gap", "dossier"]),
    "title of the need": ("need.yaml", "title: A need that", "title: Another need that", ["dossier"]),
}


ALIKE = (
    "release limit",
    "text of the control strategy",
    "amount of a lot",
    "origin declared",
    "excluded origin",
    "feed rate",
    "planned fault",
)
"""Changes whose stages another test reruns too (`test_killed`: the planned fault): `make slow` takes them."""


@pytest.mark.parametrize(
    "change", [pytest.param(name, marks=pytest.mark.slow) if name in ALIKE else name for name in CHANGES]
)
def test_what_depends_on_a_change_is_redone_and_nothing_else(easy, easy_finished, undrawn, change) -> None:
    """And what was there before comes back with its inputs, at no cost."""
    file, old, new, expected = CHANGES[change]
    before = json.loads(easy_finished.with_suffix(".json").read_text())
    first = (easy / file).read_text()
    edit(easy / file, old, new)
    ran, after = run_stages(easy)
    assert ran == expected
    kept = [name for name in STAGES if name not in expected]
    digests = [{row["stage"]: row["result"] for row in document["stages"]} for document in (before, after)]
    assert all(digests[0][name] == digests[1][name] for name in kept)
    assert expected or after["digest"] == before["digest"]
    assert "gap" not in expected or after["digest"] != before["digest"]
    assert run_stages(easy)[0] == []
    (easy / file).write_text(first)
    ran, again = run_stages(easy)
    assert (ran, again["digest"]) == ([], before["digest"])


def test_ones_own_prices_change_the_cost_and_not_the_batch(easy, undrawn) -> None:
    (easy / "factors.yaml").write_text(PRICE)
    assert run_stages(easy)[0] == ["economics", "gap", "dossier"]


def test_the_dossier_names_the_need_as_it_reads_now(easy, monkeypatch) -> None:
    monkeypatch.setattr(seedtrain.report, "render_pdf", lambda page: page_digest(page).encode())
    edit(easy / "need.yaml", "title: A need that", "title: Another title that")
    run_stages(easy)
    assert "Another title that" in (easy / "out" / "dossier.html").read_text()


PRICE = """\
factors: own
currency: USD_2025
gwp: IPCC AR6 GWP100
items:
  glucose:
    price: {value: 1.1, low: 0.9, high: 1.3, unit: USD/kg, source: own, licence: own}
"""
