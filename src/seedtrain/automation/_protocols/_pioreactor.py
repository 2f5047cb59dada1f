"""Pioreactors behind their leader's broker: what their jobs publish, and how their settings are changed.

**Source** topics `pioreactor/UNIT/EXPERIMENT/JOB/SETTING` and `.../SETTING/set` as core/pioreactor/background_jobs/
base.py documents them, settings of core/pioreactor/automations, messages of core/pioreactor/structs.py
(github.com/Pioreactor/pioreactor, commit 140d4432 of 2026-08-04); setting a target by `.../set`:
forum.pioreactor.com/t/can-we-post-actions-to-the-pioreactor/297.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from seedtrain.automation._devices import Identity, Plain, Quality, Tag, TagValue
from seedtrain.automation._protocols._access import Access
from seedtrain.automation._protocols._address import Address
from seedtrain.automation._protocols._broker import Broker
from seedtrain.base import InputError, UnavailableError

ROOT: Final = "pioreactor"
LISTEN_S: Final = 3.0
CONFIRM_S: Final = 5.0
LOOK_S: Final = 0.02
STATE: Final = "$state"
STATES: Final = ("init", "ready", "sleeping", "disconnected", "lost")
_ALIVE: Final = ("init", "ready", "sleeping")
UNITS: Final[Mapping[tuple[str, str], str]] = {
    ("temperature_automation", "temperature"): "degC",
    ("temperature_automation", "target_temperature"): "degC",
    ("stirring", "measured_rpm"): "1/min",
    ("stirring", "target_rpm"): "1/min",
    ("stirring", "duty_cycle"): "%",
    ("od_reading", "ir_led_intensity"): "%",
    ("od_reading", "interval"): "s",
    ("growth_rate_calculating", "growth_rate"): "1/h",
    ("dosing_automation", "exchange_volume_ml"): "mL",
    ("dosing_automation", "dosing_volume_ml"): "mL",
    ("dosing_automation", "duration"): "min",
    ("dosing_automation", "target_growth_rate"): "1/h",
    ("dosing_events", "add_media"): "mL",
    ("dosing_events", "add_alt_media"): "mL",
    ("dosing_events", "remove_waste"): "mL",
}
"""Units of settings and messages; optical densities have none."""
SETTABLE: Final = frozenset(
    (
        ("temperature_automation", "target_temperature"),
        ("stirring", "target_rpm"),
        ("stirring", "duty_cycle"),
        ("od_reading", "ir_led_intensity"),
        ("od_reading", "interval"),
        ("dosing_automation", "exchange_volume_ml"),
        ("dosing_automation", "dosing_volume_ml"),
        ("dosing_automation", "duration"),
        ("dosing_automation", "target_biomass"),
        ("dosing_automation", "target_growth_rate"),
        ("dosing_automation", "target_normalized_od"),
    )
)
"""Settings that a job takes; so is `$state` of every job (`ready`, `sleeping`, `disconnected`)."""


def read_message(topic: str, raw: bytes, now: datetime) -> dict[str, tuple[Plain | None, datetime]]:
    """What one message says, by tag `UNIT/EXPERIMENT/JOB/SETTING`: each value with its source time (`now` where it
    carries none). An empty message, by which a job takes its setting back, gives None; a strange one gives nothing."""
    parts = topic.split("/")
    if parts[0] != ROOT or len(parts) not in (4, 5) or not all(parts) or parts[-1] == "set":
        return {}
    tag = "/".join(parts[1:])
    if not raw:
        return {tag: (None, now)}
    try:
        text = raw.decode()
        found = json.loads(text) if text[:1] in "{[-.0123456789" else text
    except ValueError:
        return {}
    if isinstance(found, dict):
        return _structured(tag, parts[-1], found, now)
    if isinstance(found, bool) or not isinstance(found, (int, float, str)):
        return {}
    return {tag: (found if isinstance(found, str) else float(found), now)}


def _structured(
    tag: str, setting: str, found: Mapping[str, Any], now: datetime
) -> dict[str, tuple[Plain | None, datetime]]:
    """A message with a time: one value under the setting's own name, an optical density, all of them, or a dose."""
    try:
        when = datetime.fromisoformat(str(found.get("timestamp", now.isoformat())).replace("Z", "+00:00"))
    except ValueError:
        return {}
    when = when if when.tzinfo is not None else when.replace(tzinfo=UTC)
    if setting == "ods" and isinstance(found.get("ods"), dict):
        pairs = {f"{tag}/{channel}": item.get("od") for channel, item in found["ods"].items() if isinstance(item, dict)}
    elif setting == "dosing_events":
        pairs = {f"{tag}/{found.get('event')}": found.get("volume_change")}
    else:
        pairs = {tag: found.get(setting, found.get("od"))}
    return {
        name: (float(value), when)
        for name, value in pairs.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value - value == 0
    }


class PioreactorDevice:
    """The Pioreactors at an address: all, one, or one in one experiment, by the path `pioreactor/UNIT/EXPERIMENT`.

    A tag is `UNIT/EXPERIMENT/JOB/SETTING`; `od_reading/ods/1` is a channel, `dosing_events/add_media` the volume that
    has gone in since we listen. Jobs keep their settings on the broker, so that they are known at once; readings that
    come every few seconds may need a longer `listen`.
    """

    def __init__(
        self,
        address: Address,
        access: Access | None = None,
        *,
        listen: float = LISTEN_S,
        progress: Callable[[float, str], None] = lambda share, words: None,
    ) -> None:
        self._filter = _filter(address)
        self._values: dict[str, tuple[Plain | None, datetime]] = {}
        self._lock = threading.Lock()
        self._broker = Broker(
            address, access, on_message=self._take, on_connect=lambda broker: broker.subscribe([self._filter], qos=1)
        )
        self._broker.open()
        started = time.monotonic()
        while (gone := time.monotonic() - started) < listen:
            progress(gone / listen, str(len(self._values)))
            time.sleep(LOOK_S)

    def _take(self, topic: str, raw: bytes, retained: bool) -> None:
        found = read_message(topic, raw, datetime.now(UTC))
        with self._lock:
            for tag, (value, when) in found.items():
                before = self._values.get(tag, (0.0, when))[0]
                if "/dosing_events/" in tag and isinstance(value, float) and isinstance(before, float):
                    value += before
                self._values[tag] = (value, when)

    @property
    def name(self) -> str:
        """The broker's address."""
        return str(self._broker.address)

    def close(self) -> None:
        """Leave the broker."""
        self._broker.close()

    def identify(self) -> Identity:
        """The Pioreactors that were heard of."""
        with self._lock:
            units = sorted({tag.partition("/")[0] for tag in self._values})
        return Identity(", ".join(units) or self.name, "Pioreactor", "Pioreactor", "measured")

    def tags(self) -> tuple[Tag, ...]:
        """Everything that was heard, and what can be set of jobs that were."""
        with self._lock:
            return tuple(
                Tag(tag, "text" if isinstance(value, str) else "number", UNITS.get(_place(tag), ""), _settable(tag))
                for tag, (value, _) in sorted(self._values.items())
            )

    def _job_state(self, tag: str) -> str:
        unit, experiment, job, *_ = tag.split("/")
        value, _ = self._values.get(f"{unit}/{experiment}/{job}/{STATE}", ("", None))
        return value if isinstance(value, str) else ""

    def read(self, names: Sequence[str]) -> tuple[TagValue, ...]:
        """What was heard last of each; bad once its job is disconnected or lost, or has taken its setting back."""
        found = []
        with self._lock:
            for tag in names:
                if tag not in self._values:
                    raise InputError(
                        f"{self.name} has not been heard to say {tag!r}",
                        remedy="Start the job on the Pioreactor, and wait for its first message.",
                    )
                value, when = self._values[tag]
                state = self._job_state(tag)
                alive = value is not None and (not state or state in _ALIVE or tag.endswith(STATE))
                quality: Quality = "good" if alive else "bad"
                found.append(TagValue(tag, value, UNITS.get(_place(tag), ""), when, quality, "measured"))
        return tuple(found)

    def write(self, values: Mapping[str, Plain]) -> None:
        """Ask the jobs to take settings, and wait until they publish that they have. Nothing is asked where one of
        them cannot be set, or its job does not run."""
        for tag in values:
            if not _settable(tag):
                known = ", ".join(sorted(f"{job}/{name}" for job, name in SETTABLE))
                raise InputError(f"{tag} cannot be set", remedy=f"Set {STATE} of a job, or one of: {known}.")
            with self._lock:
                state = self._job_state(tag)
            if state not in _ALIVE:
                job = tag.split("/")[2]
                remedy = f"Start {job} on the Pioreactor: its settings can be changed while it runs."
                raise UnavailableError(f"{job} does not run (it is {state or 'not heard of'})", remedy=remedy)
        for tag, value in values.items():
            text = value if isinstance(value, str) else json.dumps(value)
            self._broker.publish(f"{ROOT}/{tag}/set", str(text).encode(), qos=1, wait=True)
        self._confirm(dict(values))

    def _confirm(self, wanted: dict[str, Plain]) -> None:
        ends = time.monotonic() + CONFIRM_S
        while wanted:
            with self._lock:
                held = {tag: self._values.get(tag, (None, None))[0] for tag in wanted}
            wanted = {tag: value for tag, value in wanted.items() if held[tag] != value}
            if wanted and time.monotonic() > ends:
                tag, value = next(iter(wanted.items()))
                raise UnavailableError(
                    f"{tag} holds {held[tag]!r}, {CONFIRM_S:g} s after {value!r} was asked for",
                    remedy="Look at the Pioreactor's own log: its job may refuse the value.",
                )
            if wanted:
                time.sleep(LOOK_S)


def _place(tag: str) -> tuple[str, str]:
    parts = tag.split("/")
    return (parts[2], parts[3]) if len(parts) > 3 else ("", "")


def _settable(tag: str) -> bool:
    parts = tag.split("/")
    return len(parts) == 4 and ((parts[2], parts[3]) in SETTABLE or parts[3] == STATE)


def _filter(address: Address) -> str:
    parts = [part for part in address.path.split("/") if part]
    if not parts or parts[0] != ROOT or len(parts) > 3 or any(set(part) & {"+", "#"} for part in parts):
        raise InputError(
            f"{address} does not say which Pioreactors",
            remedy=f"Write the path {ROOT}, {ROOT}/UNIT or {ROOT}/UNIT/EXPERIMENT.",
        )
    return "/".join([*parts, "#"])
