"""Alarms and gaps in review, as the control system writes them: nothing quiet, missed or grave collapses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.gmp import acknowledge, decide_release, open_review, review
from seedtrain.gmp._quality._alarms import LOWER, alarm_items, quiet_alarms
from seedtrain.record import Draft, Event, append_signed, sign
from tests.gmp.made import BATCH

AT = "2026-03-02T09:00:00.000000Z"


def alarm(word, name="pH.high", priority="medium", unit="T", at=AT, **more):
    payload = {"unit": unit, "tag": name.partition(".")[0], "alarm": name, "priority": priority, "at": at}
    return f"alarm.{word}", {**payload, "reason": "", "by": None, "until": None, **more}


def gap(tag, start="2026-03-02T09:00:00.000000Z", end="2026-03-02T09:01:30.250000Z", **more):
    payload = {"unit": "T", "tag": tag, "from": start, "to": end, "cause": "connection lost", "backfilled": False}
    return "telemetry.gap", payload | more


def happen(made, type, payload):
    """As the control system writes it; an acknowledgement is an operator's, who signs."""
    if type == "alarm.acknowledged":
        append_signed(made.ledger, Draft(type, BATCH, payload, made.people["operator"], made.clock), "acknowledged")
    else:
        made.add(type, payload, "executor", device="T")


def shown(made, kind="alarm"):
    return [item.item.words for item in open_review(made.ledger, BATCH).exceptions if item.item.kind == kind]


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([alarm("raised"), alarm("acknowledged", by="person-1"), alarm("returned")], []),
        ([alarm("raised"), alarm("returned"), alarm("acknowledged")], []),  # gone before somebody saw it
        (
            [alarm("raised")],
            [f"alarm pH.high of T (medium): raised {AT}; 1 of 1 never acknowledged; not returned to normal"],
        ),
        (
            [alarm("raised"), alarm("returned")],
            [f"alarm pH.high of T (medium): raised {AT}; 1 of 1 never acknowledged"],
        ),
        (
            [alarm("raised"), alarm("acknowledged"), alarm("returned"), alarm("raised", at="later"), alarm("returned")],
            [f"alarm pH.high of T (medium): raised 2 times from {AT} to later; 1 of 2 never acknowledged"],
        ),
        (
            [alarm("raised"), alarm("acknowledged", unit="F"), alarm("acknowledged", "pH.low"), alarm("returned")],
            [f"alarm pH.high of T (medium): raised {AT}; 1 of 1 never acknowledged"],  # it was another one
        ),
        (
            [alarm("raised", priority="High"), alarm("acknowledged"), alarm("returned")],
            [f"alarm pH.high of T (High): raised {AT}"],
        ),
        (
            [alarm("raised"), alarm("acknowledged"), alarm("raised", priority="critical"), alarm("acknowledged")],
            [f"alarm pH.high of T (critical): raised 2 times from {AT} to {AT}; not returned to normal"],
        ),
        (
            [alarm("shelved", by="person-1", until="10:00", reason="probe changed"), alarm("unshelved")],
            ["alarm pH.high of T (medium) was shelved by person-1 until 10:00 (probe changed)"],
        ),
        (
            [alarm("suppressed", by="plan"), alarm("removed_from_service", by="person-1", reason="sent away")],
            [
                "alarm pH.high of T (medium) was suppressed by plan, without an end (no reason given)",
                "alarm pH.high of T (medium) was taken out of service by person-1, without an end (sent away)",
            ],
        ),
        ([("alarm.interlock", {"unit": "T", "alarm": "foam"})], ["alarm foam of T: interlock"]),
        ([alarm("acknowledged"), alarm("returned"), alarm("reset")], []),
    ],
)
def test_what_was_quiet_missed_or_grave_is_shown(made, events, words):
    made.create()
    for type, payload in events:
        happen(made, type, payload)
    assert shown(made) == words
    raised = sum(type == "alarm.raised" for type, _ in events)
    assert open_review(made.ledger, BATCH).within.alarms == (0 if words else raised)


def test_an_acknowledgement_counts_for_whoever_signed_it_and_for_nobody_else(made):
    made.create()
    operator, checker = made.people["operator"], made.people["checker"]
    made.add(*alarm("raised"), "executor", device="T")
    claimed = made.add(
        *alarm("acknowledged", by=operator), "operator"
    )  # straight into the ledger, as if by the operator
    missed = f"alarm pH.high of T (medium): raised {AT}; 1 of 1 acknowledged by {operator} without a signature"
    assert shown(made) == [f"{missed}; not returned to normal"]
    sign(made.ledger, checker, claimed.digest, "seen", subject=BATCH)  # another's signature does not make it theirs
    assert shown(made) == [f"{missed}; not returned to normal"]
    sign(made.ledger, operator, claimed.digest, "acknowledged", subject=BATCH)
    assert shown(made) == []
    made.add(*alarm("raised", at="later"), "executor", device="T")  # and again, which nobody has seen
    assert shown(made) == [
        f"alarm pH.high of T (medium): raised 2 times from {AT} to later; 1 of 2 never acknowledged; "
        "not returned to normal"
    ]


def test_gaps_have_their_exact_span_and_say_whether_history_fills_them(made):
    made.create()
    for tag, more in (("pH", {}), ("DO", {}), ("T", {"backfilled": True}), ("", {"end": None, "cause": "no reader"})):
        made.add(*gap(tag, **more), "executor", device="T")
    span = "from 2026-03-02T09:00:00.000000Z to 2026-03-02T09:01:30.250000Z (90.25 s), connection lost"
    assert [item for item in shown(made, "data gap") if item.startswith("no data")] == [
        f"no data of pH, DO of T {span}, not filled in",
        f"no data of T of T {span}, filled in later from history",
        "no data of every tag of T since 2026-03-02T09:00:00.000000Z, no reader",
    ]


def test_a_batch_is_released_only_once_each_of_them_is_acknowledged(made):
    made.run()
    happened = [alarm("raised", priority="high"), alarm("acknowledged"), alarm("returned"), gap("pH")]
    happened += [alarm("shelved", "foam.high", "low", by="person-1", until="11:00", reason="foam is known")]
    for type, payload in happened:
        happen(made, type, payload)
    made.results()
    reviewer, qa = made.people["reviewer"], made.people["qa"]
    wanted = open_review(made.ledger, BATCH).exceptions
    assert [item.item.kind for item in wanted] == ["alarm", "alarm", "data gap"]
    for item in wanted:
        with pytest.raises(InputError, match="are not acknowledged"):
            review(made.ledger, BATCH, reviewer)
        acknowledge(made.ledger, BATCH, [item.key], "seen with the trend", reviewer)
    review(made.ledger, BATCH, reviewer)
    # Another alarm after the review: it is not covered, and the batch waits.
    made.add(*alarm("raised", "T.high"), "executor", device="T")
    decision = decide_release(made.ledger, BATCH, qa)
    assert decision.decision == "on_hold"
    assert any("T.high of T (medium)" in reason or "older than the last event" in reason for reason in decision.reasons)
    made.review()
    assert decide_release(made.ledger, BATCH, qa).decision == "released"


def event(seq, type, payload):
    return Event(
        seq, "", f"i{seq}", type, BATCH, AT, AT, "x", "d", payload, None, None, digest=f"digest {seq}", body=b""
    )


HAPPENINGS = st.lists(
    st.tuples(
        st.sampled_from(["raised", "returned", "acknowledged", "reset"]),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["T", "F"]),
        st.sampled_from([*LOWER, "high", "critical", "urgent"]),
    ),
    max_size=14,
)


@given(HAPPENINGS)
def test_no_order_of_happenings_hides_a_grave_or_a_missed_alarm(happenings):
    """Against a direct reading: an alarm is missed where nothing acknowledges it after it was last raised."""
    events = []
    for seq, (word, name, unit, priority) in zip(range(1, 1000, 2), happenings, strict=False):
        type, payload = alarm(word, name, priority, unit)
        events.append(event(seq, type, payload))
        events.append(event(seq + 1, "signature.applied", {"record_digest": f"digest {seq}"}))
    keys = {(name, unit) for word, name, unit, _ in happenings if word == "raised"}
    wanted = set()
    for name, unit in keys:
        mine = [(at, word, priority) for at, (word, n, u, priority) in enumerate(happenings) if (n, u) == (name, unit)]
        raised = [at for at, word, _ in mine if word == "raised"]
        seen = max((at for at, word, _ in mine if word == "acknowledged"), default=-1)
        grave = any(word == "raised" and priority not in LOWER for _, word, priority in mine)
        if grave or seen < raised[-1]:
            wanted.add((name, unit))
    found = {(item.words.split(" ")[1], item.words.split(" ")[3]) for item in alarm_items(events)}
    assert found == wanted
    hidden = [(name, unit) for word, name, unit, _ in happenings if word == "raised" and (name, unit) not in wanted]
    assert quiet_alarms(events) == len(hidden)
