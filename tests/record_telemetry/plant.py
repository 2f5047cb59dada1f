"""Readings to spool, and what every test of telemetry shares."""

from datetime import UTC, datetime, timedelta

import numpy as np

from seedtrain.record import Source, Spool, telemetry_path

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
START_US = int(START.timestamp()) * 1_000_000
HOUR_US = 3_600_000_000
PH = Source("pH", "1", "T1-AE1", "simulated")
DO = Source("DO", "%", "T1-AE2", "measured")


def spool(ledger, **options):
    """The spool of a ledger."""
    return Spool(telemetry_path(ledger.path), **options)


def hours(ledger, first, last, sources=(PH, DO), step_s=60):
    """Put readings of whole hours [first, last), the value of each telling its source and time; returns how many."""
    count = 0
    with spool(ledger) as target:
        for hour in range(first, last):
            time = START_US + hour * HOUR_US + np.arange(0, 3600, step_s) * 1_000_000
            for number, source in enumerate(sources):
                target.put_many(source, time, value_of(number, time))
                count += len(time)
            target.flush()
    return count


def value_of(number, time):
    """What source `number` reads at a time."""
    return number * 1000.0 + (np.asarray(time) - START_US) / HOUR_US


def at(hours):
    """A time so many hours after the start."""
    return START + timedelta(hours=hours)
