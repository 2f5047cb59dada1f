"""Scenario 7: the clock is set back an hour: the order holds, it is flagged, signing pauses until it is right."""

from tests.gmp_scenarios.store import Store, receipt


def test_a_clock_set_back_is_flagged_and_nobody_signs_until_it_is_right(tmp_path):
    store = Store.ready(tmp_path)
    store.receive("S-1")
    before = store.events()
    store.later(hours=-1)
    refused = store.signed(store.who["first"], *receipt("S-2"))
    assert refused.code == 4
    assert "signing pauses" in refused.words
    assert "Set the clock right" in refused.words
    assert store.lots() == ["S-1"]
    wrong = store.run(*receipt("S-2"), "--as", store.who["first"], secrets=("not the password",))
    assert wrong.code != 0  # what nobody signs goes on being recorded, in its order
    flagged, noted = store.events("--after", before[-1]["seq"])
    assert (flagged["type"], noted["type"]) == ("clock.checked", "person.refused")
    assert flagged["payload"]["state"] == "behind"
    assert 3500 < float(flagged["payload"]["behind_s"]) <= 3600
    assert flagged["recorded_at"] == noted["recorded_at"] == before[-1]["recorded_at"]
    assert flagged["occurred_at"] < flagged["recorded_at"]
    store.later(hours=1, minutes=1)
    store.receive("S-2")
    rows = store.events()
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    times = [row["recorded_at"] for row in rows]
    assert times == sorted(times)
    assert rows[: len(before)] == before
    assert len(store.events("--type", "clock.checked")) == 1
    assert store.verified()[0] == 0


def test_a_second_less_is_the_work_of_a_disciplined_clock_and_no_alarm(tmp_path):
    store = Store.ready(tmp_path)
    store.receive("S-1")
    store.later(minutes=-1, seconds=-0.5)
    store.receive("S-2")
    assert store.events("--type", "clock.checked") == []
    assert store.verified()[0] == 0
