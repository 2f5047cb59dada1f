"""Duties and roles, training, and the second pair of eyes."""

import pytest

from seedtrain.base import InputError
from seedtrain.gmp import (
    ADMINISTRATOR,
    DUTIES,
    another_person,
    authorise,
    check_roles,
    duties_of,
    in_service,
    keep_an_administrator,
)
from seedtrain.record import Person, append_signed, enrol_person, open_ledger, retire, set_roles, train
from seedtrain.record._event import Draft
from tests.gmp.made import START

QUALITY = {"batch.release", "quality.approve"}


@pytest.fixture
def ledger(tmp_path):
    with open_ledger(tmp_path / "record.db", clock=lambda: START) as opened:
        yield opened


def enrolled(ledger, name, *roles):
    return enrol_person(ledger, name, roles, scripted=True)


def test_a_duty_is_done_by_its_roles_and_by_nobody_else(ledger):
    roles = sorted({role for allowed in DUTIES.values() for role in allowed})
    actors = {role: enrolled(ledger, role, role) for role in roles}
    for duty, allowed in DUTIES.items():
        for role, actor in actors.items():
            if role in allowed:
                assert authorise(ledger, actor, duty).actor == actor
            else:
                with pytest.raises(InputError, match=f"may not do {duty}"):
                    authorise(ledger, actor, duty)


def test_who_makes_does_not_decide_on_quality():
    """21 CFR 211.22: no role that runs, plans or tests a batch allows to release it or to approve a deviation."""
    for roles in (("operator", "checker", "shift_leader"), ("author", "process_development", "production_management")):
        assert not QUALITY & set(duties_of(Person("p", roles, "", False)))
    for role in ("analyst", "quality_control", "warehouse", ADMINISTRATOR):
        assert not QUALITY & set(duties_of(Person("p", (role,), "", False)))
    assert duties_of(Person("p", (ADMINISTRATOR,), "", False)) == ("person.administer",)
    assert duties_of(Person("p", ("qa",), "", False)) == duties_of(Person("p", ("quality_assurance",), "", False))
    assert duties_of(Person("p", ("gardener",), "", False)) == ()


def test_strangers_the_retired_and_the_untrained_do_nothing(ledger):
    actor = enrolled(ledger, "Wang Fang", "operator")
    with pytest.raises(InputError, match="'person-9' is not enrolled"):
        authorise(ledger, "person-9", "batch.execute")
    with pytest.raises(InputError, match="not trained in filling"):
        authorise(ledger, actor, "batch.execute", "filling")
    train(ledger, actor, "filling", until="2026-03-02T08:00:01Z")
    assert authorise(ledger, actor, "batch.execute", "filling").roles == ("operator",)
    train(ledger, actor, "filling", until="2026-03-02T08:00:00Z")  # lapses this moment
    with pytest.raises(InputError, match="has lapsed"):
        authorise(ledger, actor, "batch.execute", "filling")
    retire(ledger, actor, "left")
    for refuse in (lambda: authorise(ledger, actor, "batch.execute"), lambda: in_service(ledger, actor)):
        with pytest.raises(InputError, match="is retired"):
            refuse()


def test_a_role_that_was_taken_away_allows_nothing_any_more(ledger):
    admin, actor = enrolled(ledger, "Zhao Min", ADMINISTRATOR), enrolled(ledger, "Wang Fang", "quality_assurance")
    set_roles(ledger, actor, ["operator"], "moved", by=admin)
    with pytest.raises(InputError, match=r"may not do batch\.release"):
        authorise(ledger, actor, "batch.release")
    draft = Draft("person.roles_set", actor, {"roles": ["quality_assurance"], "before": []}, actor)
    append_signed(ledger, draft, "change of roles")  # one's own signature gives nothing back
    with pytest.raises(InputError, match=r"may not do batch\.release"):
        authorise(ledger, actor, "batch.release")


def test_another_person_is_another_human_being(ledger):
    one = enrolled(ledger, "Wang Fang", "operator", "quality_assurance")
    again, other = enrolled(ledger, "WANG  fang", "quality_assurance"), enrolled(ledger, "Li Na", "operator")
    another_person(ledger, other, [one, again, "system", "executor"], "the check")
    for actor in (one, again):
        with pytest.raises(InputError, match="the check needs another person than person-1, and"):
            another_person(ledger, actor, [other, one], "the check")
    retire(ledger, one, "left")
    with pytest.raises(InputError, match="the same person"):
        another_person(ledger, again, [one], "the check")
    another_person(ledger, other, [one], "the check")
    with pytest.raises(InputError, match="is retired"):
        another_person(ledger, one, [other], "the check")
    with pytest.raises(InputError, match="not enrolled"):
        another_person(ledger, "executor", [other], "the check")


def test_there_is_always_an_administrator_and_no_misspelt_role(ledger):
    first = enrolled(ledger, "Zhao Min", ADMINISTRATOR)
    with pytest.raises(InputError, match="last administrator"):
        keep_an_administrator(ledger, first)
    keep_an_administrator(ledger, first, [ADMINISTRATOR, "operator"])
    second = enrolled(ledger, "Li Na", ADMINISTRATOR)
    keep_an_administrator(ledger, first)
    retire(ledger, second, "left")
    with pytest.raises(InputError, match="last administrator"):
        keep_an_administrator(ledger, first, ["operator"])
    check_roles(["qa", "operator"])
    with pytest.raises(InputError, match="'opertor': no duty knows such a role"):
        check_roles(["opertor", "qa"])
