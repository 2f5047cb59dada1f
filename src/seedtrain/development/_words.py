"""The words that people read for the keys of this room's results, in the language in use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from seedtrain.base import translate as _

_WORDS: Final[Mapping[str, Callable[[], str]]] = {
    "raw_materials": lambda: _("raw materials"),
    "consumables": lambda: _("consumables"),
    "utilities": lambda: _("utilities"),
    "labour": lambda: _("labour"),
    "quality_control": lambda: _("quality control"),
    "facility": lambda: _("facility"),
    "waste": lambda: _("waste"),
    "power_per_volume": lambda: _("power per volume"),
    "tip_speed": lambda: _("tip speed"),
    "mixing_time": lambda: _("mixing time"),
    "gas_velocity": lambda: _("gas velocity"),
    "kLa": lambda: _("oxygen transfer coefficient kLa"),
    "oxygen": lambda: _("oxygen transfer"),
    "cooling": lambda: _("cooling"),
    "none": lambda: _("no limit"),
}


def words(key: str) -> str:
    """`key` of a part, a criterion or a limit as people read it; any other key with its underscores as spaces."""
    found = _WORDS.get(key)
    return found() if found else key.replace("_", " ")
