"""People: two components, lockout, ageing, identities, four eyes, signatures that stay where they are, training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from seedtrain.gmp._authority import another_person, authorise
from seedtrain.gmp._qualify._bench import Bench, Clock, expect, refused
from seedtrain.record import (
    Draft,
    Ledger,
    access,
    change_password,
    different_people,
    enrol_person,
    open_ledger,
    retire,
    sign,
    signing_as,
    train,
    unlock,
)

SECRET: Final = "four quick brown foxes"  # noqa: S105  # of people who live for one check
OTHER: Final = "five slow green turtles"


def _person(ledger: Ledger, name: str = "A person", role: str = "operator", **more: Any) -> str:
    return enrol_person(ledger, name, [role], password=SECRET, **more)


def two_components(bench: Bench) -> list[str]:
    """OQ-04."""
    with bench.ledger() as ledger:
        actor = _person(ledger)
        event = ledger.append(Draft("check.noted", "s", {}, actor))[0]
        lines = [refused(lambda: sign(ledger, actor, event.digest, "checked"), "signing without a password")]
        lines.append(refused(lambda: unlock(ledger, actor, OTHER), "a wrong password"))
        lines.append(refused(lambda: unlock(ledger, "person-99", SECRET), "an identity that nobody has"))
        with signing_as(unlock(ledger, actor, SECRET)):
            made = sign(ledger, actor, event.digest, "checked")
        expect(made.actor == actor, "the signature is somebody else's")
        lines.append(refused(lambda: sign(ledger, actor, event.digest, "again"), "signing after the session"))
        shown: list[str] = []
        coded = enrol_person(ledger, "With a code", ["operator"], password=SECRET, totp=True, show=shown.append)
        lines.append(refused(lambda: unlock(ledger, coded, SECRET), "a password without its one-time code"))
    return lines


def lockout(bench: Bench) -> list[str]:
    """OQ-05."""
    clock = Clock()
    with bench.ledger(clock) as ledger:
        actor, path = _person(ledger), ledger.path
        for _ in range(5):
            refused(lambda: unlock(ledger, actor, OTHER), "a wrong password")
        count = sum(1 for _ in ledger.events(subject=actor, type="person.refused"))
        expect(count == 5, f"{count} of 5 failed attempts are recorded")
        until = access(ledger, actor).locked_until
        expect(until, "five failures do not lock")
    with open_ledger(path, clock=clock) as again:
        words = refused(lambda: unlock(again, actor, SECRET), "the right password while locked, after a restart")
        clock.later(minutes=16)
        unlock(again, actor, SECRET)
    return ["5 failed attempts recorded", words, "open again after the time is over"]


def ageing(bench: Bench) -> list[str]:
    """OQ-06."""
    clock = Clock()
    with bench.ledger(clock) as ledger:
        actor = _person(ledger, days=30)
        clock.later(days=31)
        words = refused(lambda: unlock(ledger, actor, SECRET), "an expired password")
        change_password(ledger, actor, SECRET, OTHER)
        unlock(ledger, actor, OTHER)
        old = refused(lambda: unlock(ledger, actor, SECRET), "the old password after a change")
    return [words, f"the old password after a change: {old}"]


def identities(bench: Bench) -> list[str]:
    """OQ-07."""
    with bench.ledger() as ledger:
        first = _person(ledger)
        event = ledger.append(Draft("check.noted", "s", {}, first))[0]
        unlocked = unlock(ledger, first, SECRET)
        retire(ledger, first, "left")
        with signing_as(unlocked):
            words = refused(lambda: sign(ledger, first, event.digest, "checked"), "signing after retirement")
        second = _person(ledger, "Another person")
        expect(second != first, "an identity was given twice")
        enrolled = ledger.enrolment(second)
        assert enrolled is not None
        draft = Draft("person.enrolled", first, enrolled.payload, "system")
        again = refused(lambda: ledger.append(draft), "enrolling a retired identity again")
    return [words, again]


def four_eyes(bench: Bench) -> list[str]:
    """OQ-08."""
    with bench.ledger() as ledger:
        one = enrol_person(ledger, "Wang Fang", ["operator", "quality_assurance"], scripted=True)
        same = enrol_person(ledger, "wang  fang", ["checker"], scripted=True)
        other = enrol_person(ledger, "Li Na", ["checker"], scripted=True)
        expect(not different_people(ledger, one, one), "one identity counts as two people")
        expect(not different_people(ledger, one, same), "two identities of one name count as two people")
        expect(different_people(ledger, one, other), "two people do not count as two")
        return [
            refused(lambda: another_person(ledger, one, [one], "the check"), "one identity"),
            refused(lambda: another_person(ledger, same, [one], "the check"), "another identity of the same name"),
        ]


def bound_signature(bench: Bench) -> list[str]:
    """OQ-09: a real signature, put to another record, meaning and person."""
    with bench.ledger() as ledger:
        actor = enrol_person(ledger, "A script", ["checker"], scripted=True)
        other = enrol_person(ledger, "Another", ["checker"], scripted=True)
        first = ledger.append(Draft("check.noted", "s", {"n": "1"}, actor))[0]
        second = ledger.append(Draft("check.noted", "s", {"n": "2"}, actor))[0]
        made = sign(ledger, actor, first.digest, "reviewed")
        payload = dict(made.payload)

        def replay(changed: dict[str, str], who: str, identity: str | None) -> Callable[[], object]:
            return lambda: ledger.append(Draft("signature.applied", "s", {**payload, **changed}, who, id=identity))

        return [
            "another record: " + refused(replay({"record_digest": second.digest}, actor, "a" * 32), "another record"),
            "another meaning: " + refused(replay({"meaning": "approved"}, actor, "b" * 32), "another meaning"),
            "another person: " + refused(replay({}, other, "c" * 32), "another person"),
            "the same once more: " + refused(replay({}, actor, "d" * 32), "a replay"),
        ]


def authority(bench: Bench) -> list[str]:
    """OQ-10."""
    with bench.ledger() as ledger:
        operator = enrol_person(ledger, "The operator", ["operator"], scripted=True)
        authorise(ledger, operator, "batch.execute")
        lines = [refused(lambda: authorise(ledger, operator, "batch.release"), "an operator who releases")]
        lines.append(refused(lambda: authorise(ledger, "person-9", "batch.execute"), "a stranger"))
    return lines


def training(bench: Bench) -> list[str]:
    """OQ-11."""
    clock = Clock()
    with bench.ledger(clock) as ledger:
        operator = enrol_person(ledger, "The operator", ["operator"], scripted=True)

        def wanted() -> object:
            return authorise(ledger, operator, "batch.execute", "weighing")

        before = refused(wanted, "work without its training")
        train(ledger, operator, "weighing", until="2026-02-01T00:00:00Z")
        wanted()
        clock.later(days=60)
        lapsed = refused(wanted, "work after the training has lapsed")
    return [before, lapsed]


CHECKS: Final[dict[str, Callable[[Bench], list[str]]]] = {
    "OQ-04": two_components,
    "OQ-05": lockout,
    "OQ-06": ageing,
    "OQ-07": identities,
    "OQ-08": four_eyes,
    "OQ-09": bound_signature,
    "OQ-10": authority,
    "OQ-11": training,
}
