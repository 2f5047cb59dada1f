"""Times as plants count them: ms since 1970 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from seedtrain.base import InputError

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def milliseconds(when: datetime) -> int:
    """ms since 1970."""
    return (when - EPOCH) // timedelta(milliseconds=1)


def moment(number: int) -> datetime:
    """The inverse of `milliseconds`; raises `InputError` beyond what a calendar holds."""
    try:
        return EPOCH + timedelta(milliseconds=number)
    except OverflowError:
        raise InputError(f"{number} ms since 1970 is no time", remedy="Check the sender's clock.") from None
