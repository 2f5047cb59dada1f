"""Personal data is kept as long as a record needs it, and not erased a day earlier."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.gmp import custody_chain, erase_personal, kept, open_custody, reveal_patient, state_expiry
from seedtrain.gmp._retention import _years
from seedtrain.record import Draft, enrol_person, open_ledger, retire, verify
from tests.gmp.made import RECIPE, Made
from tests.gmp_scenarios.journey import Journey

REASON = ("--reason", "their request of 2026-03-01")


@pytest.fixture
def journey(tmp_path):
    made = Journey(tmp_path, datetime(2026, 3, 2, 8, tzinfo=UTC))
    made.crew(operator="operator", qa="quality_assurance", visitor="operator", author="author")
    made.later(minutes=1)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return made


def refused(answer, words):
    assert answer.code == 2, answer.words
    assert words in answer.words


def test_who_signed_nothing_is_erased_at_once_when_retired_and_the_rest_waits_for_the_record(journey):
    refused(journey.signed("person-1", "person", "erase", "person-4", *REASON), "is in service")
    journey.done("person-1", "person", "retire", "person-4", "--reason", "left")
    found = journey.done("person-1", "person", "erase", "person-4", *REASON)
    assert found["erased"] == ["name", "data"]
    rows = {row["person"]: row["name"] for row in journey.done(None, "person", "list")}
    assert (rows["person-4"], rows["person-2"]) == (None, "The operator")
    assert journey.done(None, "record", "verify", journey.record)["verdict"] == "pass"


def test_a_signers_name_is_not_erased_within_the_retention_of_what_they_signed(journey):
    row = journey.done("person-5", "recipe", "submit", journey.folder / "recipe.yaml")
    journey.done("person-1", "person", "retire", "person-5", "--reason", "left")
    refused(journey.signed("person-1", "person", "erase", "person-5", *REASON), "its expiry is not known")
    state = ("retention", "state", row["digest"], "--expiry", "2027-03-02", "--reason", "last batch made with it")
    refused(journey.signed("person-1", *state), "may not do quality.approve")
    (stated,) = journey.done("person-3", *state)
    assert (stated["record_class"], stated["until"]) == ("other", "2031-03-02")  # five years after the last event
    refused(journey.signed("person-1", "person", "erase", "person-5", *REASON), "until 2031-03-02")
    (same,) = journey.done(None, "retention", "check", "person-5")
    assert same == stated
    journey.clock = datetime(2031, 3, 2, 23, tzinfo=UTC)
    password = journey.passwords["person-1"]
    new = "nine lazy dogs in a row"
    assert journey.run("person", "password", "person-1", secrets=(password, new, new)).code == 0
    journey.passwords["person-1"] = new
    refused(journey.signed("person-1", "person", "erase", "person-5", *REASON), "until 2031-03-02")
    journey.later(hours=1)
    assert journey.done("person-1", "person", "erase", "person-5", *REASON)["erased"] == ["name", "data"]
    assert journey.done(None, "record", "verify", journey.record)["verdict"] == "pass"


def test_a_patient_is_known_for_thirty_years_after_expiry_and_then_can_be_erased(tmp_path):
    """Regulation (EC) 1394/2007 Art. 15. The chain still verifies, and the person behind the token is gone."""
    now = [datetime(2026, 3, 2, 8, tzinfo=UTC)]
    with open_ledger(tmp_path / "record.db", clock=lambda: now[0]) as ledger:
        roles = ("administrator", "courier", "quality_assurance")
        admin, courier, quality = (enrol_person(ledger, role, [role], scripted=True) for role in roles)
        chain = open_custody(ledger, courier, patient="Xu Wenqing, 1961-04-01", product="CAR-T", place="clinic")

        def erase():
            return erase_personal(ledger, chain.token, contact_only=False, reason="their request", by=admin)

        with pytest.raises(InputError, match="its expiry is not known"):
            erase()
        stated = state_expiry(ledger, chain.code, date(2026, 3, 4), reason="48 h of shelf life", by=quality)
        assert (stated.record_class, stated.until) == ("traceability", date(2056, 3, 4))
        now[0] = datetime(2056, 3, 4, 23, tzinfo=UTC)
        with pytest.raises(InputError, match="until 2056-03-04"):
            erase()
        assert reveal_patient(ledger, chain.code, courier, "a call") == "Xu Wenqing, 1961-04-01"
        now[0] = datetime(2056, 3, 5, tzinfo=UTC)
        erase()
        assert reveal_patient(ledger, chain.code, courier, "a call") is None
        assert custody_chain(ledger, chain.code) == chain
        retire(ledger, courier, "left")
        state_expiry(ledger, chain.code, date(2027, 3, 4), reason="a typing error before", by=quality)
        with pytest.raises(InputError, match="until 2057-03-04"):  # the courier signed the chain
            erase_personal(ledger, courier, contact_only=False, reason="their request", by=admin)
    assert verify(tmp_path / "record.db").verdict == "pass"


def test_a_lot_is_kept_as_long_as_the_batch_that_took_it(tmp_path):
    made = Made.in_folder(tmp_path)
    made.run()
    quality = made.people["qa"]
    assert kept(made.ledger, "SUGAR-1").why == "taken by B-1, whose expiry is not known"
    state_expiry(made.ledger, "B-1", date(2049, 5, 1), reason="stability", by=quality)
    assert kept(made.ledger, "B-1").until == date(2050, 5, 1)
    assert kept(made.ledger, "SUGAR-1").until == date(2050, 5, 1)  # its own expiry is 2030
    state_expiry(made.ledger, "B-1", date(2027, 5, 1), reason="a typing error before", by=quality)
    batch, lot = (kept(made.ledger, record).until for record in ("B-1", "SUGAR-1"))
    assert batch is not None
    assert lot == max(date(2031, 1, 1), batch)
    made.ledger.append(Draft("retention.stated", "B-1", {"expiry": "2020-01-01"}, quality))  # nobody signed it
    assert kept(made.ledger, "B-1").until == batch
    made.ledger.close()


def test_contact_data_belongs_to_no_record_and_goes_at_any_time(journey):
    answer = journey.signed("person-1", "person", "contact", "person-2", "telephone", more=("+86 21 5555 0199",))
    assert answer.code == 0
    assert journey.done(None, "person", "show", "person-2")["contact"] == {"telephone": "+86 21 5555 0199"}
    refused(journey.signed("person-2", "person", "contact", "person-3", "telephone", more=("1",)), "person.administer")
    assert journey.done("person-1", "person", "erase", "person-2", "--contact", *REASON)["erased"] == ["data"]
    shown = journey.done(None, "person", "show", "person-2")
    assert (shown["contact"], shown["name"]) == ({}, "The operator")
    refused(journey.signed("person-1", "person", "erase", "person-1", "--contact", *REASON), "another person")
    refused(journey.signed("person-3", "person", "erase", "person-2", "--contact", *REASON), "person.administer")
    refused(journey.signed("person-1", "person", "erase", "patient-nobody", *REASON), "knows no")


def test_rules_are_lengthened_and_never_shortened(journey):
    words = ("retention", "set", "traceability", "--after-last", "0", "--reason", "SOP 17", "--after-expiry")
    refused(journey.signed("person-3", *words, "29"), "29 and 0 years are less than 30 and 0")
    refused(journey.signed("person-2", *words, "40"), "may not do quality.approve")
    assert journey.done("person-3", *words, "40")["after_expiry"] == 40
    rules = {row["record_class"]: row for row in journey.done(None, "retention", "rules")}
    assert (rules["traceability"]["after_expiry"], rules["batch"]["after_expiry"]) == (40, 1)
    assert "1394/2007" in rules["traceability"]["source"]
    assert "有效期后 40 年" in journey.said("retention", "rules", "--lang", "zh")


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(0, 60))
def test_years_later_is_never_earlier_than_the_calendar_says(day, years):
    later = _years(day, years)
    assert later.year == day.year + years
    assert (later.month, later.day) == (day.month, day.day) or (day.month, day.day) == (2, 29)
    assert later - day >= timedelta(days=365 * years)
