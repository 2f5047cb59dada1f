"""Alarms after ISA-18.2 and IEC 62682: declared, detected, annunciated, and folded from the record."""

from seedtrain.automation._alarms._act import (
    LONGEST_SHELVING,
    acknowledge_alarm,
    batch_now,
    remove_alarm,
    reset_alarm,
    restore_alarm,
    shelve_alarm,
    unshelve_alarm,
)
from seedtrain.automation._alarms._declare import (
    PRIORITIES,
    Alarm,
    AlarmEntry,
    Priority,
    alarms_of,
    read_alarms,
    recipe_alarms,
)
from seedtrain.automation._alarms._fold import AlarmBook, Standing, alarm_book
from seedtrain.automation._alarms._notify import Notifier, NotifyEntry
from seedtrain.automation._alarms._states import AlarmHappening, AlarmState, next_alarm_state
from seedtrain.automation._alarms._watch import AlarmWatch

__all__ = [
    "LONGEST_SHELVING",
    "PRIORITIES",
    "Alarm",
    "AlarmBook",
    "AlarmEntry",
    "AlarmHappening",
    "AlarmState",
    "AlarmWatch",
    "Notifier",
    "NotifyEntry",
    "Priority",
    "Standing",
    "acknowledge_alarm",
    "alarm_book",
    "alarms_of",
    "batch_now",
    "next_alarm_state",
    "read_alarms",
    "recipe_alarms",
    "remove_alarm",
    "reset_alarm",
    "restore_alarm",
    "shelve_alarm",
    "unshelve_alarm",
]
