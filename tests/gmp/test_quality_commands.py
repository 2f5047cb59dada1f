"""The quality unit's work through the command line: CAPA, deviations, methods, stability."""

from datetime import UTC, datetime

import pytest

from seedtrain.gmp import receive_lots
from seedtrain.record import open_ledger
from tests.gmp.made import lot
from tests.gmp_scenarios.journey import Journey

METHOD = """
method: gel
version: "1"
title: SDS-PAGE
procedure: Run, stain, scan.
suitability: resolution above 1.5
"""
PROTOCOL = """
protocol: STAB-1
version: "1"
product: thing
storage: long term
condition: 5 degC
months: [0, 3, 6, 9, 12, 18]
window_days: 14
tests:
  - {attribute: purity, method: gel, limit: ">= 95 %", direction: falling}
"""


class House(Journey):
    """People stand under their words in `who`."""

    who: dict[str, str]


@pytest.fixture
def journey(tmp_path):
    found = House(tmp_path, clock=datetime(2026, 1, 4, 8, tzinfo=UTC))
    found.who = found.crew(analyst="quality_control", lead="quality_control", qa="quality_assurance", store="warehouse")
    return found


def by(journey, word, *words):
    return journey.done(journey.who[word], *words)


def refused(journey, word, *words):
    answer = journey.signed(journey.who[word], *words)
    assert answer.code == 2, answer.words
    return answer.words


def test_a_deviation_of_the_site_and_the_capa_that_follows(journey):
    quality = ("quality", "deviation")
    name = by(journey, "store", *quality, "open", "site", "the cold store was at 9 degC for 3 h")["name"]
    assert name == "site-DEV-01"
    assert "knows no batch or lot" in refused(journey, "store", *quality, "open", "B-9", "a vial fell")
    by(journey, "lead", *quality, "classify", name, "major", "--reason", "three products stood there")
    close = (*quality, "close", name, "--action", "compressor replaced", "--impact", "none", "--cause", "wear")
    assert "an investigation, the disposition of the product, a CAPA" in refused(journey, "qa", *close)
    by(journey, "lead", *quality, "investigate", name, "--findings", "a fuse", "--cause", "wear")
    by(journey, "lead", *quality, "assess", name, "--impact", "none: within excursion data", "--disposition", "use")
    given = ("--cause", "wear", "--criterion", "no case in a year", "--check-due", "2027-03-01", "--source", name)
    capa = by(journey, "lead", "quality", "capa", "open", "cold store", *given)["name"]
    by(journey, "lead", *quality, "capa", name, capa)
    owner = journey.who["store"]
    action = ("--kind", "preventive", "--owner", owner, "--due", "2026-04-01")
    by(journey, "lead", "quality", "capa", "action", capa, "service twice a year", *action)
    assert "may not do" in refused(journey, "lead", "quality", "capa", "approve", capa)
    by(journey, "qa", "quality", "capa", "approve", capa)
    assert by(journey, "qa", *close)["closed"] is True
    late = journey.run("quality", "overdue", "--on", "2026-05-01")
    assert late.code == 1
    assert [(item["name"], item["words"], item["owner"]) for item in late.data] == [
        (capa, "preventive action 1", owner)
    ]
    by(journey, "store", "quality", "capa", "done", capa, "1", "--evidence", "contract 12")
    by(journey, "lead", "quality", "capa", "check", capa, "--effective", "--evidence", "none seen")
    assert by(journey, "qa", "quality", "capa", "close", capa)["state"] == "closed"
    assert journey.run("quality", "overdue", "--on", "2030-01-01").data == []
    assert journey.done(None, "quality", "deviation", "list", "--open") == []
    assert [item["state"] for item in journey.done(None, "quality", "capa", "list")] == ["closed"]


def test_a_stability_study_from_protocol_to_shelf_life(journey, tmp_path):
    (tmp_path / "gel.yaml").write_text(METHOD)
    (tmp_path / "protocol.yaml").write_text(PROTOCOL)
    by(journey, "lead", "quality", "method", "submit", tmp_path / "gel.yaml")
    by(journey, "qa", "quality", "method", "approve", "gel", "1")
    assert journey.done(None, "quality", "method", "list")[0]["approver"] == journey.who["qa"]
    stability = ("quality", "stability")
    by(journey, "lead", *stability, "submit", tmp_path / "protocol.yaml")
    with journey.surroundings(), open_ledger(journey.record) as ledger:
        receive_lots(ledger, [lot("L-1", "thing")])
    assert "knows no batch or lot" in refused(
        journey, "lead", "quality", "deviation", "open", "person-1", "a vial fell"
    )
    start = (*stability, "start", "STAB-1", "L-1", "--on", "2026-01-05")
    assert "no approved protocol" in refused(journey, "analyst", *start)
    by(journey, "qa", *stability, "approve", "STAB-1")
    study = by(journey, "analyst", *start)["name"]
    assert journey.run(*stability, "trend", "STAB-1", "purity").code == 3
    for month, (day, value) in {
        0: ("2026-01-05", "100.2 %"),
        3: ("2026-04-05", "99.5 %"),
        6: ("2026-07-05", "98.7 %"),
        9: ("2026-10-05", "98.2 %"),
        12: ("2027-01-05", "97.4 %"),
    }.items():
        journey.clock = datetime.fromisoformat(day).replace(tzinfo=UTC)
        if month:  # passwords last 90 days
            renew(journey)
        by(journey, "analyst", *stability, "pull", study, str(month), f"ST-{month}")
        result = (*stability, "result", study, f"ST-{month}", "purity", value)
        assert "says nothing of its system suitability" in refused(journey, "analyst", *result)
        by(journey, "analyst", *result, "--suitability", "resolution 2.1")
    assert [row["overdue"] for row in journey.done(None, *stability, "list")] == [[]]
    late = journey.run("quality", "overdue", "--on", "2027-08-01")
    assert [(item["words"], item["due"]) for item in late.data] == [("pull at 18 months", "2027-07-05")]
    plot = tmp_path / "trend.svg"
    found = journey.done(None, *stability, "trend", "STAB-1", "purity", "--plot", plot)
    assert 20 < found["shelf_life"]["months"] < 24
    assert found["shelf_life"]["covered"] == pytest.approx(12.0, abs=0.1)
    assert "<svg" in plot.read_text()


def renew(journey):
    """A new password for the analyst: the old one has run out."""
    actor = journey.who["analyst"]
    new = f"{journey.clock:%Y%m%d} four quick brown foxes"
    answer = journey.run("person", "password", actor, secrets=(journey.passwords[actor], new, new))
    assert answer.code == 0, answer.words
    journey.passwords[actor] = new
