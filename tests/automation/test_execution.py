"""What a batch leaves in the record: materials, checks, permits, faults, telemetry; whole batches on made truth."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seedtrain.automation import (
    Excursion,
    FaultEntry,
    PermitRefused,
    batch_state,
    execute,
    executed_strategy,
    read_segment,
    segment_path,
)
from seedtrain.automation._result import _variables
from seedtrain.automation._scenario import scenario_of
from seedtrain.automation._telemetry import Segment
from seedtrain.base import InputError, InputErrors, IntegrityError, digest_file, use_language
from seedtrain.quality import Lot
from seedtrain.quantity import Quantity
from seedtrain.recipe import Refusal, SeedUnit, State, at_scale, parse_recipe
from seedtrain.record import Draft, Ledger
from seedtrain.simulation import RunEvent
from tests.automation.made import (
    BATCH,
    RECIPE,
    START,
    Yes,
    control_recipe,
    crew,
    ledger_in,
    lots,
    plant,
    production_run,
    run_batch,
    seed_run,
    step_results,
    story,
)

FED = "production/main/fed"


def fault(**given: object) -> FaultEntry:
    entry = {"unit": "T", "phase": FED, "tag": "pH", "offset": "-0.5", "after": "2 h", "duration": "0.4 h", "what": "x"}
    return FaultEntry.model_validate({**entry, **given})


@pytest.fixture
def ledger(tmp_path: Path):
    with ledger_in(tmp_path) as opened:
        yield opened


def payloads(ledger: Ledger, type: str) -> list[dict[str, Any]]:
    return [dict(item.payload) for item in ledger.events(subject=BATCH, type=type)]


class TestRecord:
    def test_every_phase_starts_and_ends_once_and_in_order(self, ledger: Ledger):
        run_batch(ledger)
        paths = [step.path for step in control_recipe().recipe.phases()]
        assert [item["phase"] for item in payloads(ledger, "step.started")] == paths
        assert [item["phase"] for item in payloads(ledger, "step.completed")] == paths
        times = [item.occurred for item in ledger.events(subject=BATCH) if item.type.startswith("step.")]
        starts = [item.occurred for item in ledger.events(subject=BATCH, type="step.started")]
        assert times[0] > START
        assert starts == sorted(starts)
        assert batch_state(ledger, BATCH).state() is State.COMPLETE

    def test_everything_simulated_says_so(self, ledger: Ledger):
        run_batch(ledger)
        marked = (
            "step.value_recorded",
            "lot.consumed",
            "lot.produced",
            "segment.stored",
            "sample.taken",
            "batch.created",
        )
        for type in marked:
            assert payloads(ledger, type)
            assert all(item["origin"] == "simulated" for item in payloads(ledger, type)), type

    def test_a_started_step_names_the_line_of_the_recipe(self, ledger: Ledger):
        control = control_recipe()
        run_batch(ledger, control=control)
        for item in payloads(ledger, "step.started"):
            assert item["line"] == control.recipe.position(item["phase"]).line > 0

    def test_two_batches_of_the_same_inputs_read_the_same(self, ledger: Ledger):
        first, second = run_batch(ledger), run_batch(ledger, batch="B-2", lots=lots()[:2] + lots()[5:])
        for symbol in first.variables:
            assert np.array_equal(first[symbol], second[symbol])
        digests = {item.payload["digest"] for item in ledger.events(type="segment.stored")}
        assert digests == {item["digest"] for item in payloads(ledger, "segment.stored")}

    def test_another_seed_reads_otherwise(self, ledger: Ledger):
        control = control_recipe()
        first = run_batch(ledger, control=control)
        second = run_batch(ledger, control=control, batch="B-2", plant=plant(control, seed=1))
        assert not np.array_equal(first["pH"], second["pH"])

    def test_a_complete_batch_is_only_read(self, ledger: Ledger):
        first = run_batch(ledger)
        head = ledger.head
        second = run_batch(ledger)
        assert ledger.head == head
        assert first.to_data() == second.to_data()

    def test_the_run_compares_with_the_prediction(self, ledger: Ledger):
        run, truth = run_batch(ledger), production_run()
        assert run.origin == "simulated"
        assert run.unit_procedure == "production"
        assert (run.time[0], run.time[-1]) == pytest.approx((0.0, 6.0), abs=1e-6)
        assert np.all(np.diff(run.time) >= 0)
        for symbol in ("DCW", "T", "pH", "V", "F"):
            expected = np.interp(run.time, truth.time, truth[symbol])
            assert run.variables[symbol].unit == truth.variables[symbol].unit
            assert np.allclose(run[symbol], expected, rtol=0.1, atol=0.1), symbol
        assert run.phase(FED).end == pytest.approx(6.0, abs=1e-6)
        assert run.totals["sample/production/main/fed/product"][0] == pytest.approx(2.0, rel=0.2)


class TestMaterials:
    def test_what_is_consumed_is_what_the_recipe_asks_for(self, ledger: Ledger):
        run_batch(ledger)
        taken: dict[str, float] = {}
        for item in payloads(ledger, "lot.consumed"):
            taken[item["material"]] = taken.get(item["material"], 0.0) + float(item["amount"])
            if item["target"] is not None:
                off = abs(float(item["amount"]) / float(item["target"]) - 1) * 100
                assert off <= float(item["tolerance_percent"])
        feed = 0.1 * np.expm1(0.2 * 6.0) / 0.2  # L, by the recipe's own law
        assert taken["sugar"] == pytest.approx(10 * 0.1 + 10 * 10.0 + 500 * feed, rel=0.01)
        assert taken["bank"] == pytest.approx(0.001, rel=0.02)
        assert taken["ammonia-water"] == pytest.approx(900 * 0.01 * 6.0, rel=0.02)
        assert taken["vial"] == 200

    def test_the_oldest_released_lot_goes_first_and_the_next_takes_over(self, ledger: Ledger):
        run_batch(ledger)
        sugar = [item for item in payloads(ledger, "lot.consumed") if item["material"] == "sugar"]
        order = [item["lot"] for item in sugar]
        assert order == sorted(order, key=["SUGAR-old", "SUGAR-new"].index)
        assert sum(float(item["amount"]) for item in sugar if item["lot"] == "SUGAR-old") == pytest.approx(
            110, rel=1e-4
        )
        assert {"SUGAR-expired", "SUGAR-bad"}.isdisjoint(order)

    def test_genealogy_names_every_lot_that_was_consumed(self, ledger: Ledger):
        run_batch(ledger)
        (produced,) = payloads(ledger, "lot.produced")
        assert produced["from"] == sorted({item["lot"] for item in payloads(ledger, "lot.consumed")})
        assert produced["lot"] == BATCH
        assert float(produced["amount"]) == pytest.approx(20.0, rel=0.05)

    def test_an_empty_store_holds_the_batch(self, ledger: Ledger):
        with pytest.raises(PermitRefused, match="no released lot of salts") as caught:
            run_batch(ledger, lots=[lot for lot in lots() if lot.material != "salts"])
        assert "Receive and release" in caught.value.remedy
        assert batch_state(ledger, BATCH).held
        run_batch(ledger)
        assert batch_state(ledger, BATCH).state() is State.COMPLETE


class TestPeople:
    def test_a_second_person_is_never_the_first(self, ledger: Ledger):
        run_batch(ledger)
        started = {item.payload["phase"]: item.actor for item in ledger.events(type="step.started")}
        checks = list(ledger.events(type="step.checked"))
        asked = [step.path for step in control_recipe().recipe.phases() if step.phase.second_person]
        assert [item.payload["phase"] for item in checks] == asked
        signed = {item.payload["record_digest"]: item.actor for item in ledger.events(type="signature.applied")}
        for check in checks:
            assert check.actor != started[check.payload["phase"]]
            assert signed[check.digest] == check.actor

    def test_one_person_cannot_check_themselves(self, ledger: Ledger):
        people = crew(ledger)
        head = ledger.head
        with pytest.raises(InputErrors, match="one person"):
            run_batch(ledger, operators={**people, "checker": people["operator"]})
        assert ledger.head == head

    def test_missing_roles_are_all_named_before_anything_is_recorded(self, ledger: Ledger):
        people = crew(ledger)
        head = ledger.head
        with pytest.raises(InputErrors) as caught:
            run_batch(ledger, operators={"operator": people["operator"]})
        assert len(caught.value.parts) == 3
        assert ledger.head == head

    def test_nothing_runs_past_a_hold_point_before_it_is_signed(self, ledger: Ledger):
        run_batch(ledger)
        events = list(ledger.events(subject=BATCH))
        end = next(item for item in events if item.type == "step.completed" and item.payload["phase"] == FED)
        signature = next(item for item in events if item.payload.get("record_digest") == end.digest)
        following = next(item for item in events if item.seq > end.seq and item.type == "step.started")
        assert end.seq < signature.seq < following.seq


class TestPermit:
    def test_a_refusal_is_recorded_as_held_with_reason_and_remedy(self, ledger: Ledger):
        permit = Yes({FED: Refusal("the probe is not calibrated", "Calibrate it.")})
        with pytest.raises(PermitRefused, match="not calibrated") as caught:
            run_batch(ledger, permit=permit)
        assert caught.value.remedy == "Calibrate it."
        state = batch_state(ledger, BATCH)
        assert state.held
        assert state.state("production") is State.HELD
        assert FED not in state.started
        head = ledger.head
        with pytest.raises(PermitRefused):
            run_batch(ledger, permit=permit)
        assert ledger.head == head
        run_batch(ledger, permit=Yes())
        commands = [item["command"] for item in payloads(ledger, "batch.state_changed") if not item["unit_procedure"]]
        assert commands == ["start", "hold", "complete", "restart", "complete", "complete"]

    def test_every_phase_asks_with_the_lots_that_it_then_takes(self, ledger: Ledger):
        permit = Yes()
        run_batch(ledger, permit=permit)
        paths = [step.path for step in control_recipe().recipe.phases()]
        assert list(dict.fromkeys(item.phase_path for item in permit.asked)) == paths
        permitted = {(item.phase_path, lot) for item in permit.asked for lot in item.lots}
        assert {(item["phase"], item["lot"]) for item in payloads(ledger, "lot.consumed")} <= permitted

    def test_a_lot_that_takes_over_in_the_middle_needs_a_permit_too(self, ledger: Ledger):
        class NotTheNew(Yes):
            def check(self, request):
                return Refusal("the new lot is blocked", "Use another.") if "SUGAR-new" in request.lots else None

        with pytest.raises(PermitRefused, match="blocked"):
            run_batch(ledger, permit=NotTheNew())
        state = batch_state(ledger, BATCH)
        assert state.held
        assert FED in state.started
        assert not any(item["phase"] == FED for item in payloads(ledger, "lot.consumed"))
        run_batch(ledger)
        assert batch_state(ledger, BATCH).state() is State.COMPLETE
        assert len([item for item in payloads(ledger, "step.started") if item["phase"] == FED]) == 1

    def test_time_in_hold_counts_against_the_hold_time(self, ledger: Ledger):
        permit = Yes({"harvest/recovery/spin": Refusal("no", "Wait.")})
        with pytest.raises(PermitRefused):
            run_batch(ledger, permit=permit)
        told: list[Excursion] = []
        run_batch(ledger, start=START + timedelta(days=2), on_excursion=told.append)
        (waited,) = [item for item in payloads(ledger, "step.value_recorded") if item["tag"] == "hold_time"]
        assert not waited["within"]
        assert float(waited["value"]) > 4.0
        assert [item.tag for item in told] == ["hold_time"]


class TestFaults:
    def test_a_fault_shows_exactly_in_its_window(self, ledger: Ledger):
        control = control_recipe()
        told: list[Excursion] = []
        run_batch(ledger, control=control, plant=plant(control, [fault()]), on_excursion=told.append)
        found = payloads(ledger, "step.value_recorded")
        outside = [item for item in found if not item["within"]]
        assert {(item["phase"], item["tag"], item["kind"]) for item in outside} == {(FED, "pH", "reading")}
        assert [float(item["time_h"]) for item in outside] == pytest.approx([2.0, 2.1, 2.2, 2.3])
        (back,) = [item for item in found if item["kind"] == "reading" and item["within"]]
        assert float(back["time_h"]) == pytest.approx(2.4)
        (excursion,) = told
        assert (excursion.start_h, excursion.end_h) == pytest.approx((2.0, 2.3))
        assert excursion.count == 4
        assert "pH 6.4" in excursion.words
        state = batch_state(ledger, BATCH)
        segment = read_segment(ledger.path.parent / "segments", state.segments[FED])
        clean = plant(control).unit("T")
        clean.command(FED, {})
        clean.start(FED, control.recipe.phase(FED), state.started[FED].time)
        truth = [item.value for item in clean.read(FED, timedelta(minutes=6)) if item.tag == "pH"]
        hours = segment.time - segment.time[0]
        window = (hours >= 2.0 - 1e-6) & (hours < 2.4 - 1e-6)
        assert np.allclose(segment.columns["pH"] - truth, np.where(window, -0.5, 0.0), atol=1e-5)

    def test_without_a_fault_nothing_is_outside(self, ledger: Ledger):
        told: list[Excursion] = []
        run_batch(ledger, on_excursion=told.append)
        assert not told
        assert all(item["within"] for item in payloads(ledger, "step.value_recorded"))

    def test_the_listener_finds_the_excursion_in_the_record(self, ledger: Ledger):
        seen: list[list[str]] = []

        def look(excursion: Excursion) -> None:
            recorded = [item for item in payloads(ledger, "step.value_recorded") if item["phase"] == excursion.phase]
            seen.append([item["value"] for item in recorded if item["kind"] == "reading" and not item["within"]])
            ledger.append(Draft("deviation.opened", BATCH, {"phase": excursion.phase, "tag": excursion.tag}, "system"))

        control = control_recipe()
        run_batch(ledger, control=control, plant=plant(control, [fault()]), on_excursion=look)
        ((*values,),) = seen
        assert len(values) == 4
        assert len(payloads(ledger, "deviation.opened")) == 1

    def test_each_of_two_faults_is_an_excursion_and_what_flickers_is_one(self, ledger: Ledger):
        control = control_recipe()
        told: list[Excursion] = []
        faults = [fault(), fault(after="2.6 h", duration="0.2 h"), fault(after="5 h", duration="0.3 h")]
        run_batch(ledger, control=control, plant=plant(control, faults), on_excursion=told.append)
        assert [(item.start_h, item.end_h) for item in told] == [pytest.approx((2.0, 2.7)), pytest.approx((5.0, 5.2))]
        readings = [item for item in payloads(ledger, "step.value_recorded") if item["kind"] == "reading"]
        assert [item["within"] for item in readings] == [False] * 6 + [True] + [False] * 3 + [True]

    @pytest.mark.parametrize(("part", "tag"), [(0.5, "biomass_at_most"), (1.2, "elapsed_at_most")])
    def test_a_phase_that_runs_out_of_time_says_how_far_it_came(self, ledger: Ledger, part: float, tag: str):
        control = control_recipe()
        told: list[Excursion] = []
        slow = replace(
            seed_run(),
            events=(RunEvent(4.0, "at_most", "x"),),
            variables={
                name: replace(item, values=item.values * (part if name == "DCW" else 1.0))
                for name, item in seed_run().variables.items()
            },
        )
        run_batch(ledger, control=control, plant=plant(control, seeds=slow), on_excursion=told.append)
        ended = {item["phase"]: item["ended_by"] for item in payloads(ledger, "step.completed")}
        assert ended["seed/expansion/grow"] == "at_most"
        short = next(item for item in told if item.tag.endswith("at_most"))
        assert short.tag == tag
        assert (short.low, short.value) == pytest.approx((4.0, 2.0), rel=0.1) if part < 1 else short.value == 4.0

    def test_a_fault_of_a_unit_that_does_not_run_is_left_out(self, ledger: Ledger):
        control = control_recipe()
        run_batch(ledger, control=control, plant=plant(control, [fault(unit="OTHER")]))
        assert all(item["within"] for item in payloads(ledger, "step.value_recorded"))

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"unit": "X"}, "simulated_faults.0.unit: there is no unit 'X'"),
            ({"phase": "production/main/none"}, "simulated_faults.0.phase: the recipe has no phase"),
            ({"tag": "taste"}, "simulated_faults.0.tag: T reports no 'taste'"),
            ({"unit": "F"}, "does not run on 'F' but on T"),
        ],
    )
    def test_an_unknown_name_is_refused_with_what_is_known(self, wrong: dict[str, str], words: str):
        with pytest.raises(InputErrors, match=words.replace("'", ".")) as caught:
            plant(control_recipe(), [fault(**wrong)])
        assert "Use one of" in caught.value.remedy

    @pytest.mark.parametrize("wrong", [{"offset": "0"}, {"offset": "x"}, {"duration": "0 h"}, {"after": "-1 h"}])
    def test_a_fault_that_is_none_is_refused(self, wrong: dict[str, str]):
        with pytest.raises(ValueError, match="|".join(("offset", "number", "time", "before"))):
            fault(**wrong)

    def test_a_slow_set_point_change_is_settling_and_no_excursion(self, ledger: Ledger):
        control = control_recipe()
        told: list[Excursion] = []
        slow = fault(tag="temperature", offset="5", after="0 h", duration="0.3 h")
        run_batch(ledger, control=control, plant=plant(control, [slow]), on_excursion=told.append)
        (settling,) = [
            item for item in payloads(ledger, "step.value_recorded") if item["tag"] == "temperature_settling"
        ]
        assert float(settling["value"]) == pytest.approx(0.3)
        assert settling["within"]
        assert not told

    def test_a_set_point_that_is_never_met_is_an_excursion(self, ledger: Ledger):
        control = control_recipe()
        told: list[Excursion] = []
        stuck = fault(tag="temperature", offset="5", after="0 h", duration="9 h")
        run_batch(ledger, control=control, plant=plant(control, [stuck]), on_excursion=told.append)
        assert {item.tag for item in told} == {"temperature", "temperature_settling"}
        reading = next(item for item in told if item.tag == "temperature")
        assert reading.start_h == pytest.approx(0.5, abs=0.11)
        assert reading.end_h == pytest.approx(6.0)


class TestTelemetry:
    def test_every_segment_is_the_file_that_its_digest_names(self, ledger: Ledger):
        run_batch(ledger)
        folder = ledger.path.parent / "segments"
        stored = payloads(ledger, "segment.stored")
        assert {path.stem for path in folder.iterdir()} == {item["digest"] for item in stored}
        for item in stored:
            assert digest_file(segment_path(folder, item["digest"])) == item["digest"]
            segment = read_segment(folder, item["digest"])
            assert segment.count == item["count"]
            assert list(segment.columns) == item["tags"]
            assert segment.origin == "simulated"
            assert (segment.time[0], segment.time[-1]) == (float(item["start_h"]), float(item["end_h"]))

    def test_a_changed_file_is_noticed(self, ledger: Ledger):
        run_batch(ledger)
        path = segment_path(ledger.path.parent / "segments", batch_state(ledger, BATCH).segments[FED])
        path.write_text(path.read_text().replace("37.", "36.", 1))
        with pytest.raises(IntegrityError, match="Restore"):
            run_batch(ledger)

    def test_summaries_are_those_of_the_segment(self, ledger: Ledger):
        run_batch(ledger)
        segment = read_segment(ledger.path.parent / "segments", batch_state(ledger, BATCH).segments[FED])
        found = {
            item["tag"]: item
            for item in payloads(ledger, "step.value_recorded")
            if item["phase"] == FED and item["kind"] == "calculated" and "minimum" in item
        }
        assert set(found) == set(segment.columns)
        for tag, column in segment.columns.items():
            item = found[tag]
            expected = (column.mean(), column.min(), column.max(), len(column))
            values = [float(item[name]) for name in ("value", "minimum", "maximum")]
            assert (*values, item["count"]) == pytest.approx(expected, rel=1e-5)


class TestStrategy:
    def test_each_line_says_what_it_rests_on(self, ledger: Ledger):
        control = control_recipe()
        run_batch(ledger, control=control, plant=plant(control, [fault()]))
        growth, acidity, loss = executed_strategy(control, ledger, BATCH)
        assert (growth.basis, growth.within) == ("readings", True)
        assert float(growth.lowest or "nan") == pytest.approx(0.2, abs=0.005)
        assert [item.tag for item in growth.samples] == ["biomass", "product"]
        assert (acidity.basis, acidity.within, len(acidity.excursions)) == ("readings", False, 4)
        assert (loss.basis, loss.within, loss.observed) == ("set point", True, "0.5 %")
        assert [item.line for item in (growth, acidity, loss)] == [
            item.position.line for item in control.recipe.control_strategy
        ]
        assert growth.to_data()["samples"][0]["tag"] == "biomass"

    def test_a_line_without_evidence_is_never_met(self, ledger: Ledger):
        control = control_recipe()
        lines = executed_strategy(control, ledger, "another batch")
        assert [item.within for item in lines] == [None] * len(lines)
        with use_language("zh"):
            assert lines[0].observed == "未观测到"


class TestRefusals:
    def test_a_batch_of_another_recipe_is_refused(self, ledger: Ledger):
        control = control_recipe()
        run_batch(ledger, control=control)
        other = replace(control, recipe=control.recipe.with_value(FED, "pH", control.recipe.phase(FED).set["pH"]))
        run_batch(ledger, control=other)  # the same digest: the same recipe
        changed = replace(control, unit="T", ratio=2.0, master_digest="0" * 64)
        with pytest.raises(InputError, match="was made with the recipe"):
            run_batch(ledger, control=changed)

    @pytest.mark.parametrize("wrong", [{"batch": "no spaces"}, {"start": START.replace(tzinfo=None)}])
    def test_a_wrong_name_or_start_is_refused(self, ledger: Ledger, wrong: dict[str, object]):
        crew(ledger)
        head = ledger.head
        with pytest.raises(InputError):
            run_batch(ledger, **wrong)
        assert ledger.head == head

    def test_a_plant_without_the_unit_is_refused_before_anything_is_recorded(self, ledger: Ledger):
        control = control_recipe()
        whole = plant(control)

        class Smaller:
            def unit(self, name: str):
                if name == "filling_line":
                    raise InputError("the plant has no unit 'filling_line'")
                return whole.unit(name)

        people = crew(ledger)
        head = ledger.head
        with pytest.raises(InputError, match="filling_line"):
            execute(
                control,
                Smaller(),
                ledger,
                batch=BATCH,
                operators=people,
                lots=lots(),
                permit=Yes(),
                start=START,
            )
        assert ledger.head == head

    def test_lots_of_another_batch_are_used_up_for_this_one(self, ledger: Ledger):
        few = [
            lot
            if lot.material != "bank"
            else Lot(lot.id, "bank", "x", type(lot.quantity)(1.5, "mL"), lot.expiry, "released")
            for lot in lots()
        ]
        run_batch(ledger, lots=few)
        with pytest.raises(PermitRefused, match="short"):
            run_batch(ledger, batch="B-2", lots=few)

    def test_the_story_has_no_wall_clock(self, ledger: Ledger, tmp_path: Path):
        run_batch(ledger)
        with ledger_in(tmp_path / "again") as other:
            run_batch(other)
            assert story(other.events(subject=BATCH)) == story(ledger.events(subject=BATCH))


def test_a_feed_that_follows_the_culture_is_refused_where_nothing_can_follow():
    settings = "initial_rate: 100 mL/h"
    control = at_scale(
        parse_recipe(RECIPE.replace(settings, f"strategy: mu_stat\n              {settings}"), "small.yaml"),
        unit="T",
        volume=Quantity(10, "L"),
        seeds=[SeedUnit("F", "shake_flask", Quantity(100, "mL"))],
    )
    with pytest.raises(InputErrors, match=r"production/main/fed: strategy: T plays back what was simulated"):
        scenario_of(control, production=production_run(), seeds=[seed_run()], steps=step_results())


def test_what_the_model_of_a_culture_had_a_part_in_is_no_measurement_of_it():
    """A run of a batch is compared with its prediction, symbol by symbol: an estimate must not be among them."""
    time = np.array([0.0, 0.1])
    tags = {"mu": "1/h", "RQ": "", "biomass_estimate": "g/L", "biomass": "g/L", "OUR": "mmol/L/h"}
    segment = Segment(time, {tag: np.ones(2) for tag in tags}, dict(tags), "simulated", ("uncertain", "good"))
    found = _variables([segment])
    assert set(found) == {"mu_estimate", "RQ_estimate", "biomass_estimate", "DCW", "OUR"}
    assert set(found) & set(production_run().variables) == {"DCW", "OUR"}
