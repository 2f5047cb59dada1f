"""A master recipe's life: no way around the signatures, whatever is commanded and whatever stands in the ledger."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.gmp import (
    LedgerPermit,
    approval,
    approve_change,
    approve_recipe,
    assess_change,
    change_requests,
    close_change,
    find_recipe,
    fold_life,
    implement_change,
    make_effective,
    open_change,
    recipe_versions,
    retire_recipe,
    review_recipe,
    sign_approval,
    submit_recipe,
)
from seedtrain.gmp._master._life import MEANINGS
from seedtrain.recipe import PermitRequest
from seedtrain.record import Draft, append_signed, enrol_person, open_ledger, sign, timestamp
from tests.gmp.made import RECIPE, START, Made, control_recipe

NAMES = {
    "author": ("Wang Fang", ["author", "reviewer", "production_management"]),
    "again": ("wang  FANG", ["quality_assurance"]),  # the author's second identity
    "reviewer": ("Li Na", ["reviewer"]),
    "head": ("Zhao Min", ["production_management"]),
    "qa": ("Chen Jie", ["quality_assurance"]),
    "operator": ("Sun Li", ["operator"]),
}
FEW = settings(max_examples=30)


class Clock:
    now = START

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ledger(tmp_path, clock):
    with open_ledger(tmp_path / "record.db", clock=clock) as opened:
        yield opened


@pytest.fixture
def crew(ledger):
    return people_of(ledger)


def people_of(ledger):
    return {word: enrol_person(ledger, name, roles, scripted=True) for word, (name, roles) in NAMES.items()}


def version(number, limits="6.8 .. 7.2"):
    return control_recipe(RECIPE.replace('version: "1"', f'version: "{number}"').replace("6.8 .. 7.2", limits))


def approved(ledger, crew, control, author="author"):
    submit_recipe(ledger, control, crew[author])
    review_recipe(ledger, control.digest, crew["reviewer"], comment="read")
    sign_approval(ledger, control.digest, crew["head"])
    return sign_approval(ledger, control.digest, crew["qa"])


def change(ledger, crew, about="short"):
    found = open_change(ledger, crew["author"], "recipe", about, proposal="wider pH", reason="trend")
    assess_change(ledger, found.change, crew["head"], impact="none on the product", risk="low")
    return approve_change(ledger, found.change, crew["qa"], comment="as assessed")


def state(ledger, control):
    return find_recipe(ledger, control.digest).state(timestamp(ledger.now))


def test_the_whole_way(ledger, crew, clock):
    control = version(1)
    found = submit_recipe(ledger, control, crew["author"])
    assert (state(ledger, control), found.effective) == ("draft", False)
    assert "a draft, not effective" in found.objection(found.at)
    review_recipe(ledger, control.digest, crew["reviewer"], comment="read")
    assert state(ledger, control) == "reviewed"
    sign_approval(ledger, control.digest, crew["head"])
    assert state(ledger, control) == "reviewed"
    assert not sign_approval(ledger, control.digest, crew["qa"]).effective
    assert state(ledger, control) == "approved"
    found = make_effective(ledger, control.digest, crew["qa"], start=clock.now + timedelta(days=2))
    assert (state(ledger, control), found.effective) == ("approved", False)
    clock.now += timedelta(days=2)
    now = approval(ledger, control.digest)
    assert now is not None
    assert now.effective
    assert now.control == control
    assert now.signers == (crew["author"], crew["head"], crew["qa"])
    assert not retire_recipe(ledger, control.digest, crew["qa"], "wrong limit").effective
    assert state(ledger, control) == "retired"


def test_every_step_may_be_repeated(ledger, crew):
    control = version(1)
    steps = [
        lambda: submit_recipe(ledger, control, crew["author"]),
        lambda: review_recipe(ledger, control.digest, crew["reviewer"], comment="read"),
        lambda: sign_approval(ledger, control.digest, crew["head"]),
        lambda: sign_approval(ledger, control.digest, crew["qa"]),
        lambda: make_effective(ledger, control.digest, crew["qa"]),
        lambda: retire_recipe(ledger, control.digest, crew["qa"], "wrong limit"),
    ]
    for step in steps:
        step()
        head = ledger.head.seq
        step()
        assert ledger.head.seq == head


@pytest.mark.parametrize("who", ["author", "again"])
def test_the_author_neither_reviews_nor_approves_through_whatever_role_or_identity(ledger, crew, who):
    control = version(1)
    submit_recipe(ledger, control, crew["author"])
    with pytest.raises(InputError, match="needs another person than person-1"):
        review_recipe(ledger, control.digest, crew[who], comment="fine")
    review_recipe(ledger, control.digest, crew["reviewer"], comment="read")
    with pytest.raises(InputError, match="needs another person than person-1"):
        sign_approval(ledger, control.digest, crew[who])


def test_two_approvals_are_two_peoples_and_one_is_of_quality(ledger, crew):
    control = version(1)
    submit_recipe(ledger, control, crew["author"])
    with pytest.raises(InputError, match="after its review"):
        sign_approval(ledger, control.digest, crew["qa"])
    review_recipe(ledger, control.digest, crew["reviewer"], comment="read")
    with pytest.raises(InputError, match=r"may not do recipe\.approve"):
        sign_approval(ledger, control.digest, crew["reviewer"])
    sign_approval(ledger, control.digest, crew["head"])
    twin = enrol_person(ledger, "ZHAO min", ["quality_assurance"], scripted=True)
    with pytest.raises(InputError, match="the same person"):
        sign_approval(ledger, control.digest, twin)
    other = enrol_person(ledger, "Hu Bo", ["production_management"], scripted=True)
    with pytest.raises(InputError, match="nobody of the quality unit"):
        sign_approval(ledger, control.digest, other)
    with pytest.raises(InputError, match="1 of 2 approvals"):
        make_effective(ledger, control.digest, crew["qa"])


def test_a_returned_draft_is_at_its_end_and_a_version_is_one_text(ledger, crew):
    control = version(1)
    submit_recipe(ledger, control, crew["author"])
    with pytest.raises(InputError, match="no words"):
        review_recipe(ledger, control.digest, crew["reviewer"], comment=" ", accept=False)
    review_recipe(ledger, control.digest, crew["reviewer"], comment="pH too wide", accept=False)
    assert state(ledger, control) == "returned"
    with pytest.raises(InputError, match="is returned"):
        sign_approval(ledger, control.digest, crew["qa"])
    with pytest.raises(InputError, match="with another content"):
        submit_recipe(ledger, version(1, "6.9 .. 7.1"), crew["author"])
    submit_recipe(ledger, version(2, "6.9 .. 7.1"), crew["author"])
    assert [life.state("9") for life in recipe_versions(ledger)] == ["returned", "draft"]


def test_a_version_that_replaces_another_needs_an_approved_change_of_that_recipe(ledger, crew, clock):
    one, two = version(1), version(2, "6.7 .. 7.3")
    approved(ledger, crew, one)
    make_effective(ledger, one.digest, crew["qa"])
    approved(ledger, crew, two)
    with pytest.raises(InputError, match="names no change request"):
        make_effective(ledger, two.digest, crew["qa"])
    retire_recipe(ledger, one.digest, crew["qa"], "no way around")
    with pytest.raises(InputError, match="names no change request"):
        make_effective(ledger, two.digest, crew["qa"])
    raw = {"recipe": "short", "from": timestamp(clock.now), "replaces": [one.digest], "change": None}
    append_signed(ledger, Draft("recipe.made_effective", two.digest, raw, crew["qa"]), "effective")
    assert state(ledger, two) == "approved"
    waiting = open_change(ledger, crew["author"], "recipe", "short", proposal="wider pH", reason="trend")
    with pytest.raises(InputError, match="CC-1 is open, not approved"):
        make_effective(ledger, two.digest, crew["qa"], change=waiting.change)
    other = change(ledger, crew, "another recipe")
    with pytest.raises(InputError, match="not about the recipe short"):
        make_effective(ledger, two.digest, crew["qa"], change=other.change)
    with pytest.raises(InputError, match="no change request 'CC-9'"):
        make_effective(ledger, two.digest, crew["qa"], change="CC-9")
    assess_change(ledger, waiting.change, crew["head"], impact="none", risk="low")
    approve_change(ledger, waiting.change, crew["qa"], comment="as assessed")
    found = make_effective(ledger, two.digest, crew["qa"], change=waiting.change)
    assert found.effective
    assert found.life is not None
    assert found.life.change == "CC-1"
    assert change_requests(ledger)[0].made == (two.digest,)


def test_one_version_is_effective_at_a_time_and_a_running_batch_goes_on_with_its_own(tmp_path):
    clock = Clock()
    made = Made(open_ledger(tmp_path / "record.db", clock=clock), approved=False).prepared()
    crew, (one, two) = people_of(made.ledger), (version(1), version(2, "6.7 .. 7.3"))
    approved(made.ledger, crew, one)
    make_effective(made.ledger, one.digest, crew["qa"])
    made.control, made.clock = one, clock.now + timedelta(hours=1)
    made.create()
    approved(made.ledger, crew, two)
    ready = change(made.ledger, crew)
    make_effective(made.ledger, two.digest, crew["qa"], start=clock.now + timedelta(days=1), change=ready.change)

    def ask(control, batch):
        request = PermitRequest(batch, "seed/expansion/thaw", "F", (), made.clock)
        return LedgerPermit(made.ledger, control).check(request)

    for days, states in ((0, ("effective", "approved")), (1, ("superseded", "effective"))):
        clock.now = START + timedelta(days=days, minutes=1)
        assert (state(made.ledger, one), state(made.ledger, two)) == states
        assert ask(one, "B-1") is None  # begun while it was effective
    made.batch, made.clock = "B-2", clock.now
    made.create()
    assert "was superseded on 2026-03-03" in ask(one, "B-2").reason
    made.batch, made.control = "B-3", two
    made.create()
    assert ask(two, "B-3") is None
    retire_recipe(made.ledger, two.digest, crew["qa"], "wrong limit")
    assert "is retired" in ask(two, "B-3").reason
    made.ledger.close()


def test_the_short_way_is_for_scripts(ledger, crew):
    person = enrol_person(ledger, "Real Person", ["quality_assurance"], password="four quick brown foxes")  # noqa: S106
    with pytest.raises(InputError, match="is a real person"):
        approve_recipe(ledger, version(1), author=crew["author"], approver=person)
    assert approve_recipe(ledger, version(1), author=crew["author"], approver=crew["qa"]).effective
    with pytest.raises(InputError, match="by a simulated program"):
        sign_approval(ledger, version(1).digest, crew["qa"])


def test_change_control_in_its_order(ledger, crew):
    found = open_change(ledger, crew["operator"], "equipment", "R-101", proposal="new probe", reason="drift")
    assert open_change(ledger, crew["operator"], "equipment", "R-101", proposal="new probe", reason="drift") == found
    name = found.change
    with pytest.raises(InputError, match="CC-1 is open"):
        approve_change(ledger, name, crew["qa"], comment="fine")
    with pytest.raises(InputError, match=r"may not do change\.assess"):
        assess_change(ledger, name, crew["operator"], impact="none", risk="low")
    assess_change(ledger, name, crew["qa"], impact="calibrate", risk="low")
    with pytest.raises(InputError, match="needs another person"):  # alone in the assessment, too
        approve_change(ledger, name, crew["qa"], comment="fine")
    assess_change(ledger, name, crew["head"], impact="one day of downtime", risk="medium")
    with pytest.raises(InputError, match="CC-1 is assessed"):
        implement_change(ledger, name, crew["operator"], done="probe changed")
    approve_change(ledger, name, crew["qa"], comment="fine")
    implement_change(ledger, name, crew["operator"], done="probe changed")
    found = close_change(ledger, name, crew["again"], outcome="no drift in a month")
    assert (found.state, found.closed_by, len(found.assessments)) == ("closed", crew["again"], 2)
    recipe = change(ledger, crew)
    with pytest.raises(InputError, match="no version of short is effective"):
        implement_change(ledger, recipe.change, crew["author"], done="all done")
    refused = open_change(ledger, crew["author"], "method", "HPLC-3", proposal="shorter", reason="time")
    assert approve_change(ledger, refused.change, crew["qa"], comment="no", approve=False).state == "rejected"


PEOPLE = st.sampled_from(sorted(NAMES))
ONE = st.tuples(
    st.sampled_from(["submit", "review", "return", "approve", "effective", "retire", "raw", "forge", "change"]),
    st.integers(1, 2),
    PEOPLE,
    st.sampled_from(["recipe.reviewed", "recipe.approval_signed", "recipe.made_effective"]),
)
RIGHT = [
    *(("submit", n, "author", "") for n in (1, 2)),
    *(("review", n, "reviewer", "") for n in (1, 2)),
    *(("approve", n, who, "") for n in (1, 2) for who in ("head", "qa")),
    ("effective", 1, "qa", ""),
    ("change", 1, "qa", ""),
    ("effective", 2, "qa", ""),
]
COMMANDS = st.tuples(*(st.one_of(st.just([step]), st.lists(ONE, max_size=2)) for step in RIGHT))
"""The right way of two versions, in which any step may be missing, or others stand in its place."""


def test_what_is_signed_past_the_commands_counts_only_for_who_might(ledger, crew, clock):
    control, other = version(1), version(2)
    submit_recipe(ledger, control, crew["author"])

    def forge(type, actor, number=control, **payload):
        append_signed(ledger, Draft(type, number.digest, payload, crew[actor]), MEANINGS[type])

    for actor in ("operator", "author", "again"):  # without the role; oneself; oneself under another identity
        forge("recipe.reviewed", actor, outcome="accepted")
        assert state(ledger, control) == "draft"
    draft = Draft("recipe.reviewed", control.digest, {"outcome": "accepted"}, crew["reviewer"])
    event = ledger.append(draft)[0]
    sign(ledger, crew["qa"], event.digest, "review", subject=control.digest)  # in another's name
    sign(ledger, crew["reviewer"], event.digest, "read", subject=control.digest)  # that is no review
    assert state(ledger, control) == "draft"
    forge("recipe.reviewed", "reviewer", outcome="accepted")
    assert state(ledger, control) == "reviewed"
    forge("recipe.approval_signed", "head", unit="quality")  # not of the quality unit, whatever is said
    forge("recipe.approval_signed", "operator", unit="quality")
    forge("recipe.approval_signed", "again", unit="quality")
    forge("recipe.approval_signed", "head", unit="production")
    assert state(ledger, control) == "reviewed"
    sign_approval(ledger, control.digest, crew["qa"])
    now: dict[str, object] = {"recipe": "short", "from": timestamp(clock.now), "replaces": [], "change": None}
    forge("recipe.made_effective", "head", **now)
    assert state(ledger, control) == "approved"
    make_effective(ledger, control.digest, crew["qa"])
    approved(ledger, crew, other)
    forge("recipe.made_effective", "qa", other, **now)  # as if it replaced nothing
    forge("recipe.made_effective", "qa", other, **now | {"recipe": "another"})
    forge("recipe.made_effective", "qa", other, **now | {"change": "CC-1"})
    assert state(ledger, other) == "approved"
    payload = {"kind": "recipe", "about": "short", "proposal": "wider", "reason": "trend"}
    append_signed(ledger, Draft("change.opened", "CC-1", payload, crew["author"]), "change request")
    assess_change(ledger, "CC-1", crew["head"], impact="none", risk="low")
    for actor in ("operator", "again", "head"):
        append_signed(ledger, Draft("change.approved", "CC-1", {"comment": "fine"}, crew[actor]), "approval")
        assert change_requests(ledger)[0].state == "assessed"
    forge("recipe.submitted", "operator", version(3), digest=version(3).digest)
    assert approval(ledger, version(3).digest) is None


@FEW
@given(COMMANDS)
def test_no_sequence_of_commands_makes_a_recipe_effective_without_the_signatures(tmp_path_factory, commands):
    """Commands by anybody in any order, and events written past them, unsigned and signed; then all is counted by hand.

    What somebody signed without the role for it, or a second time under another identity, does not count.
    """
    with open_ledger(tmp_path_factory.mktemp("r") / "record.db") as ledger:
        crew = people_of(ledger)
        for command, number, word, raw in (item for part in commands for item in part):
            try:
                run(ledger, crew, command, number, crew[word], raw)
            except InputError:
                continue
        for number in (1, 2):
            check_signatures(ledger, crew, version(number))


def run(ledger, crew, command, number, actor, raw):
    control = version(number)
    payload: dict[str, object] = {
        "outcome": "accepted",
        "recipe": "short",
        "unit": "quality",
        "from": timestamp(ledger.now),
        "replaces": [],
        "change": None,
    }
    {
        "submit": lambda: submit_recipe(ledger, control, actor),
        "review": lambda: review_recipe(ledger, control.digest, actor, comment="read"),
        "return": lambda: review_recipe(ledger, control.digest, actor, comment="wrong", accept=False),
        "approve": lambda: sign_approval(ledger, control.digest, actor),
        "effective": lambda: make_effective(
            ledger, control.digest, actor, change=next((item.change for item in change_requests(ledger)), None)
        ),
        "retire": lambda: retire_recipe(ledger, control.digest, actor, "why not"),
        "raw": lambda: ledger.append(Draft(raw, control.digest, payload, actor)),
        "forge": lambda: append_signed(ledger, Draft(raw, control.digest, payload, actor), MEANINGS[raw]),
        "change": lambda: change(ledger, crew),
    }[command]()


def check_signatures(ledger, crew, control):
    found = approval(ledger, control.digest)
    if found is None or not found.effective:
        return
    assert found.life is not None
    signed = signed_steps(ledger, control)
    name = {crew[word]: NAMES[word][0].casefold().split() for word in crew}
    roles = {crew[word]: set(NAMES[word][1]) for word in crew}
    (author,) = {actor for type, actor in signed if type == "recipe.submitted" and roles[actor] & {"author"}}
    others = [(type, actor) for type, actor in signed if name[actor] != name[author]]
    approvers = {
        tuple(name[actor])
        for type, actor in others
        if type == "recipe.approval_signed" and roles[actor] & {"production_management", "quality_assurance"}
    }
    assert len(approvers) >= 2
    assert ("recipe.approval_signed", crew["qa"]) in signed
    assert ("recipe.reviewed", crew["reviewer"]) in signed or any(
        type == "recipe.reviewed" and actor in (crew["head"], crew["qa"]) for type, actor in others
    )
    assert ("recipe.made_effective", crew["qa"]) in signed or ("recipe.made_effective", crew["again"]) in signed
    for other in recipe_versions(ledger):
        earlier = other.effective_from and other.digest != control.digest
        if earlier and str(other.effective_from) < str(found.life.effective_from):
            assert found.life.change is not None


def signed_steps(ledger, control):
    """(type, actor) of every event of the recipe that its own actor signed, by a look at the ledger alone."""
    events = list(ledger.events(subject=control.digest))
    digests = {event.digest: event for event in events}
    signatures = [event for event in events if event.type == "signature.applied"]
    told = [(digests[event.payload["record_digest"]], event.actor) for event in signatures]
    return [(step.type, actor) for step, actor in told if step.actor == actor]


def test_the_right_way_leads_two_versions_there(ledger, crew):
    for command, number, word, raw in RIGHT:
        run(ledger, crew, command, number, crew[word], raw)
    assert [state(ledger, version(number)) for number in (1, 2)] == ["superseded", "effective"]
    check_signatures(ledger, crew, version(2))


@pytest.fixture(scope="module")
def whole_life(tmp_path_factory):
    with open_ledger(tmp_path_factory.mktemp("life") / "record.db") as ledger:
        crew, control = people_of(ledger), version(1)
        approved(ledger, crew, control)
        make_effective(ledger, control.digest, crew["qa"])
        return list(ledger.events(subject=control.digest))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=3), st.none() | st.integers(0, 9))
def test_the_fold_counts_no_step_before_its_turn_or_without_its_signature(whole_life, swaps, dropped):
    """The events of a whole life, some swapped or dropped: effective where all stand in an order that leads there."""
    order = list(range(10))
    for one, other in swaps:
        order[one], order[other] = order[other], order[one]
    chosen = [whole_life[place] for place in order if place != dropped]
    life = fold_life(chosen)
    place = {event.seq: number for number, event in enumerate(chosen)}
    starts = [place.get(event.seq, 99) for event in whole_life[0::2]]
    ends = [place.get(event.seq, 99) for event in whole_life[1::2]]  # submit, review, approve, approve, effective
    complete = all(begin < end < 99 for begin, end in zip(starts, ends, strict=True))
    led = complete and ends[0] < ends[1] < min(ends[2:4]) and max(ends[2:4]) < ends[4]
    assert (life is not None and life.effective_from is not None) == led
