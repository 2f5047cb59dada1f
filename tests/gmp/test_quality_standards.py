"""Specifications, methods and stability studies: approved versions, pulls, trends."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.gmp import (
    TestContext,
    approve_change,
    approve_protocol,
    approve_standard,
    assess_change,
    calibrate_equipment,
    find_study,
    open_change,
    overdue,
    pull_sample,
    record_results,
    record_stability,
    register_equipment,
    stability_trend,
    start_study,
    submit_protocol,
    submit_standard,
    trend_plot,
)
from seedtrain.gmp._quality._stability import month_later
from seedtrain.gmp._quality._standards import effective
from seedtrain.quality import Result
from seedtrain.quantity import parse
from seedtrain.record import Draft, enrol_person
from seedtrain.report import draw
from tests.gmp.made import BATCH

METHOD = """
method: gel
version: "{version}"
title: SDS-PAGE
procedure: Run, stain, scan.
suitability: resolution above 1.5
"""
SPECIFICATION = """
specification: MEDIUM
version: "{version}"
lines:
  - {{attribute: pH, method: meter, limit: "6.8 .. 7.2"}}
"""
PROTOCOL = """
protocol: STAB-1
version: "1"
product: thing
storage: long term
condition: 5 degC
months: [0, 3, 6, 9, 12, 18, 24]
window_days: 14
tests:
  - {attribute: purity, method: gel, limit: ">= 95 %", direction: falling}
  - {attribute: appearance, method: look, limit: "= clear"}
"""


def analysed(made, value="97 %", context=None, sample="QC-1"):
    results = [Result("purity", parse(value), "gel", sample)]
    specification = made.control.recipe.specification
    return record_results(made.ledger, BATCH, specification, results, made.people["qc"], context=context)


def test_a_method_is_effective_once_another_approved_it_and_tests_name_its_version(made):
    made.run()
    qc, qa = made.people["qc"], made.people["qa"]
    submit_standard(made.ledger, "method", METHOD.format(version=1), qc)
    assert submit_standard(made.ledger, "method", METHOD.format(version=1), qc).approver == ""
    assert effective(made.ledger, "method", "gel") is None
    analysed(made)  # nothing is asked while there is no approved method
    twin = enrol_person(made.ledger, "The qc", ["qa"], scripted=True)
    with pytest.raises(InputError, match="needs another person"):
        approve_standard(made.ledger, "method", "gel", "1", twin)
    with pytest.raises(InputError, match="has no version '7'"):
        approve_standard(made.ledger, "method", "gel", "7", qa)
    approve_standard(made.ledger, "method", "gel", "1", qa)
    with pytest.raises(InputError, match="says nothing of its system suitability"):
        analysed(made, sample="QC-2")
    with pytest.raises(InputError, match="version 9 is not the effective one: that is 1"):
        analysed(made, context=TestContext(method_version="9", suitability="2.1"), sample="QC-2")
    (event,) = analysed(made, context=TestContext(suitability="resolution 2.1"), sample="QC-2")
    assert (event.payload["method_version"], event.payload["suitability"]) == ("1", "resolution 2.1")


def test_another_version_needs_another_number_and_an_approved_change(made):
    qc, qa, author = made.people["qc"], made.people["qa"], made.people["author"]
    for version in ("1", "2"):
        submit_standard(made.ledger, "specification", SPECIFICATION.format(version=version), qc)
    found = approve_standard(made.ledger, "specification", "MEDIUM", "1", qa)
    assert found.specification.line("pH").limit.text == "6.8 .. 7.2"
    with pytest.raises(InputError, match="names no change request"):
        approve_standard(made.ledger, "specification", "MEDIUM", "2", qa)
    change = open_change(made.ledger, author, "specification", "MEDIUM", proposal="narrower", reason="trend").change
    with pytest.raises(InputError, match="is open"):
        approve_standard(made.ledger, "specification", "MEDIUM", "2", qa, change=change)
    assess_change(made.ledger, change, qc, impact="none", risk="low")
    approve_change(made.ledger, change, qa, comment="as assessed")
    approve_standard(made.ledger, "specification", "MEDIUM", "2", qa, change=change)
    now = effective(made.ledger, "specification", "MEDIUM")
    assert now is not None
    assert (now.version, now.change) == ("2", change)
    with pytest.raises(InputError, match="has a version 2 already"):
        submit_standard(made.ledger, "specification", SPECIFICATION.format(version=2) + "# changed", qc)


def test_every_fault_of_a_file_is_told_with_its_place(made):
    text = SPECIFICATION.format(version=1).replace("6.8 .. 7.2", "about 7").replace("version", "vrsion")
    with pytest.raises(InputError) as caught:
        submit_standard(made.ledger, "specification", text, made.people["qc"], file="m.yaml")
    places = [str(item.position) for item in caught.value.parts]
    assert len(places) >= 2
    assert all(place.startswith("m.yaml") for place in places)


def test_an_instrument_that_is_out_of_calibration_gives_no_result(made):
    made.run()
    technician = enrol_person(made.ledger, "Metrologist", ["metrology"], scripted=True)
    register_equipment(made.ledger, "HPLC-1", technician, name="HPLC 1", kind="hplc", calibrated=True)
    context = TestContext(instrument="HPLC-1", suitability="2.1")
    with pytest.raises(InputError, match="has no valid calibration"):
        analysed(made, context=context)
    today = made.ledger.now.date()
    calibrate_equipment(
        made.ledger, "HPLC-1", technician, due=today + timedelta(days=30), certificate="C-1", passed=True
    )
    (event,) = analysed(made, context=context)
    assert event.payload["instrument"] == "HPLC-1"


def protocol(made):
    submit_protocol(made.ledger, PROTOCOL, made.people["qc"])
    return approve_protocol(made.ledger, "STAB-1", made.people["qa"])


def study(made, start="2024-01-31"):
    made.run()
    protocol(made)
    return start_study(made.ledger, "STAB-1", BATCH, start, made.people["qc"])


def at(day):
    return datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC)


def test_a_study_needs_a_protocol_that_another_approved(made):
    made.run()
    qc, qa = made.people["qc"], made.people["qa"]
    with pytest.raises(InputError, match="no approved protocol"):
        start_study(made.ledger, "STAB-1", BATCH, "2024-01-31", qc)
    submit_protocol(made.ledger, PROTOCOL, qc)
    with pytest.raises(InputError, match="no approved protocol"):
        start_study(made.ledger, "STAB-1", BATCH, "2024-01-31", qc)
    with pytest.raises(InputError, match=r"may not do quality\.approve"):
        approve_protocol(made.ledger, "STAB-1", qc)
    approve_protocol(made.ledger, "STAB-1", qa)
    with pytest.raises(InputError, match="a protocol STAB-1 already"):
        submit_protocol(made.ledger, PROTOCOL.replace("95", "90"), qc)
    first = start_study(made.ledger, "STAB-1", BATCH, "2024-01-31", qc)
    assert start_study(made.ledger, "STAB-1", BATCH, "2024-01-31", qc) == first
    with pytest.raises(InputError, match="was started on 2024-01-31"):
        start_study(made.ledger, "STAB-1", BATCH, "2024-02-01", qc)


def test_pulls_are_due_by_the_calendar_and_overdue_after_their_window(made):
    name, qc = study(made).name, made.people["qc"]
    found = find_study(made.ledger, name)
    assert [found.due(month) for month in (0, 3, 6, 24)] == ["2024-01-31", "2024-04-30", "2024-07-31", "2026-01-31"]
    pull_sample(made.ledger, name, 0, "ST-0", qc, at=at("2024-01-31"))
    late = pull_sample(made.ledger, name, 3, "ST-3", qc, at=at("2024-05-15"))
    assert [(item.month, item.in_window) for item in late.pulls] == [(0, True), (3, False)]
    with pytest.raises(InputError, match="was pulled at 3 months"):
        pull_sample(made.ledger, name, 3, "ST-3b", qc, at=at("2024-05-16"))
    with pytest.raises(InputError, match="no time point at 4 months"):
        pull_sample(made.ledger, name, 4, "ST-4", qc)
    assert late.overdue("2024-08-14") == ()
    assert late.overdue("2024-08-15") == (6,)
    assert [item.words for item in overdue(made.ledger, "2024-08-15") if item.name == name] == ["pull at 6 months"]


def test_a_trend_gives_a_shelf_life_and_shows_what_is_strange(made):
    name, qc = study(made).name, made.people["qc"]
    values = {0: "100.1 %", 3: "99.4 %", 6: "98.6 %", 9: "98.1 %", 12: "97.4 %", 18: "96.0 %"}
    for month, value in values.items():
        sample = f"ST-{month}"
        pull_sample(made.ledger, name, month, sample, qc, at=at(month_later("2024-01-31", month)))
        result = Result("purity", parse(value), "gel", sample)
        record_stability(made.ledger, name, sample, result, qc)
        record_stability(made.ledger, name, sample, result, qc)  # safe to repeat
    found = stability_trend(made.ledger, "STAB-1", "purity")
    assert len(found.points) == 6
    assert found.shelf_life is not None
    assert found.shelf_life.months == pytest.approx(22.0, abs=1.0)
    assert (found.strange, found.failing) == ((), ())
    assert draw(trend_plot(found)).svg.startswith("<")
    with pytest.raises(InputError, match="tests no 'colour'"):
        stability_trend(made.ledger, "STAB-1", "colour")
    pull_sample(made.ledger, name, 24, "ST-24", qc, at=at("2026-01-31"))
    out = record_stability(made.ledger, name, "ST-24", Result("purity", parse("91 %"), "gel", "ST-24"), qc)
    assert out.state == "oos"
    after = stability_trend(made.ledger, "STAB-1", "purity")
    assert [item.sample for item in after.failing] == ["ST-24"]
    assert [item.value for item in after.strange] == [91.0]


def test_what_nobody_signed_is_no_part_of_a_study(made):
    name, qc = study(made).name, made.people["qc"]
    payload = {"month": 0, "sample": "ST-0", "due": "2024-01-31", "pulled": "2024-01-31", "in_window": True}
    made.ledger.append(Draft("stability.pulled", name, payload, qc))
    assert find_study(made.ledger, name).pulls == ()
    with pytest.raises(InputError, match="no pulled sample 'ST-0'"):
        record_stability(made.ledger, name, "ST-0", Result("purity", parse("99 %"), "gel", "ST-0"), qc)


@given(st.dates(), st.integers(0, 120), st.integers(0, 120))
def test_months_add_up_by_the_calendar(start, first, more):
    day = start.isoformat()
    if start.year > 9970:
        return
    assert month_later(day, 0) == day
    assert month_later(day, first) <= month_later(day, first + more)
    assert month_later(day, 12)[:4] == f"{start.year + 1:04d}"
    if start.day <= 28:
        assert month_later(month_later(day, first), more) == month_later(day, first + more)
