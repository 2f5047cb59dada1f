"""The executor's own events, under the ledger's permit, from the first phase to the release."""

from datetime import timedelta

import pytest

from seedtrain.automation import FaultEntry, PermitRefused
from seedtrain.gmp import (
    LedgerPermit,
    approve_recipe,
    assure_origin,
    batch_record,
    close_deviation,
    decide_release,
    open_deviations,
    receive_lots,
    record_results,
    review,
)
from seedtrain.quality import Result
from seedtrain.quantity import Quantity
from seedtrain.recipe import SeedUnit, at_scale, parse_recipe
from seedtrain.record import enrol_person, verify
from tests.automation import made as automation

SPECIFICATION = """
specification:
  - {attribute: purity, method: gel, limit: ">= 95 %"}
"""
FAULT = {"unit": "T", "phase": "production/main/fed", "tag": "pH", "offset": "-0.35"}
LASTS = {"after": "2 h", "duration": "0.4 h", "what": "dry line"}


def test_an_executed_batch_is_refused_then_run_and_released(tmp_path):
    master = parse_recipe(automation.RECIPE + SPECIFICATION, "small.yaml")
    seeds = [SeedUnit("F", "shake_flask", Quantity(100, "mL"))]
    control = at_scale(master, unit="T", volume=Quantity(10, "L"), seeds=seeds)
    with automation.ledger_in(tmp_path) as ledger:
        crew = automation.crew(ledger)
        qa = enrol_person(ledger, "qa", ["qa"], scripted=True)
        analyst = enrol_person(ledger, "analyst", ["analyst"], scripted=True)
        given = {
            "control": control,
            "plant": automation.plant(control, [FaultEntry.model_validate(FAULT | LASTS)]),
            "permit": LedgerPermit(ledger, control),
        }
        receive_lots(ledger, automation.lots())
        with pytest.raises(PermitRefused, match="never approved"):
            automation.run_batch(ledger, **given)
        approve_recipe(ledger, control, author=crew["reviewer"], approver=qa)
        automation.run_batch(ledger, **given, start=automation.START + timedelta(hours=1))
        batch = automation.BATCH
        record = batch_record(ledger.events(subject=batch))
        assert record.illegal == ()
        assert {item.phase for item in record.steps} == {place.path for place in control.recipe.phases()}
        opened = open_deviations(ledger, batch, crew["operator"])
        assert [item.payload["tag"] for item in opened] == ["pH"]
        name = opened[0].payload["deviation"]
        close_deviation(
            ledger, batch, name, impact="none", cause="dry line", action="refilled", actor=qa, classification="minor"
        )
        results = [Result("purity", Quantity(97.0, "%"), "gel", "QC-1")]
        record_results(ledger, batch, control.recipe.specification, results, analyst)
        kinds = {item.kind for item in review(ledger, batch, qa, comment="seen").exceptions}
        assert kinds == {"excursion", "intervention", "deviation"}
        decision = decide_release(ledger, batch, qa)
        assert decision.decision == "released", decision.reasons
        assert assure_origin(ledger.events(), batch).verdict == "inconclusive"  # nobody declared what is inside
    assert verify(tmp_path / "record.db").verdict == "pass"
