"""Scenario 10: two operators sign at once: one order, one signature each."""

from itertools import pairwise

import pytest

from tests.gmp_scenarios.child import children
from tests.gmp_scenarios.store import Store


@pytest.fixture(scope="module")
def run():
    with children() as made:
        yield made


def test_two_who_sign_at_once_stand_in_one_order_each_under_their_own_name(run, tmp_path):
    store = Store.ready(tmp_path, clock=None)
    mine = {word: [f"{word}-{number}" for number in range(6)] for word in ("first", "second")}
    ended = run.run(*(store.order(word, *names) for word, names in mine.items()))
    assert [item.codes for item in ended] == [[0] * 6] * 2
    rows = store.events()
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert all(row["prev"] == before["digest"] for before, row in pairwise(rows))
    by_lot = {row["subject"]: row for row in rows if row["type"] == "lot.received"}
    signatures = [row for row in rows if row["type"] == "signature.applied"]
    for word, names in mine.items():
        for name in names:
            (own,) = [row for row in signatures if row["subject"] == name]
            assert own["actor"] == by_lot[name]["actor"] == store.who[word]
            assert own["payload"]["record_digest"] == by_lot[name]["digest"]
    assert len({row["payload"]["nonce"] for row in signatures}) == len(signatures)
    assert store.verified()[0] == 0


def test_two_who_do_the_same_at_once_do_it_once(run, tmp_path):
    store = Store.ready(tmp_path, clock=None)
    names = [f"S-{number}" for number in range(5)]
    ended = run.run(store.order("first", *names), store.order("second", *names))
    assert [item.codes for item in ended] == [[0] * 5] * 2
    for at, name in enumerate(names):
        assert sorted(item.answers[at][1]["fresh"] for item in ended) == [False, True]
        rows = [row for row in store.events("--subject", name) if row["type"] == "lot.received"]
        assert len(rows) == 1
    assert store.verified()[0] == 0
