"""Deviations and CAPAs: nothing closes without its signatures, its answers and another person."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.gmp import (
    add_action,
    approve_capa,
    assess_deviation,
    check_effect,
    classify_deviation,
    close_capa,
    close_deviation,
    deviations,
    find_capa,
    find_deviation,
    finish_action,
    investigate_deviation,
    link_capa,
    open_capa,
    open_review,
    overdue,
    raise_deviation,
    release_verdict,
)
from seedtrain.gmp._quality._capa import capa_of
from seedtrain.record import Draft, Event, append_signed, enrol_person
from tests.gmp.made import BATCH, START

ANSWERS: dict[str, Any] = {"impact": "none", "cause": "worn seal", "action": "seal replaced"}
CAPA: dict[str, Any] = {"cause": "wear", "criterion": "no case in 10 batches", "check_due": "2099-09-01"}


@pytest.fixture
def done(made):
    made.run().results()
    made.people["qa2"] = enrol_person(made.ledger, "The second qa", ["qa"], scripted=True)
    return made


def opened(made, who="operator", **more):
    return raise_deviation(made.ledger, BATCH, "a vial fell", made.people[who], at=made.clock, **more).name


def test_a_deviation_of_a_person_holds_the_batch_until_another_closes_it(done):
    name = opened(done)
    assert opened(done) == name == f"{BATCH}-DEV-01"  # the same words are one deviation
    done.review()
    assert done.decide().decision == "on_hold"
    with pytest.raises(InputError, match="lacks a classification"):
        close_deviation(done.ledger, BATCH, name, **ANSWERS, actor=done.people["qa"])
    classify_deviation(done.ledger, name, "minor", "one vial of 200", done.people["qc"])
    close_deviation(done.ledger, BATCH, name, **ANSWERS, actor=done.people["qa"])
    assert find_deviation(done.ledger, name).closed
    done.review()
    assert done.decide().decision == "released"


def test_a_major_one_needs_investigation_disposition_and_capa(done):
    name = opened(done)
    qc, qa = done.people["qc"], done.people["qa"]

    def refused(words):
        with pytest.raises(InputError, match=words):
            close_deviation(done.ledger, BATCH, name, **ANSWERS, actor=qa)

    classify_deviation(done.ledger, name, "major", "sterility", qc)
    refused("an investigation, the disposition of the product, a CAPA")
    investigate_deviation(done.ledger, name, findings="the rack was loose", cause="no latch", actor=qc)
    refused("lacks the disposition of the product, a CAPA")
    assess_deviation(done.ledger, name, impact="none: the vial was discarded", disposition="use", actor=qc)
    refused("lacks a CAPA")
    with pytest.raises(InputError, match="no CAPA 'CAPA-009'"):
        link_capa(done.ledger, name, qc, capa="CAPA-009")
    link_capa(done.ledger, name, qc, capa=open_capa(done.ledger, "latches", qc, **CAPA).name)
    with pytest.raises(InputError, match="needs another person"):
        close_deviation(done.ledger, BATCH, name, **ANSWERS, actor=qc_as_qa(done, qc))
    close_deviation(done.ledger, BATCH, name, action="rack repaired", actor=qa)  # impact and cause as stated
    assert find_deviation(done.ledger, name).closed
    done.review()
    assert "CAPA-001 of B-1-DEV-01 has no approved plan" in done.decide().reasons
    add_action(done.ledger, "CAPA-001", qc, kind="corrective", words="latch", owner=qc, due="2099-04-01")
    approve_capa(done.ledger, "CAPA-001", qa)
    assert done.decide().decision == "released"


def qc_as_qa(done, qc):
    """The investigator under a second identity of the same name."""
    return enrol_person(done.ledger, "The qc", ["qa"], scripted=True)


def test_who_ran_any_phase_does_not_close_a_deviation_of_the_whole_batch(done):
    both = enrol_person(done.ledger, "Operator and qa", ["operator", "qa"], scripted=True)
    done.value("production/main/grow", "remark", "noted", kind="entry", who=both)
    name = opened(done)
    with pytest.raises(InputError, match="ran the batch"):
        close_deviation(done.ledger, BATCH, name, **ANSWERS, classification="minor", actor=both)


def test_a_product_that_is_disposed_of_is_not_released(done):
    name = opened(done)
    given: dict[str, Any] = {"classification": "minor", "disposition": "rework", "actor": done.people["qa"]}
    close_deviation(done.ledger, BATCH, name, **ANSWERS, **given)
    done.review()
    assert any("disposes of the product: rework" in reason for reason in done.decide().reasons)


def test_what_is_stated_after_the_closing_opens_it_again(done):
    name = opened(done)
    close_deviation(done.ledger, BATCH, name, **ANSWERS, classification="minor", actor=done.people["qa"])
    with pytest.raises(InputError, match="is closed"):
        classify_deviation(done.ledger, name, "critical", "it was the product", done.people["qc"])
    payload = {"deviation": name, "classification": "critical", "due": "2026-04-01"}
    draft = Draft("deviation.classified", BATCH, payload, done.people["qc"], reason="past the rules")
    append_signed(done.ledger, draft, "classification")
    assert not find_deviation(done.ledger, name).closed
    done.review()
    assert done.decide().decision == "on_hold"


def test_a_deviation_concerns_other_batches_and_lots_too(done):
    done.batch = "B-2"
    done.run().results()
    done.review()
    assert release_verdict(done.ledger, "B-2").verdict == "pass"
    done.batch = BATCH
    name = opened(done, linked=("B-2", "SUGAR-1"))
    verdict = release_verdict(done.ledger, "B-2")
    assert any(reason.startswith(f"{name} is not closed") for reason in verdict.evidence)
    assert any("older than the last event" in reason for reason in verdict.evidence)
    (shown,) = [item.item for item in open_review(done.ledger, "B-2").exceptions if item.item.kind == "deviation"]
    assert shown.words == f"{name} (open): a vial fell"
    with pytest.raises(InputError, match="knows no batch or lot 'B-9'"):
        opened(done, who="qc", linked=("B-9",))


def test_a_deviation_of_the_site_needs_no_batch(done):
    item = raise_deviation(done.ledger, "site", "the store was at 9 degC", done.people["qc"], at=done.clock)
    assert (item.name, item.due) == ("site-DEV-01", "2026-04-01")
    assert [row.name for row in overdue(done.ledger, "2026-04-02")] == ["site-DEV-01"]
    assert overdue(done.ledger, "2026-04-01") == ()


def test_a_capa_from_its_opening_to_its_end(done):
    qc, qa, operator = (done.people[name] for name in ("qc", "qa", "operator"))
    ledger = done.ledger
    name = open_capa(ledger, "latches", qc, **CAPA).name
    assert open_capa(ledger, "latches", qc, **CAPA).name == name
    with pytest.raises(InputError, match="no action to approve"):
        approve_capa(ledger, name, qa)
    action: dict[str, Any] = {"kind": "preventive", "words": "latch", "owner": operator, "due": "2099-04-01"}
    with pytest.raises(InputError, match="not a date"):
        add_action(ledger, name, qc, **{**action, "due": "soon"})
    add_action(ledger, name, qc, **action)
    with pytest.raises(InputError, match="not approved"):
        finish_action(ledger, name, 1, "order 7", operator)
    with pytest.raises(InputError, match=r"may not do quality\.approve"):
        approve_capa(ledger, name, qc)
    approve_capa(ledger, name, qa)
    assert [(row.due, row.words) for row in overdue(ledger, "2100-01-01")] == [
        ("2099-04-01", "preventive action 1"),
        ("2099-09-01", "effectiveness check"),
    ]
    with pytest.raises(InputError, match=f"is {operator}'s"):
        finish_action(ledger, name, 1, "order 7", qa)
    with pytest.raises(InputError, match="not every action is done"):
        check_effect(ledger, name, qc, effective=True, evidence="none seen")
    finish_action(ledger, name, 1, "order 7", operator)
    assert check_effect(ledger, name, qc, effective=False, evidence="2 cases").state == "ineffective"
    with pytest.raises(InputError, match="not effective"):
        close_capa(ledger, name, qa)
    add_action(ledger, name, qc, **{**action, "words": "another latch"})
    assert find_capa(ledger, name).state == "open"  # a plan that grew is approved anew
    approve_capa(ledger, name, qa)
    finish_action(ledger, name, 2, "order 8", operator)
    check_effect(ledger, name, qc, effective=True, evidence="none in 10 batches")
    assert close_capa(ledger, name, qa).state == "closed"
    assert close_capa(ledger, name, qa).closed_by == qa
    with pytest.raises(InputError, match="is closed"):
        add_action(ledger, name, qc, **action)
    assert overdue(ledger, "2100-01-01") == ()


def test_a_capa_is_due_in_the_days_to_come_and_follows_from_what_there_is(done):
    qc, ledger = done.people["qc"], done.ledger
    deviation = opened(done)
    for due in ("2026-02-28", "1999-01-01"):
        with pytest.raises(InputError, match="which is past: today is 2026-03-02"):
            open_capa(ledger, "latches", qc, **CAPA | {"check_due": due}, at=START)
    for wrong in ("B-1-DEV-99", "B-9-OOS-01", "a hunch", "rumour: heard it", "complaint:", "complaint: "):
        with pytest.raises(InputError, match=r"the ledger has no deviation|says nothing"):
            open_capa(ledger, "latches", qc, **CAPA, sources=[wrong])
    assert list(ledger.events(type="capa.opened")) == []
    sources = [deviation, "Complaint:hospital A, 2 vials broken", deviation]
    found = open_capa(ledger, "latches", qc, **CAPA | {"check_due": "2026-03-02"}, sources=sources, at=START)
    assert found.sources == (deviation, "complaint: hospital A, 2 vials broken")
    again = open_capa(ledger, "latches", qc, **CAPA | {"check_due": "2026-03-02"}, sources=sources)  # the day is past
    assert again.name == found.name
    assert open_capa(ledger, "more", qc, **CAPA, sources=[found.name]).sources == (found.name,)  # it had no effect
    action: dict[str, Any] = {"kind": "preventive", "words": "latch", "owner": qc, "due": "2026-03-02"}
    with pytest.raises(InputError, match="the action is due on 2026-03-01"):
        add_action(ledger, found.name, qc, **action | {"due": "2026-03-01"}, at=START)
    add_action(ledger, found.name, qc, **action, at=START)
    assert len(add_action(ledger, found.name, qc, **action).actions) == 1


PEOPLE = ("person-1", "person-2", "person-3")


def event(seq, type, subject, payload, actor):
    return Event(
        seq, "", f"id{seq}", type, subject, "2026-03-02T08:00:00.000000Z", "2026-03-02T08:00:00.000000Z", actor, None,
        payload, None, None, digest=f"{seq:064x}", body=b"",
    )  # fmt: skip


def story(kinds, subject):
    """Any order of steps by anybody, each signed, unsigned, or signed by somebody else."""
    events: list[Event] = []
    for type, payload, actor, signer in kinds:
        seq = len(events) + 1
        events.append(event(seq, type, subject, payload, actor))
        if signer is not None:
            over = {"record_digest": f"{seq:064x}", "meaning": "x"}
            events.append(event(seq + 1, "signature.applied", subject, over, signer))
    return events


def spoilt(perfect, others):
    """The perfect story with steps left out, taken by somebody else, unsigned, or strange ones put between."""

    def step(item):
        kind, payload, who = item
        kept = st.just([(kind, payload, who, who)])
        faults = st.one_of(
            st.just([]),
            st.sampled_from(PEOPLE).map(lambda other: [(kind, payload, other, other)]),
            st.sampled_from([None, *PEOPLE]).map(lambda signer: [(kind, payload, who, signer)]),
            others.map(lambda other: [(*other, "person-3", "person-3"), (kind, payload, who, who)]),
            others.map(lambda other: [(kind, payload, who, who), (*other, "person-2", "person-2")]),
        )
        return st.integers(0, 5).flatmap(lambda number: faults if number == 0 else kept)

    return st.tuples(*map(step, perfect)).map(lambda parts: [item for part in parts for item in part])


TEXT = st.sampled_from(["", " ", "words"])
DEVIATION = "B-1-DEV-01"
STEPS = st.one_of(
    st.tuples(
        st.just("deviation.classified"),
        st.fixed_dictionaries({"classification": st.sampled_from(["minor", "major", "critical"])}),
    ),
    st.tuples(st.just("deviation.investigated"), st.fixed_dictionaries({"findings": TEXT, "cause": TEXT})),
    st.tuples(
        st.just("deviation.assessed"),
        st.fixed_dictionaries({"impact": TEXT, "disposition": st.sampled_from(["use", "reject"])}),
    ),
    st.tuples(st.just("deviation.capa_linked"), st.fixed_dictionaries({"capa": TEXT, "no_capa": TEXT})),
    st.tuples(st.just("deviation.closed"), st.fixed_dictionaries({"impact": TEXT, "cause": TEXT, "action": TEXT})),
)


PERFECT = [
    ("deviation.classified", {"classification": "major"}, "person-2"),
    ("deviation.investigated", {"findings": "x", "cause": "x"}, "person-2"),
    ("deviation.assessed", {"impact": "x", "disposition": "use"}, "person-2"),
    ("deviation.capa_linked", {"capa": "", "no_capa": "x"}, "person-2"),
    ("deviation.closed", {"impact": "x", "cause": "x", "action": "x"}, "person-3"),
]


@settings(max_examples=300)
@given(spoilt(PERFECT, STEPS))
def test_no_deviation_is_closed_without_its_signature_and_another_person(steps):
    head = ("deviation.opened", {"deviation": DEVIATION, "words": "x", "phase": ""}, "person-1", None)
    kinds = [head] + [(kind, {"deviation": DEVIATION, **payload}, who, by) for kind, payload, who, by in steps]
    (found,) = deviations(story(kinds, "B-1"))
    if not found.closed:
        assert [(kind, payload, who) for kind, payload, who, _by in steps] != PERFECT or any(
            who != by for _kind, _payload, who, by in steps
        )
        return
    signed = [(kind, payload, who) for kind, payload, who, by in kinds[1:] if by == who]
    closings = [index for index, item in enumerate(signed) if item[0] == "deviation.closed"]
    assert closings
    assert closings[-1] == len(signed) - 1  # nothing signed came after it
    _kind, payload, closer = signed[-1]
    assert closer != "person-1"  # the opener
    assert closer not in {who for kind, _p, who in signed if kind == "deviation.investigated"}
    assert all(payload[name].strip() for name in ("impact", "cause", "action"))
    classes = [item[1]["classification"] for item in signed if item[0] == "deviation.classified"]
    assert classes
    if classes[-1] != "minor":
        assert any(kind == "deviation.investigated" for kind, _p, _w in signed)
        assert any(kind == "deviation.assessed" for kind, _p, _w in signed)
        assert any(kind == "deviation.capa_linked" for kind, _p, _w in signed)


ACTION = {"action_kind": "corrective", "words": "x", "owner": "person-2", "due": "2026-04-01"}
CAPA_STEPS = st.sampled_from(
    [
        ("capa.action_added", ACTION),
        ("capa.approved", {}),
        ("capa.action_done", {"action": 1, "evidence": "seen"}),
        ("capa.effect_checked", {"effective": True, "evidence": "seen"}),
        ("capa.effect_checked", {"effective": False, "evidence": "seen"}),
        ("capa.closed", {}),
    ]
)


PERFECT_CAPA = [
    ("capa.action_added", ACTION, "person-1"),
    ("capa.approved", {}, "person-3"),
    ("capa.action_done", {"action": 1, "evidence": "seen"}, "person-2"),
    ("capa.effect_checked", {"effective": True, "evidence": "seen"}, "person-1"),
    ("capa.closed", {}, "person-3"),
]


@settings(max_examples=300)
@given(spoilt(PERFECT_CAPA, CAPA_STEPS))
def test_no_capa_is_closed_but_after_approval_action_and_effect_in_this_order(steps):
    opening = {"title": "x", "sources": [], "cause": "x", "criterion": "x", "check_due": "2026-09-01"}
    kinds = [("capa.opened", opening, "person-1", "person-1")]
    kinds += steps
    found = capa_of(story(kinds, "CAPA-001"))
    assert found is not None
    if found.state != "closed":
        assert [(kind, payload, who) for kind, payload, who, _by in steps] != PERFECT_CAPA or any(
            who != by for _kind, _payload, who, by in steps
        )
        return
    signed = [(kind, who) for kind, _payload, who, by in kinds if by == who]
    names = [kind for kind, _who in signed]
    order = [names.index("capa.action_added"), names.index("capa.approved")]
    order += [names.index("capa.action_done", order[-1]), names.index("capa.effect_checked", order[-1])]
    assert order == sorted(order)
    assert found.closed_by == "person-3"  # neither who opened it, nor the owner
    assert found.approved_by == "person-3"


def test_any_single_fault_of_the_perfect_stories_leaves_them_open():
    """Each step left out, unsigned, signed by another; the closing by everybody who may not."""

    def deviation(steps):
        head = ("deviation.opened", {"deviation": DEVIATION, "words": "x", "phase": ""}, "person-1", None)
        kinds = [head] + [(kind, {"deviation": DEVIATION, **payload}, who, by) for kind, payload, who, by in steps]
        return deviations(story(kinds, "B-1"))[0].closed

    def capa(steps):
        opening = {"title": "x", "sources": [], "cause": "x", "criterion": "x", "check_due": "2026-09-01"}
        found = capa_of(story([("capa.opened", opening, "person-1", "person-1"), *steps], "CAPA-001"))
        return found is not None and found.state == "closed"

    for perfect, ended in ((PERFECT, deviation), (PERFECT_CAPA, capa)):
        whole = [(kind, payload, who, who) for kind, payload, who in perfect]
        assert ended(whole)
        for place, (kind, payload, who) in enumerate(perfect):
            before, after = whole[:place], whole[place + 1 :]
            assert not ended([*before, *after]), kind
            for signer in (None, *(set(PEOPLE) - {who})):
                assert not ended([*before, (kind, payload, who, signer), *after]), (kind, signer)
        for barred in ("person-1", "person-2"):  # opener; investigator, or owner of an action
            kind, payload, _who = perfect[-1]
            assert not ended([*whole[:-1], (kind, payload, barred, barred)]), (kind, barred)
