"""Identity and password, lockout, expiry, one-time codes, retirement, four eyes; and secrets that stand nowhere."""

import base64
import io
import json
import logging
import traceback
from datetime import UTC, datetime, timedelta

import pytest

from seedtrain.base import InputError
from seedtrain.record import (
    SYSTEM,
    Draft,
    RefusedError,
    access,
    alerts,
    append_signed,
    change_password,
    different_people,
    enrol_person,
    export,
    find_person,
    is_trained,
    key_path,
    open_ledger,
    people,
    retire,
    set_roles,
    sign,
    signing_as,
    train,
    unlock,
    unlock_access,
    verify,
)
from seedtrain.record import _access as gates
from seedtrain.record import _credentials as credentials
from tests.record.ledgers import bodies, chained, reading, rewrite, unguarded, words

PASSWORD = "four quick brown foxes"  # noqa: S105
OTHER = "nine lazy dogs in a row"


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    """The derivation with little memory: what is tested does not depend on its price."""
    monkeypatch.setattr(credentials, "MEMORY_KIB", 64)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "record.db"


class Clock:
    def __init__(self):
        self.now = datetime(2026, 3, 1, 9, tzinfo=UTC)

    def __call__(self):
        return self.now

    def later(self, **span):
        self.now += timedelta(**span)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ledger(path, clock):
    with open_ledger(path, clock=clock) as opened:
        yield opened


def enrolled(ledger, name="Wang Fang", **options):
    return enrol_person(ledger, name, ["operator"], password=PASSWORD, **options)


def test_argon2id_is_that_of_rfc_9106():
    """Origin: test.c of the reference implementation, phc-winner-argon2 (Argon2id, version 19)."""
    settings = {"salt": b"somesalt".hex(), "passes": 2, "lanes": 1, "memory_kib": 65536}
    expected = "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"
    assert credentials._derive("password", settings).hex() == expected


def test_one_time_codes_are_those_of_rfc_6238():
    """Origin: RFC 6238 appendix B, SHA-1; the last six of its eight digits."""
    secret = b"12345678901234567890"
    for time_s, code in ((59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")):
        assert credentials.one_time_code(secret, time_s // 30) == code
        assert credentials.matching_step(secret, code, time_s) == time_s // 30


def test_a_signature_needs_identity_and_password(ledger, path):
    actor = enrolled(ledger)
    person = find_person(ledger, actor)
    assert person is not None
    assert person.credentials == "password"
    (event,) = ledger.append(reading(1))
    with pytest.raises(RefusedError, match="not unlocked"):
        sign(ledger, actor, event.digest, "review")
    with pytest.raises(RefusedError):
        unlock(ledger, actor, OTHER)
    unlocked = unlock(ledger, actor, PASSWORD)
    sign(ledger, actor, event.digest, "review", by=unlocked)
    with signing_as(unlocked):
        append_signed(ledger, Draft("batch.reviewed", "B", {}, actor), "review")
    with pytest.raises(RefusedError, match="not unlocked"):
        sign(ledger, actor, event.digest, "review")
    assert not list((key_path(path) / "people").glob("*.pem"))  # the key is nowhere without its password
    assert verify(path).verdict == "pass"


def test_nobody_signs_for_another(ledger):
    one, two = enrolled(ledger, "A"), enrolled(ledger, "B")
    (event,) = ledger.append(reading(1))
    mine = unlock(ledger, one, PASSWORD)
    with pytest.raises(RefusedError):
        sign(ledger, two, event.digest, "review", by=mine)
    with pytest.raises(RefusedError):
        sign(ledger, two, event.digest, "review", by=credentials.Unlocked(two, mine.key, mine.at, mine.seq))


def test_a_real_person_without_a_password_cannot_sign(ledger):
    actor = enrol_person(ledger, "A", ["qa"])
    (event,) = ledger.append(reading(1))
    with pytest.raises(RefusedError):
        sign(ledger, actor, event.digest, "review")
    with pytest.raises(RefusedError):
        unlock(ledger, actor, "")


def test_failures_lock_for_a_while_and_stand_in_the_ledger(ledger, clock, path):
    actor = enrolled(ledger)
    for _ in range(gates.MOST_FAILURES):
        with pytest.raises(RefusedError, match="wrong"):
            unlock(ledger, actor, OTHER)
    with pytest.raises(RefusedError, match="locked until"):
        unlock(ledger, actor, PASSWORD)  # even the right one
    refused = list(ledger.events(type="person.refused"))
    assert [event.payload["locked"] for event in refused] == [False] * 4 + [True]
    clock.later(minutes=gates.LOCKED_MINUTES + 1)
    with pytest.raises(RefusedError, match="wrong"):
        unlock(ledger, actor, OTHER)
    with pytest.raises(RefusedError, match="locked until"):
        unlock(ledger, actor, PASSWORD)
    clock.later(minutes=gates.LOCKED_MINUTES + 1)
    unlock(ledger, actor, PASSWORD)
    assert access(ledger, actor).failures == 0
    assert verify(path).verdict == "pass"


def test_the_clock_set_back_does_not_end_a_lockout_and_set_forward_is_seen(ledger, clock):
    actor = enrolled(ledger, days=1)
    clock.later(days=2)
    ledger.append(reading(1))
    clock.later(days=-2)
    with pytest.raises(RefusedError, match="expired"):
        unlock(ledger, actor, PASSWORD)


def test_a_password_expires_and_its_owner_changes_it(ledger, clock):
    actor = enrolled(ledger)
    clock.later(days=gates.PASSWORD_DAYS, seconds=1)
    with pytest.raises(RefusedError, match="expired"):
        unlock(ledger, actor, PASSWORD)
    for bad in (PASSWORD, "short", "a" * 40):
        with pytest.raises(InputError):
            change_password(ledger, actor, PASSWORD, bad)
    with pytest.raises(RefusedError):
        change_password(ledger, actor, "not it at all", OTHER)
    before = find_person(ledger, actor)
    change_password(ledger, actor, PASSWORD, OTHER)
    with pytest.raises(RefusedError):
        unlock(ledger, actor, PASSWORD)
    assert before is not None
    assert unlock(ledger, actor, OTHER).key.public.hex() == before.public_key


def test_a_one_time_code_is_needed_and_good_for_once(ledger, clock):
    shown: list[str] = []
    actor = enrolled(ledger, totp=True, show=shown.append)
    import base64

    text = shown[0].split("secret=")[1].split("&")[0]
    secret = base64.b32decode(text)

    def code():
        return credentials.one_time_code(secret, int(clock.now.timestamp()) // 30)

    for wrong in (None, "", "000000" if code() != "000000" else "000001", "१२३४५६"):
        with pytest.raises(RefusedError, match="wrong"):
            unlock(ledger, actor, PASSWORD, code=wrong)
    used = code()
    unlock(ledger, actor, PASSWORD, code=used)
    with pytest.raises(RefusedError, match="wrong"):
        unlock(ledger, actor, PASSWORD, code=used)
    clock.later(seconds=30)
    unlock(ledger, actor, PASSWORD, code=code())


def test_who_is_retired_cannot_act_and_a_signature_made_anyway_is_found(ledger, path):
    actor = enrolled(ledger)
    (event,) = ledger.append(reading(1))
    unlocked = unlock(ledger, actor, PASSWORD)
    sign(ledger, actor, event.digest, "review", by=unlocked)
    retire(ledger, actor, "left the company")
    with pytest.raises(InputError, match="retired"):
        sign(ledger, actor, event.digest, "review", by=unlocked)
    with pytest.raises(RefusedError, match="wrong"):
        unlock(ledger, actor, PASSWORD)
    assert verify(path).verdict == "pass"
    connection = unguarded(path)
    stored = [json.loads(body) for body in bodies(connection)]
    connection.close()
    signed, retired, refused = stored[-3:]
    key = ledger.keys.server(create=False)
    rewrite(path, chained([*stored[:-3], retired, signed, refused]), key=key)
    verdict = verify(path)
    assert words(verdict)["signatures"] == "fail"
    assert any("retired before" in line for line in verdict.evidence)


def test_four_eyes_are_two_people_whatever_their_roles_and_identities(ledger):
    one = enrol_person(ledger, "Wang Fang", ["operator", "checker"], password=PASSWORD)
    again = enrol_person(ledger, "  wang  FANG ", ["qa"], password=OTHER)
    other = enrol_person(ledger, "Li Na", ["checker"], password=OTHER)
    assert not different_people(ledger, one, one)
    assert not different_people(ledger, one, again)
    assert not different_people(ledger, one, "person-99")
    assert different_people(ledger, one, other)
    assert different_people(ledger, other, one)
    retire(ledger, other, "left")
    assert not different_people(ledger, one, other)


def test_training_lapses(ledger, clock):
    actor = enrolled(ledger)
    assert not is_trained(ledger, actor, "aseptic filling")
    train(ledger, actor, "aseptic filling", until="2026-03-02T00:00:00Z")
    assert is_trained(ledger, actor, "aseptic filling")
    clock.later(days=2)
    assert not is_trained(ledger, actor, "aseptic filling")
    train(ledger, actor, "aseptic filling")
    assert is_trained(ledger, actor, "aseptic filling")


def test_a_sealed_key_that_was_swapped_or_changed_opens_nothing(ledger, path):
    one, two = enrolled(ledger, "A"), enrolled(ledger, "B")
    files = sorted((key_path(path) / "people").glob("*.sealed"))
    first, second = (item.read_bytes() for item in files)
    files[0].write_bytes(second)
    files[1].write_bytes(first)
    for actor in (one, two):
        with pytest.raises(RefusedError):
            unlock(ledger, actor, PASSWORD)
    files[0].write_bytes(b"{}")
    files[1].write_bytes(second.replace(b"argon2id", b"argon2id")[:-20])
    for actor in (one, two):
        with pytest.raises(RefusedError):
            unlock(ledger, actor, PASSWORD)


def test_no_secret_stands_in_a_file_a_log_an_error_or_a_text_of_an_object(path, tmp_path, clock, caplog):
    caplog.set_level(logging.DEBUG)
    told = io.StringIO()
    with open_ledger(path, clock=clock) as ledger:
        actor = enrolled(ledger)
        unlocked = unlock(ledger, actor, PASSWORD)
        print(repr(unlocked), unlocked, repr(credentials.new_secrets(totp=True)), file=told)
        for wrong in (OTHER, PASSWORD + "x"):
            try:
                unlock(ledger, actor, wrong)
            except RefusedError as error:
                told.write("".join(traceback.format_exception(error)))
        try:
            change_password(ledger, actor, PASSWORD, "five5")
        except InputError as error:
            told.write(str(error))
        change_password(ledger, actor, PASSWORD, OTHER)
        private = unlocked.key.private.private_bytes_raw()
    export(path, tmp_path / "out")
    texts = [item.read_bytes() for item in tmp_path.rglob("*") if item.is_file()]
    texts += [caplog.text.encode(), told.getvalue().encode()]
    for secret in (PASSWORD.encode(), OTHER.encode(), b"five5", private, private.hex().encode()):
        assert not any(secret in text for text in texts)
    for item in (key_path(path) / "people").iterdir():
        assert item.stat().st_mode & 0o777 == 0o600


def test_a_session_ends_with_time_a_new_password_a_lockout_or_retirement(ledger, clock):
    actor = enrolled(ledger)
    (event,) = ledger.append(reading(1))

    def refused(session, words):
        with pytest.raises(RefusedError, match=words):
            sign(ledger, actor, event.digest, "review", by=session)

    first = unlock(ledger, actor, PASSWORD)
    clock.later(minutes=gates.SESSION_MINUTES)
    sign(ledger, actor, event.digest, "review", by=first)
    clock.later(seconds=1)
    refused(first, "15 minutes have passed")
    second = unlock(ledger, actor, PASSWORD)
    change_password(ledger, actor, PASSWORD, OTHER)
    refused(second, "has changed since")
    third = unlock(ledger, actor, OTHER)
    for _ in range(gates.MOST_FAILURES):
        with pytest.raises(RefusedError):
            unlock(ledger, actor, PASSWORD)
    refused(third, "has changed since")
    clock.later(minutes=gates.LOCKED_MINUTES)
    fourth = unlock(ledger, actor, OTHER)
    retire(ledger, actor, "left")
    refused(fourth, "is retired")


def test_guesses_made_side_by_side_do_not_outrun_the_lockout(ledger, monkeypatch):
    """Five wrong ones arrive while the right password is being checked: it comes too late."""
    actor = enrolled(ledger)
    check = credentials.open_sealed

    def slow(*given):
        monkeypatch.setattr(gates, "open_sealed", check)
        for _ in range(gates.MOST_FAILURES):
            with pytest.raises(RefusedError):
                unlock(ledger, actor, OTHER)
        return check(*given)

    monkeypatch.setattr(gates, "open_sealed", slow)
    with pytest.raises(RefusedError, match="is locked until"):
        unlock(ledger, actor, PASSWORD)


def test_of_two_who_use_one_code_at_the_same_time_one_is_refused(ledger, clock, monkeypatch):
    told: list[str] = []
    actor = enrolled(ledger, totp=True, show=told.append)
    text = told[0].partition("secret=")[2].partition("&")[0]
    secret = base64.b32decode(text + "=" * (-len(text) % 8))
    code = credentials.one_time_code(secret, int(clock.now.timestamp()) // 30)
    check = credentials.open_sealed

    def slow(*given):
        monkeypatch.setattr(gates, "open_sealed", check)
        unlock(ledger, actor, PASSWORD, code=code)
        return check(*given)

    monkeypatch.setattr(gates, "open_sealed", slow)
    with pytest.raises(RefusedError, match="is wrong"):
        unlock(ledger, actor, PASSWORD, code=code)
    assert access(ledger, actor).failures == 1


@pytest.fixture
def admin(ledger):
    """An administrator; within the test they sign."""
    actor = enrol_person(ledger, "Zhao Min", ["administrator"], password=PASSWORD)
    with signing_as(unlock(ledger, actor, PASSWORD)):
        yield actor


def test_a_lockout_raises_an_alert_and_an_administrator_ends_it(ledger, clock, admin, caplog):
    actor = enrolled(ledger)
    with pytest.raises(InputError, match="not locked"):
        unlock_access(ledger, actor, "no need", by=admin)
    for _ in range(gates.MOST_FAILURES):
        assert not alerts(ledger)
        with pytest.raises(RefusedError):
            unlock(ledger, actor, OTHER)
    (alert,) = alerts(ledger)
    assert (alert.kind, alert.subject, alert.open) == ("lockout", actor, True)
    assert "5 failed attempts in a row" in alert.words
    assert alert.words in caplog.text
    with pytest.raises(InputError, match="no reason"):
        unlock_access(ledger, actor, " ", by=admin)
    forged = ledger.append(Draft("person.unlocked", actor, {"until": None}, admin, reason="trust me"))[0]
    with pytest.raises(RefusedError, match="locked until"):  # nobody signed it
        unlock(ledger, actor, PASSWORD)
    unlock_access(ledger, actor, "typed with the wrong keyboard", by=admin)
    assert not alerts(ledger)[0].open
    assert unlock(ledger, actor, PASSWORD).actor == actor
    assert forged.actor == admin


def test_attempts_with_an_expired_password_or_as_somebody_retired_are_noted(ledger, clock):
    actor = enrolled(ledger, days=1)
    clock.later(days=2)
    with pytest.raises(RefusedError, match="expired"):
        unlock(ledger, actor, PASSWORD)
    retire(ledger, actor, "left")
    with pytest.raises(RefusedError, match="is wrong"):
        unlock(ledger, actor, PASSWORD)
    causes = [event.payload["cause"] for event in ledger.events(subject=actor, type="person.refused")]
    assert causes == ["expired", "retired"]


def test_roles_change_only_by_the_signed_event_of_another(ledger, path, admin):
    actor = enrolled(ledger)
    with pytest.raises(InputError, match="their own roles"):
        set_roles(ledger, admin, ["administrator", "quality_assurance"], "handy", by=admin)
    for by in (actor, admin, SYSTEM):  # an event that nobody signed, or the person's own
        ledger.append(Draft("person.roles_set", actor, {"roles": ["quality_assurance"], "before": []}, by))
    with signing_as(unlock(ledger, actor, PASSWORD)):
        draft = Draft("person.roles_set", actor, {"roles": ["quality_assurance"], "before": []}, actor)
        append_signed(ledger, draft, "change of roles")
    found = find_person(ledger, actor)
    assert found is not None
    assert found.roles == ("operator",)
    event = set_roles(ledger, actor, ["checker", "operator", "checker"], "promoted", by=admin)
    assert (event.payload["before"], event.reason) == (["operator"], "promoted")
    for found in (find_person(ledger, actor), people(ledger)[1]):
        assert found is not None
        assert found.roles == ("checker", "operator")
    assert verify(path).verdict == "pass"


def test_an_enrolment_by_a_person_is_signed_by_them(ledger, path, admin):
    actor = enrolled(ledger, by=admin)
    (event,) = ledger.events(subject=actor, type="person.enrolled")
    (signature,) = ledger.events(subject=actor, type="signature.applied")
    assert signature.actor == event.actor == admin
    assert signature.payload["record_digest"] == event.digest
    with pytest.raises(RefusedError, match="not unlocked"):
        enrolled(ledger, "B", by=actor)
    assert len(people(ledger)) == 2
    assert verify(path).verdict == "pass"
