"""Moments and durations as tables write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

DOTTED: Final = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:,?[ T]+(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?))?")
SLASHED: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?:,? +\d{1,2}:\d{2}(:\d{2})?( *[AaPp][Mm])?)?")
DURATION: Final = re.compile(r"(?:(\d+) days?, )?(\d{1,4}):(\d{2})(?::(\d{2}(?:\.\d+)?))?")


def moment(text: str, form: str = "") -> datetime:
    """A moment as `form` says (of strptime), or as ISO 8601, 2026/03/01 8:00 or 01.03.2026 08:00 (the day first).

    Raises `ValueError` for anything else: 03/04/2026 may be March or April, so that it needs a form.
    """
    if form:
        return datetime.strptime(text, form)
    dotted = DOTTED.fullmatch(text)
    if dotted:
        day, month, year, time = dotted.groups()
        hours = [float(part) for part in (time or "0:0").split(":")] + [0.0]
        second = hours[2]
        return datetime(int(year), int(month), int(day), int(hours[0]), int(hours[1]), int(second),
                        round(second % 1 * 1e6))  # fmt: skip
    match = re.fullmatch(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})(.*)", text)
    if match:
        rest = re.sub(r"^[ T]+(\d):", r" 0\1:", match[4])
        text = f"{match[1]}-{int(match[2]):02d}-{int(match[3]):02d}{rest}"
    return datetime.fromisoformat(text)


def duration(text: str) -> float:
    """Hours of 12:30, 12:30:15 or `1 day, 12:30:00`; raises `ValueError` for anything else."""
    match = DURATION.fullmatch(text)
    if not match or int(match[3]) > 59:
        raise ValueError(text)
    days, hours, minutes, seconds = match.groups()
    return 24.0 * float(days or 0) + float(hours) + float(minutes) / 60 + float(seconds or 0) / 3600


def clock(text: str) -> float:
    """Hours since midnight of 22:30, 22:30:15 or 10:30 PM; raises `ValueError` for anything else."""
    half = text.strip()[-2:].upper()
    if half not in ("AM", "PM"):
        hours = duration(text)
    else:
        hours = duration(text.strip()[:-2].strip())
        if not 1 <= hours < 13:
            raise ValueError(text)
        hours = hours % 12 + (12 if half == "PM" else 0)
    if hours >= 24:
        raise ValueError(text)
    return hours


def day_at(day: str, time: str, form: str = "") -> datetime:
    """A day and the time of it, of two cells: the day as `moment` reads it, the time as `clock` does."""
    begins = moment(day, form).replace(hour=0, minute=0, second=0, microsecond=0)
    return begins + timedelta(hours=clock(time))


def form_of(cells: Sequence[str]) -> tuple[str, bool]:
    """The form of dates with slashes, and whether it is sure (a day beyond 12 stood somewhere); empty for others.

    Where it is not sure, the days that lie nearer together are taken: 3/4 and 3/5 are a day apart, not a month.
    """
    found = [match for match in map(SLASHED.fullmatch, filter(None, cells)) if match]
    if not found or len(found) < sum(map(bool, cells)):
        return "", True
    one, other = (max(int(match[at]) for match in found) for at in (1, 2))
    form = "%m/%d/%Y" if other > 12 or (one <= 12 and _spans(found, 1, 2) < _spans(found, 2, 1)) else "%d/%m/%Y"
    whole, seconds, half = found[0][0], found[0][4], found[0][5]
    clock = "" if ":" not in whole else " %I:%M" if half else " %H:%M"
    clock += ":%S" if seconds else ""
    clock += (" %p" if " " in half else "%p") if half else ""
    return form + clock, one > 12 or other > 12


def _spans(found: Sequence[re.Match[str]], month: int, day: int) -> int:
    """Days from the first to the last date, with the month and the day in these groups."""
    days = [date(int(match[3]), int(match[month]), min(int(match[day]), 28)).toordinal() for match in found]
    return max(days) - min(days)
