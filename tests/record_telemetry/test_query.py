"""Questions answer what a plain filter over all that was sent answers, sealed or not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.record import Source, Telemetry, open_ledger, seal_segments
from tests.judges import needs
from tests.record_telemetry.plant import DO, HOUR_US, PH, START, START_US, at, hours, spool, value_of

pytestmark = needs("duckdb", "pyarrow")
MINUTE_US = 60_000_000


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    """Five hours: three sealed and gone from the spool, one sealed and in it too, one running."""
    with open_ledger(tmp_path_factory.mktemp("query") / "record.db") as opened:
        hours(opened, 0, 5)
        seal_segments(opened, keep_h=1)
        yield opened


@settings(max_examples=30)
@given(window=st.tuples(st.integers(-30, 330), st.integers(-30, 330)).filter(lambda pair: pair[0] < pair[1]))
def test_a_window_holds_its_beginning_and_not_its_end(ledger, window):
    sent = START_US + np.arange(0, 5 * HOUR_US, MINUTE_US)
    low, high = (START_US + minute * MINUTE_US for minute in window)
    expected = sent[(sent >= low) & (sent < high)]
    with Telemetry(ledger) as telemetry:
        found = telemetry.trends(["DO", "pH"], at(window[0] / 60), at(window[1] / 60))
    assert [item.tag for item in found] == (["DO", "pH"] if len(expected) else [])
    for trend, number in zip(found, (1, 0), strict=False):
        np.testing.assert_array_equal(trend.time, expected)
        np.testing.assert_array_equal(trend.value, value_of(number, expected))
        assert trend.count == len(expected)


def test_a_trend_says_what_it_is_of(ledger):
    with Telemetry(ledger) as telemetry:
        assert telemetry.tags() == ("DO", "pH")
        (trend,) = telemetry.trends(["pH"])
        assert (trend.tag, trend.unit, trend.device, trend.origin) == PH
        assert telemetry.trends(["pH"], device="another") == ()
        with pytest.raises(InputError, match="no telemetry of 'mystery'") as caught:
            telemetry.trends(["pH", "mystery"])
        assert "DO, pH" in caught.value.remedy
        with pytest.raises(InputError, match="no tag"):
            telemetry.trends([])
        with pytest.raises(InputError, match="is empty"):
            telemetry.trends(["pH"], START, START)


def test_sql_of_ones_own_sees_every_reading(ledger):
    with Telemetry(ledger) as telemetry, telemetry.view(at(1), at(4.5)) as connection:
        query = "SELECT tag, count(*), avg(value) FROM reading GROUP BY tag ORDER BY tag"
        found = connection.execute(query).fetchall()
    times = START_US + np.arange(HOUR_US, 4.5 * HOUR_US, MINUTE_US)
    assert found == [(tag, 210, pytest.approx(value_of(n, times).mean())) for n, tag in ((1, "DO"), (0, "pH"))]


def test_an_open_reader_sees_what_is_sealed_and_what_comes_meanwhile(tmp_path):
    with open_ledger(tmp_path / "record.db") as ledger:
        hours(ledger, 0, 1)
        with Telemetry(ledger) as telemetry:
            assert telemetry.trends(["pH"])[0].count == 60
            seal_segments(ledger, everything=True, keep_h=0)
            assert telemetry.trends(["pH"])[0].count == 60
            hours(ledger, 1, 3)
            assert telemetry.trends(["pH"])[0].count == 180
            seal_segments(ledger, keep_h=0)
            assert telemetry.trends(["pH"])[0].count == 180


def test_what_was_sent_twice_is_there_once_and_another_value_is_kept(tmp_path):
    with open_ledger(tmp_path / "record.db") as ledger:
        times = START_US + np.arange(10) * MINUTE_US
        for _ in range(2):  # back-filled after a lost connection
            with spool(ledger) as target:
                target.put_many(PH, times, np.arange(10.0))
                target.put_many(PH, [START_US - 1], [np.nan], [2])
            seal_segments(ledger, everything=True)
        with spool(ledger) as target:
            target.put_many(PH, times[:1], [99.0])
        with Telemetry(ledger) as telemetry:
            (trend,) = telemetry.trends(["pH"])
    assert trend.count == 12
    assert sorted(trend.value[1:3].tolist()) == [0.0, 99.0]


@pytest.mark.parametrize("name", ["it's", 'a "quoted" tag', "x'); DROP VIEW reading; --", "温度", "100 %"])
def test_any_name_of_a_tag_is_found(tmp_path, name):
    with open_ledger(tmp_path / "record.db") as ledger:
        for _ in range(2):
            with spool(ledger) as target:
                target.put_many(Source(name, "degC", name, "measured"), [START_US], [37.0])
                target.put_many(DO, [START_US], [40.0])
            with Telemetry(ledger) as telemetry:
                (trend,) = telemetry.trends([name], device=name)
                assert (trend.tag, trend.value.tolist()) == (name, [37.0])
            seal_segments(ledger, everything=True, keep_h=0)


def test_a_mean_leaves_out_what_is_bad_and_keeps_the_worst_quality(tmp_path):
    with open_ledger(tmp_path / "record.db") as ledger:
        with spool(ledger) as target:
            times = START_US + np.array([0, 1, 2, 60, 61, 130]) * 1_000_000
            target.put_many(PH, times, [1.0, 3.0, np.nan, 5.0, 7.0, np.nan], [0, 1, 2, 0, 0, 2])
        with Telemetry(ledger) as telemetry:
            mean = telemetry.trends(["pH"])[0].averaged(60)
    assert mean.time.tolist() == [START_US, START_US + MINUTE_US]
    assert mean.value.tolist() == [2.0, 6.0]
    assert mean.quality.tolist() == [2, 0]
    with pytest.raises(InputError, match="a mean over 0"):
        mean.averaged(0)
