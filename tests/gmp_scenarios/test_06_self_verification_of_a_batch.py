"""Scenario 6 in a batch: who ran a phase neither checks it, nor reviews or releases the batch, in whatever role."""

import pytest

from tests.gmp_scenarios.hand import BATCH, SALTS, WATER, Bench
from tests.gmp_scenarios.journey import PASSWORD

EVERYTHING = ("operator", "checker", "shift_leader", "reviewer", "quality_assurance", "quality_control")


@pytest.fixture
def bench(tmp_path):
    found = Bench.ready(tmp_path)
    found.start()
    roles = [word for role in EVERYTHING for word in ("--role", role)]
    found.by("admin", "person", "role", found.who["operator"], *roles, "--reason", "a small centre")
    words = ("person", "enrol", "the  OPERATOR", *roles, "--namesake")
    password = PASSWORD.format("twin")
    twin = found.signed(found.who["admin"], *words, more=(password, password)).data["person"]
    found.passwords[twin] = password
    found.who["twin"] = twin
    for course in ("weighing", "aseptic filling"):
        found.by("admin", "person", "train", twin, course)
    return found


def test_who_weighed_does_not_check_the_weighing(bench):
    bench.run_phase(WATER)
    *steps, (checker, check) = bench.commands(SALTS)
    for word, words in steps:
        bench.later(minutes=1)
        bench.by(word, *words)
    for word in ("operator", "twin"):
        assert "needs another person" in bench.refused(word, *check).words
    bench.by(checker, *check)


def test_who_ran_the_batch_neither_reviews_nor_decides_on_it(bench):
    bench.run_batch()
    before = bench.done(None, "record", "show", bench.record)
    for word, why in (("operator", "ran phases of PBS-001"), ("twin", "is the same person")):
        for words in (("sign-review", BATCH), ("release", BATCH), ("reject", BATCH, "--reason", "tired")):
            assert why in bench.refused(word, "batch", *words).words
    assert bench.done(None, "record", "show", bench.record) == before
