"""Scenario 5: signing as another, a stolen session, an expired password: rejected, noted, locked out."""

import logging
import os
import subprocess

import pytest

from seedtrain.record import Draft, RefusedError, append_signed, open_ledger, signing_as, unlock
from tests.gmp_scenarios.journey import Journey
from tests.worked import COMMAND

TRAIN = ("person", "train", "person-3", "aseptic filling")


@pytest.fixture
def journey(tmp_path):
    made = Journey(tmp_path)
    made.crew(operator="operator", checker="operator")
    made.later(minutes=1)
    return made


def trained(journey):
    return journey.done(None, "person", "show", "person-3")["trained"]


def test_the_password_of_another_does_not_sign(journey):
    operator = journey.passwords["person-2"]
    answer = journey.run(*TRAIN, "--as", "person-1", secrets=(operator,))
    assert answer.code == 2
    assert "identity, password or code is wrong" in answer.words
    assert "may not do person.administer" in journey.signed("person-2", *TRAIN).words  # one's own is not enough
    assert not trained(journey)
    stranger = journey.run(*TRAIN, "--as", "person-9", secrets=(operator,))
    assert "identity, password or code is wrong" in stranger.words  # it does not tell whether there is such a person


def test_five_failures_lock_and_alert_and_the_right_password_does_not_help(journey, caplog):
    for attempt in range(1, 6):
        assert journey.run(*TRAIN, "--as", "person-1", secrets=(f"a wrong guess, number {attempt}",)).code == 2
    locked = journey.signed("person-1", *TRAIN)
    assert locked.code == 2
    assert "person-1 is locked until" in locked.words
    (alert,) = journey.done(None, "person", "alerts")
    assert (alert["kind"], alert["subject"], alert["open"]) == ("lockout", "person-1", True)
    assert [record.levelno for record in caplog.records if "person-1" in record.message] == [logging.WARNING]
    journey.later(minutes=15, seconds=1)
    assert journey.done(None, "person", "alerts") == []
    journey.done("person-1", *TRAIN)
    assert trained(journey) == [{"course": "aseptic filling", "until": None}]


def test_an_administrator_unlocks_somebody_else(journey):
    for _ in range(5):
        journey.run(*TRAIN, "--as", "person-2", secrets=("not this password",))
    assert "locked" in journey.signed("person-2", *TRAIN).words
    words = ("person", "unlock", "person-2", "--reason", "a new keyboard")
    assert "may not do person.administer" in journey.signed("person-3", *words).words
    journey.done("person-1", *words)
    assert "may not do person.administer" in journey.signed("person-2", *TRAIN).words  # known again
    assert "is not locked" in journey.signed("person-1", *words).words


def test_an_expired_password_is_refused_until_it_is_changed_and_a_retired_person_for_good(journey):
    journey.later(days=91)
    answer = journey.signed("person-1", *TRAIN)
    assert answer.code == 2
    assert "the password of person-1 expired at" in answer.words
    old, new = journey.passwords["person-1"], "nine lazy dogs in a row"
    assert journey.run("person", "password", "person-1", secrets=(old, old, old)).code == 2
    assert journey.run("person", "password", "person-1", secrets=(old, new, new)).code == 0
    assert journey.signed("person-1", *TRAIN).code == 2  # the old one
    journey.passwords["person-1"] = new
    journey.done("person-1", *TRAIN)
    words = ("person", "retire", "person-1", "--reason", "left")
    assert "the last administrator" in journey.signed("person-1", *words).words
    other = journey.enrol("Zhao Min", "administrator")
    journey.done(other, *words)
    assert "identity, password or code is wrong" in journey.signed("person-1", *TRAIN).words


def test_a_stolen_session_ends_with_the_password_the_lockout_and_the_quarter_of_an_hour(journey):
    """Who takes an unlocked person out of a server's memory cannot use them for long, nor for somebody else."""

    def sign(ledger, stolen, actor):
        with signing_as(stolen):
            append_signed(ledger, Draft("batch.reviewed", "B-1", {}, actor), "review")

    with journey.surroundings(), open_ledger(journey.record) as ledger:
        stolen = unlock(ledger, "person-2", journey.passwords["person-2"])
        with pytest.raises(RefusedError):
            sign(ledger, stolen, "person-3")
        sign(ledger, stolen, "person-2")
        journey.later(minutes=16)
        with pytest.raises(RefusedError, match="15 minutes have passed"):
            sign(ledger, stolen, "person-2")
        stolen = unlock(ledger, "person-2", journey.passwords["person-2"])
        new = "nine lazy dogs in a row"
        assert (
            journey.run("person", "password", "person-2", secrets=(journey.passwords["person-2"], new, new)).code == 0
        )
        with pytest.raises(RefusedError, match="has changed since"):
            sign(ledger, stolen, "person-2")


def test_one_command_unlocks_nothing_for_the_next(journey):
    journey.done("person-1", *TRAIN)
    answer = journey.run(*TRAIN, "--as", "person-1")  # standard input is no terminal, and no descriptor is given
    assert answer.code == 2
    assert "there is nobody to ask for the password" in answer.words


def test_a_one_time_code_is_asked_for_and_good_once(journey, tmp_path):
    from base64 import b32decode
    from urllib.parse import parse_qs, urlsplit

    from seedtrain.record._credentials import one_time_code

    password = "nine lazy dogs in a row"  # noqa: S105
    words = ("person", "enrol", "Li Na", "--role", "administrator", "--totp")
    made = journey.signed("person-1", *words, more=(password, password))
    actor = made.data["person"]
    text = parse_qs(urlsplit(made.data["totp"]).query)["secret"][0]
    secret = b32decode(text + "=" * (-len(text) % 8))
    journey.passwords[actor] = password
    assert "ended before the last secret" in journey.signed(actor, *TRAIN).words
    code = one_time_code(secret, int(journey.clock.timestamp()) // 30)
    wrong = f"{(int(code) + 1) % 1000000:06d}"
    assert journey.signed(actor, *TRAIN, code=wrong).code == 2
    assert journey.signed(actor, *TRAIN, code=code).code == 0
    assert journey.signed(actor, *TRAIN, code=code).code == 2  # a replay
    for item in tmp_path.rglob("*"):
        if item.is_file():
            assert secret not in item.read_bytes()
            assert text.encode() not in item.read_bytes()


def test_no_secret_is_an_argument_or_stands_in_a_file_or_an_answer(journey, tmp_path):
    """Through the installed command, so that what is looked at is what the machine's list of processes shows."""
    read, write = os.pipe()
    os.write(write, b"a guess that is wrong\n")
    os.close(write)
    words = [str(COMMAND), *TRAIN, "--as", "person-1", "--record", str(journey.record), "--password-fd", str(read)]
    done = subprocess.run(words, capture_output=True, pass_fds=[read], stdin=subprocess.DEVNULL, check=False)
    os.close(read)
    assert done.returncode == 2
    secrets = [*(text.encode() for text in journey.passwords.values()), b"a guess that is wrong"]
    texts = [item.read_bytes() for item in tmp_path.rglob("*") if item.is_file()] + [done.stdout, done.stderr]
    assert not any(secret in text for secret in secrets for text in texts)
    assert journey.run("person", "train", "person-3", "x", "--password", "y").code == 2  # there is no such argument


def test_the_record_of_all_this_verifies(journey):
    answers = [journey.run(*TRAIN, "--as", "person-2", secrets=("not this password",)) for _ in range(6)]
    assert {answer.code for answer in answers} == {2}
    assert journey.done(None, "record", "verify", journey.record)["verdict"] == "pass"
