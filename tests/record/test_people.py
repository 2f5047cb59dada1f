"""People: opaque identities, names that can be erased, and signatures that cannot be moved or repeated."""

import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from seedtrain.base import InputError, IntegrityError, UnavailableError
from seedtrain.record import (
    Draft,
    alerts,
    anchor_path,
    append_signed,
    enrol_person,
    find_person,
    key_path,
    open_ledger,
    people,
    person_name,
    sign,
    verify,
)
from seedtrain.record._keys import KeyFolder
from seedtrain.record._verifier import signature_message
from tests.record.ledgers import bodies, chained, first_bad, reading, rewrite, unguarded, words


@pytest.fixture
def path(tmp_path):
    return tmp_path / "record.db"


def test_a_name_stands_nowhere_but_under_its_own_key_and_is_gone_with_it(path):
    with open_ledger(path) as ledger:
        actor = enrol_person(ledger, "Sigríður Jónsdóttir", ["operator", "reviewer"])
        assert actor == "person-1"
        found = find_person(ledger, actor)
        assert found is not None
        assert found.roles == ("operator", "reviewer")
        assert person_name(ledger, actor) == "Sigríður Jónsdóttir"
        for name in ("Bo", "N" * 60):
            enrol_person(ledger, name, ["qa"])
        sealed = {len(event.payload["sealed_name"]) for event in ledger.events(type="person.enrolled")}
        assert len(sealed) == 1  # a sealed name does not tell its length
        (key_path(path) / "people" / "person-1.name").unlink()
        assert person_name(ledger, actor) is None
        (key_path(path) / "people" / "person-2.name").replace(key_path(path) / "people" / "person-3.name")
        with pytest.raises(IntegrityError):
            person_name(ledger, "person-3")
    for item in path.parent.rglob("*"):
        assert not item.is_file() or "Sigríður".encode() not in item.read_bytes()
    assert verify(path).verdict == "pass"


def test_identities_are_never_used_again_and_scripted_persons_are_found_again(path):
    with open_ledger(path) as ledger:
        first = enrol_person(ledger, "A", ["operator"], scripted=True)
        assert enrol_person(ledger, "A", ["operator"], scripted=True) == first
        assert enrol_person(ledger, "A", ["checker"], scripted=True) != first
        assert enrol_person(ledger, "A", ["operator"]) != enrol_person(ledger, "A", ["operator"])
        assert len({person.actor for person in people(ledger)}) == 4
        enrolment = ledger.enrolment(first)
        assert enrolment is not None
        with pytest.raises(InputError, match="enrolled already"):
            ledger.append(Draft("person.enrolled", first, dict(enrolment.payload), "system"))
        for roles in ([], [" "]):
            with pytest.raises(InputError):
                enrol_person(ledger, "B", roles)


def test_a_signed_record_and_its_signature_are_one_commit_and_safe_to_repeat(path):
    with open_ledger(path) as ledger:
        actor = enrol_person(ledger, "A", ["qa"], scripted=True)
        draft = Draft("batch.released", "B", {"reasons": []}, actor, "2026-03-02T08:00:00Z", id="B-release")
        before = ledger.head.seq
        event, signature = append_signed(ledger, draft, "release")
        assert (event.seq, signature.seq) == (before + 1, before + 2)
        assert signature.payload["record_digest"] == event.digest
        assert signature.payload["checkpoint"].startswith(f"{before}:")
        assert signature.occurred_at == event.occurred_at
        assert append_signed(ledger, draft, "release") == (event, signature)
        assert ledger.head.seq == before + 2
    assert verify(path).verdict == "pass"


def test_a_stranger_a_program_and_an_empty_meaning_cannot_sign(path):
    with open_ledger(path) as ledger:
        (event,) = ledger.append(reading(1))
        actor = enrol_person(ledger, "A", ["qa"], scripted=True)
        for who, digest, meaning in (
            ("person-9", event.digest, "review"),
            ("system", event.digest, "review"),
            (actor, "abc", "review"),
            (actor, event.digest, " "),
        ):
            with pytest.raises(InputError):
                sign(ledger, who, digest, meaning)


def test_signing_pauses_while_the_clock_stands_behind(path):
    now = datetime(2026, 3, 1, 9, tzinfo=UTC)
    with open_ledger(path, clock=lambda: now) as ledger:
        actor = enrol_person(ledger, "A", ["qa"], scripted=True)
        (event,) = ledger.append(reading(1))
        now -= timedelta(hours=1)
        with pytest.raises(UnavailableError, match="3600 s behind"):
            sign(ledger, actor, event.digest, "review")
        now += timedelta(hours=1)
        sign(ledger, actor, event.digest, "review")


def signed_ledger(path):
    with open_ledger(path) as ledger:
        one, two = (enrol_person(ledger, name, ["qa"], scripted=True) for name in "AB")
        events = ledger.append(reading(1), reading(2, "7.9"))
        signature = sign(ledger, one, events[0].digest, "review", subject="B")
    return one, two, events, signature


REPLAYS = {
    "another record": lambda payload, digest, key: {**payload, "record_digest": digest},
    "another meaning": lambda payload, digest, key: {**payload, "meaning": "release"},
    "another checkpoint": lambda payload, digest, key: {**payload, "checkpoint": "1:" + "0" * 64},
    "another key": lambda payload, digest, key: {**payload, "public_key": key},
    "a cut signature": lambda payload, digest, key: {**payload, "signature": payload["signature"][:-2]},
    "no signature": lambda payload, digest, key: {name: payload[name] for name in payload if name != "signature"},
}


@pytest.mark.parametrize("change", REPLAYS.values(), ids=REPLAYS)
def test_a_signature_moved_to_another_record_or_meaning_is_refused_and_found(path, change):
    one, two, events, signature = signed_ledger(path)
    with open_ledger(path) as ledger:
        other = find_person(ledger, two)
        assert other is not None
        payload = change(dict(signature.payload), events[1].digest, other.public_key)
        for identity in (signature.payload["nonce"], "another", None):
            with pytest.raises(InputError):
                ledger.append(Draft("signature.applied", "B", payload, one, id=identity))
    connection = unguarded(path)
    stored = before_the_alerts(connection)
    connection.close()
    stored[-1]["payload"] = payload
    rewrite(path, chained(stored), key=_server_key(path))
    verdict = verify(path)
    assert words(verdict)["signatures"] == "fail"
    assert first_bad(verdict) == signature.seq


def test_the_same_signature_a_second_time_or_under_another_name_is_refused_and_found(path):
    one, two, _, signature = signed_ledger(path)
    with open_ledger(path) as ledger:
        same = Draft("signature.applied", "B", dict(signature.payload), one, signature.occurred_at, id=signature.id)
        assert ledger.append(same) == (signature,)  # nothing new is stored
        with pytest.raises(InputError):
            ledger.append(Draft("signature.applied", "B", dict(signature.payload), two, id="second"))
    connection = unguarded(path)
    stored = before_the_alerts(connection)
    connection.close()
    rewrite(path, chained([*stored, stored[-1]]), key=_server_key(path))
    verdict = verify(path)
    assert words(verdict)["signatures"] == "fail"
    assert first_bad(verdict) == signature.seq + 1


def before_the_alerts(connection):
    """The events up to the last that is no alert: a refused signature leaves one behind."""
    stored = [json.loads(body) for body in bodies(connection)]
    while stored[-1]["type"] == "alert.raised":
        stored.pop()
    return stored


def test_a_refused_signature_raises_an_alert_and_takes_nothing_with_it(path):
    one, two, _, signature = signed_ledger(path)
    with open_ledger(path) as ledger:
        before = ledger.head.seq
        with pytest.raises(InputError, match="refused"):
            ledger.append(
                Draft("step.started", "B", {}, two),
                Draft("signature.applied", "B-2", dict(signature.payload), two, id="again"),
            )
        (event,) = ledger.events(after=before)
        assert (event.type, event.subject, event.payload["kind"]) == ("alert.raised", two, "signature")
        assert "B-2" in event.payload["words"]
        assert [(item.kind, item.subject, item.open) for item in alerts(ledger)] == [("signature", two, True)]
        assert one != two
    assert verify(path).verdict == "pass"


def forged(payload, key, **changed):
    """The payload signed anew by `key`: every part of it holds by itself."""
    payload = {**payload, **changed, "public_key": key.public.hex()}
    return {**payload, "signature": key.sign(signature_message("person-1", payload)).hex()}


def test_a_signature_with_a_key_that_was_never_enrolled_is_refused_and_found(path):
    one, _, _, signature = signed_ledger(path)
    stranger = KeyFolder(path.parent / "elsewhere").person("x", create=True)
    with open_ledger(path) as ledger:
        payload = forged(signature.payload, stranger, nonce="fresh", checkpoint=ledger.checkpoint)
        with pytest.raises(InputError, match="not the one enrolled"):
            ledger.append(Draft("signature.applied", "B", payload, one, id="fresh"))
    assert found_after(path, payload=forged(signature.payload, stranger)) == signature.seq


def test_a_signature_at_a_checkpoint_that_never_was_is_refused_and_found(path):
    one, _, _, signature = signed_ledger(path)
    own = KeyFolder(key_path(path)).person(one)
    with open_ledger(path) as ledger:
        payload = forged(signature.payload, own, nonce="fresh")
        with pytest.raises(InputError, match="last checkpoint"):
            ledger.append(Draft("signature.applied", "B", payload, one, id="fresh"))
    future = f"{signature.seq}:" + "ab" * 32
    for checkpoint in ("1:" + "00" * 32, future, "x:y"):
        assert found_after(path, payload=forged(signature.payload, own, checkpoint=checkpoint)) == signature.seq


def test_a_signature_under_another_event_id_is_found(path):
    _, _, _, signature = signed_ledger(path)
    assert found_after(path, id="another") == signature.seq


def found_after(path, **changed):
    """The first bad seq after the last event was changed and everything else made to fit, in a copy."""
    place = path.parent / f"attack-{len(list(path.parent.iterdir()))}"
    place.mkdir()
    shutil.copytree(key_path(path), key_path(place / path.name))
    for item in (path, anchor_path(path)):
        shutil.copy(item, place / item.name)
    connection = unguarded(place / path.name)
    stored = before_the_alerts(connection)
    connection.close()
    stored[-1] |= changed
    rewrite(place / path.name, chained(stored), key=_server_key(path))
    verdict = verify(place / path.name)
    assert words(verdict)["signatures"] == "fail"
    return first_bad(verdict)


def _server_key(path):
    return KeyFolder(key_path(path)).server(create=False)
