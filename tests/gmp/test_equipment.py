"""Equipment: who may maintain it, and every reason for which it may not be used."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.gmp import (
    Equipment,
    Register,
    calibrate_equipment,
    change_equipment_status,
    check_cleaning,
    clean_equipment,
    equipment_list,
    find_equipment,
    register_equipment,
    uncounted,
)
from seedtrain.gmp._equipment import use_drafts, use_end_drafts
from seedtrain.gmp._equipment_state import equipment_of
from seedtrain.record import Draft, Ledger, append_signed, enrol_person, open_ledger, sign
from tests.worked import called

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


@dataclass
class Hall:
    """A ledger with people, and a clock that the test moves."""

    ledger: Ledger
    clock: list[datetime]
    people: dict[str, str] = field(default_factory=dict)

    def later(self, hours):
        self.clock[0] += timedelta(hours=hours)

    @property
    def now(self):
        return self.clock[0]

    def use(self, name, batch, phase="p", product="thing", hours=1.0):
        self.ledger.append(*use_drafts([name], batch, phase, product, self.people["anna"], self.now))
        self.later(hours)
        self.ledger.append(*use_end_drafts([name], batch, phase, self.people["anna"], self.now))

    def clean(self, name, by="anna", checked="bela"):
        clean_equipment(self.ledger, name, self.people[by], procedure="SOP-7", at=self.now)
        return check_cleaning(self.ledger, name, self.people[checked], at=self.now)

    def fault(self, name, batch="B-9", product="thing"):
        found = find_equipment(self.ledger, name).fault(self.now, batch, product)
        return found.gate if found else ""


@pytest.fixture
def hall(tmp_path):
    clock = [NOW]
    ledger = open_ledger(tmp_path / "record.db", clock=lambda: clock[0])
    found = Hall(ledger, clock)
    for name, role in {"anna": "operator", "bela": "operator", "mona": "metrology", "quin": "reviewer"}.items():
        found.people[name] = enrol_person(ledger, name, [role], scripted=True)
    yield found
    ledger.close()


def vessel(hall, name="V-1", **more):
    return register_equipment(
        hall.ledger, name, hall.people["mona"], name="Vessel", kind="vessel", cleaned=True, **more
    )


def balance(hall):
    return register_equipment(
        hall.ledger, "BAL-1", hall.people["mona"], name="Balance", kind="balance", calibrated=True
    )


def test_an_identity_is_given_once_and_by_somebody_who_may(hall):
    first = balance(hall)
    assert balance(hall) == first
    with pytest.raises(InputError):
        register_equipment(hall.ledger, "BAL-1", hall.people["mona"], name="Another", kind="pump")
    for who in ("quin", "anna"):  # who makes the product does not say what is fit to make it with
        with pytest.raises(InputError, match=r"may not do equipment\.register"):
            register_equipment(hall.ledger, "BAL-2", hall.people[who], name="B", kind="balance")
    for wrong in ("", "has space", "x" * 41, "-a"):
        with pytest.raises(InputError, match="cannot be registered"):
            register_equipment(hall.ledger, wrong, hall.people["mona"], name="B", kind="balance")
    with pytest.raises(InputError, match="not above 0"):
        vessel(hall, dirty_hold_h=0)
    assert [item.id for item in equipment_list(hall.ledger)] == ["BAL-1"]
    with pytest.raises(InputError, match="no equipment"):
        find_equipment(hall.ledger, "BAL-2")


def test_a_calibration_holds_to_the_end_of_its_day_and_a_failed_one_ends_it(hall):
    balance(hall)
    mona = hall.people["mona"]
    assert hall.fault("BAL-1") == "equipment.calibration"
    with pytest.raises(InputError, match=r"may not do equipment\.calibrate"):
        calibrate_equipment(hall.ledger, "BAL-1", hall.people["anna"], certificate="C-1", due=NOW.date(), at=hall.now)
    calibrate_equipment(hall.ledger, "BAL-1", mona, certificate="C-1", due=NOW.date(), at=hall.now)
    assert hall.fault("BAL-1") == ""
    hall.later(15.9)
    assert hall.fault("BAL-1") == ""
    hall.later(0.2)
    assert hall.fault("BAL-1") == "equipment.calibration"
    with pytest.raises(InputError, match="before"):
        calibrate_equipment(hall.ledger, "BAL-1", mona, certificate="C-2", due=date(2026, 3, 2), at=hall.now)
    with pytest.raises(InputError, match="certificate"):
        calibrate_equipment(hall.ledger, "BAL-1", mona, certificate=" ", due=date(2027, 3, 2))
    calibrate_equipment(hall.ledger, "BAL-1", mona, certificate="C-2", due=date(2027, 3, 2))
    assert hall.fault("BAL-1") == ""
    calibrate_equipment(hall.ledger, "BAL-1", mona, certificate="C-3", due=date(2027, 3, 2), passed=False)
    assert hall.fault("BAL-1") == "equipment.calibration"


def test_what_is_written_straight_into_the_ledger_calibrates_nothing_until_who_may_has_signed(hall):
    balance(hall)
    anna, mona = hall.people["anna"], hall.people["mona"]
    claimed = {"certificate": "C-9", "due": "2027-03-02", "passed": True}
    memory: dict[str, Any] = {}
    register = Register(hall.ledger, memory)

    def calibrated():
        assert register.find("BAL-1") == find_equipment(hall.ledger, "BAL-1")  # bit by bit or at once
        return hall.fault("BAL-1") == ""

    forged = hall.ledger.append(Draft("equipment.calibrated", "BAL-1", claimed, mona))[0]
    assert not calibrated()
    sign(hall.ledger, anna, forged.digest, "calibration", subject="BAL-1")  # it is not anna's
    assert not calibrated()
    append_signed(hall.ledger, Draft("equipment.calibrated", "BAL-1", claimed, anna), "calibration")  # an operator
    assert not calibrated()
    sign(hall.ledger, mona, forged.digest, "calibration", subject="BAL-1")  # who keeps it takes it as theirs
    assert calibrated()
    assert memory
    assert [(item.actor, signed) for item, signed in uncounted(hall.ledger, "BAL-1")] == [(anna, True)]
    # Nor is it out of service, or in it again, by an event alone; and none that needs no calibration is made so.
    out = {"before": "in_service", "status": "out_of_service"}
    hall.ledger.append(Draft("equipment.status_changed", "BAL-1", out, mona, reason="broken"))
    assert calibrated()
    change_equipment_status(hall.ledger, "BAL-1", "out_of_service", "broken", anna)
    back = {"before": "out_of_service", "status": "in_service"}
    append_signed(hall.ledger, Draft("equipment.status_changed", "BAL-1", back, anna, reason="fine"), "fine")
    assert hall.fault("BAL-1") == "equipment.status"
    fields = {"name": "Balance", "kind": "balance", "calibrated": False, "cleaned": False, "campaign": 1}
    fields |= {"dirty_hold_h": None, "clean_hold_h": None}
    hall.ledger.append(Draft("equipment.registered", "BAL-7", fields, mona))
    with pytest.raises(InputError, match="no equipment"):
        find_equipment(hall.ledger, "BAL-7")
    told = called("equipment", "log", "BAL-1", "--record", hall.ledger.path)
    assert f"equipment.calibrated by {anna}, who had no role for it" in told.out
    assert f"equipment.status_changed by {mona}, without a signature" in told.out


def test_a_vessel_is_clean_once_another_person_has_checked_its_cleaning(hall):
    vessel(hall)
    anna = hall.people["anna"]
    with pytest.raises(InputError, match="not cleaned"):
        check_cleaning(hall.ledger, "V-1", hall.people["bela"])
    clean_equipment(hall.ledger, "V-1", anna, procedure="SOP-7")
    assert hall.fault("V-1") == "equipment.cleaning"
    with pytest.raises(InputError, match="same person"):
        check_cleaning(hall.ledger, "V-1", anna)
    # The same, past the function: an event of who cleaned it checks nothing.
    cleaning = find_equipment(hall.ledger, "V-1").cleanings[-1]
    append_signed(hall.ledger, Draft("equipment.cleaning_checked", "V-1", {"cleaning": cleaning.id}, anna), "checked")
    assert hall.fault("V-1") == "equipment.cleaning"
    assert check_cleaning(hall.ledger, "V-1", hall.people["bela"]).clean
    assert hall.fault("V-1") == ""


def test_a_vessel_is_dirty_for_every_other_batch_and_not_for_its_own(hall):
    vessel(hall)
    hall.clean("V-1")
    hall.use("V-1", "B-1")
    assert hall.fault("V-1", "B-1") == ""
    assert hall.fault("V-1", "B-2") == "equipment.cleaning"
    assert hall.clean("V-1").clean
    assert hall.fault("V-1", "B-2") == ""
    hall.ledger.append(*use_drafts(["V-1"], "B-2", "p", "thing", hall.people["anna"], hall.now))
    with pytest.raises(InputError, match="in use"):
        clean_equipment(hall.ledger, "V-1", hall.people["anna"], procedure="SOP-7")


def test_a_campaign_is_of_one_product_and_ends(hall):
    vessel(hall, campaign=3)
    hall.clean("V-1")
    for batch in ("B-1", "B-2"):
        hall.use("V-1", batch)
    assert hall.fault("V-1", "B-3") == ""
    assert hall.fault("V-1", "B-3", product="other") == "equipment.cleaning"
    hall.use("V-1", "B-3")
    assert hall.fault("V-1", "B-3") == ""
    assert hall.fault("V-1", "B-4") == "equipment.cleaning"


def test_what_stood_dirty_or_clean_for_too_long_is_not_clean(hall):
    vessel(hall, dirty_hold_h=8, clean_hold_h=24)
    hall.clean("V-1")
    hall.later(23.9)
    assert hall.fault("V-1") == ""
    hall.later(0.2)
    assert hall.fault("V-1") == "equipment.clean_hold"
    hall.clean("V-1")
    hall.use("V-1", "B-1")
    hall.later(8.5)
    hall.clean("V-1")
    assert hall.fault("V-1") == "equipment.dirty_hold"
    hall.clean("V-1")  # cleaned again, from clean: it did not wait
    assert hall.fault("V-1") == ""


def test_out_of_service_stops_everything_and_has_a_reason(hall):
    balance(hall)
    calibrate_equipment(hall.ledger, "BAL-1", hall.people["mona"], certificate="C-1", due=date(2027, 1, 1))
    mona = hall.people["mona"]
    for wrong in (("broken", "x"), ("quarantined", " ")):
        with pytest.raises(InputError):
            change_equipment_status(hall.ledger, "BAL-1", *wrong, mona)  # type: ignore[arg-type]
    anna = hall.people["anna"]  # whoever works with it may stop it, and no more
    change_equipment_status(hall.ledger, "BAL-1", "out_of_service", "display dead", anna)
    with pytest.raises(InputError, match=r"may not do equipment\.maintain"):
        change_equipment_status(hall.ledger, "BAL-1", "in_service", "works again", anna)
    found = find_equipment(hall.ledger, "BAL-1").fault(hall.now)
    assert found is not None
    assert "display dead" in found.reason
    assert not found.liftable
    change_equipment_status(hall.ledger, "BAL-1", "in_service", "repaired", mona)
    assert hall.fault("BAL-1") == ""


ACTS = st.lists(st.tuples(st.sampled_from(["use", "clean", "check"]), st.sampled_from(["B-1", "B-2"])), max_size=12)


@pytest.fixture(scope="module")
def yard(tmp_path_factory):
    with open_ledger(tmp_path_factory.mktemp("yard") / "record.db", clock=lambda: NOW) as ledger:
        roles = {"anna": "operator", "bela": "operator", "mona": "metrology"}
        people = {name: enrol_person(ledger, name, [role], scripted=True) for name, role in roles.items()}
        yield Hall(ledger, [NOW], people)


@settings(max_examples=40, deadline=None)
@given(ACTS)
def test_a_vessel_is_free_exactly_where_nothing_of_another_batch_is_in_it(yard, acts):
    """Against a model of one line: what is inside since it was clean, and whether a cleaning waits for its check."""
    name = f"V-{len(equipment_list(yard.ledger)) + 1}"
    vessel(yard, name)
    inside: list[str] = []
    clean = waiting = False
    memory: dict[str, object] = {}
    for number, (act, batch) in enumerate(acts):
        if act == "use":
            yard.use(name, batch, f"p{number}", hours=0)
            inside, waiting = [*inside, batch], False
        elif act == "clean":
            clean_equipment(yard.ledger, name, yard.people["anna"], procedure="SOP-7")
            waiting = True
        elif waiting:
            check_cleaning(yard.ledger, name, yard.people["bela"])
            inside, waiting, clean = [], False, True
        found = Register(yard.ledger, memory).find(name)
        assert isinstance(found, Equipment)
        assert found == equipment_of(yard.ledger, yard.ledger.events(subject=name)).get(
            name
        )  # read bit by bit or at once
        free = set(inside) == {batch} if inside else clean
        assert (found.fault(yard.now, batch, "thing") is None) == free
