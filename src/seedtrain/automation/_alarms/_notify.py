"""Telling people of alarms: a command of one's own, or e-mail. What became of it goes into the record.

The password of the mail server comes from the environment, never from a file or an argument.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import smtplib
import ssl
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from email.message import EmailMessage
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

PASSWORD: Final = "SEEDTRAIN_SMTP_PASSWORD"  # noqa: S105 - the name of the variable
LONGEST_S: Final = 30.0
TRIES: Final = 3
LAST_PORT: Final = 65_535
_ORDER: Final = ("critical", "high", "medium", "low")
_LOG = logging.getLogger(__name__)
Told = Callable[[Mapping[str, Any], str, str | None], None]
"""What is called with the alarm, how it was told, and why it could not be (None: it was)."""


class MailEntry(BaseModel):
    """A mail server: `server` as host:port; `tls` from its start, after STARTTLS, or `no` (only to this machine)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    server: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:\[\]_-]+:\d{1,5}$")]
    sender: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
    to: Annotated[tuple[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")], ...], Field(min_length=1)]
    user: str = ""
    tls: Literal["start", "starttls", "no"] = "starttls"

    @model_validator(mode="after")
    def _safe(self) -> MailEntry:
        host, _, port = self.server.rpartition(":")
        if not 0 < int(port) <= LAST_PORT:
            raise ValueError(f"mail server {self.server}: there is no port {port} | Write one from 1 to {LAST_PORT}.")
        if self.tls == "no" and host not in ("localhost", "127.0.0.1", "[::1]"):
            raise ValueError(f"mail to {host} without TLS can be read by others | Write `tls: starttls`.")
        return self


class NotifyEntry(BaseModel):
    """One entry of `notify`: a `command` (the alarm comes as JSON on its standard input), or `email`.

    - `priority`: alarms of this priority or a graver one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: tuple[str, ...] = ()
    email: MailEntry | None = None
    priority: Literal["critical", "high", "medium", "low"] = "high"

    @model_validator(mode="after")
    def _one(self) -> NotifyEntry:
        if bool(self.command) == (self.email is not None):
            raise ValueError("a notification needs a way | Give either `command` or `email`.")
        return self

    def wants(self, priority: str) -> bool:
        """Whether an alarm of this priority is told."""
        return _ORDER.index(priority) <= _ORDER.index(self.priority)

    @property
    def way(self) -> str:
        """How it tells, in a word or two."""
        return f"mail to {', '.join(self.email.to)}" if self.email is not None else f"command {self.command[0]}"


class Notifier:
    """Tells alarms one after another in a thread of its own, so that no control waits for a mail server."""

    def __init__(self, entries: Sequence[NotifyEntry], told: Told) -> None:
        self._entries, self._told = tuple(entries), told
        self._waiting: queue.Queue[Mapping[str, Any] | None] = queue.Queue(1000)
        self._thread = threading.Thread(target=self._run, name="alarm notification", daemon=True)
        self._thread.start()

    def tell(self, alarm: Mapping[str, Any]) -> None:
        """Tell those who want to know of it; returns at once. A full queue (a flood) is told as such, once."""
        if any(entry.wants(str(alarm["priority"])) for entry in self._entries):
            try:
                self._waiting.put_nowait(alarm)
            except queue.Full:
                self._told(alarm, "none", "a thousand notifications wait already")

    def close(self) -> None:
        """Tell what waits, and end."""
        self._waiting.put(None)
        self._thread.join(LONGEST_S * TRIES)

    def _run(self) -> None:
        while (alarm := self._waiting.get()) is not None:
            for entry in self._entries:
                if entry.wants(str(alarm["priority"])):
                    self._tell_one(entry, alarm)

    def _tell_one(self, entry: NotifyEntry, alarm: Mapping[str, Any]) -> None:
        """One alarm by one way; whatever hinders it, the next ones are told."""
        fault = _told(entry, alarm)
        try:
            self._told(alarm, entry.way, fault)
        except Exception as error:  # noqa: BLE001 - a record that cannot be written ends no notification
            words = fault or "it was told"
            _LOG.warning("alarm %s by %s: %s; the record has none of it: %s", alarm["alarm"], entry.way, words, error)


def _told(entry: NotifyEntry, alarm: Mapping[str, Any]) -> str | None:
    """Try it; why it could not be told."""
    fault = None
    for _ in range(TRIES):
        try:
            if entry.command:
                _run_command(entry.command, alarm)
            elif entry.email is not None:
                _send(entry.email, alarm)
        except Exception as error:  # noqa: BLE001 - a mail library fails in many ways, and the next alarm is to be told
            fault = f"{type(error).__name__}: {error}"[:200]
            continue
        return None
    return fault


def _run_command(command: Sequence[str], alarm: Mapping[str, Any]) -> None:
    text = json.dumps(alarm, ensure_ascii=False)
    subprocess.run(  # noqa: S603 - the site's own command, no shell
        list(command), input=text, text=True, check=True, capture_output=True, timeout=LONGEST_S
    )


def _send(entry: MailEntry, alarm: Mapping[str, Any]) -> None:
    message = EmailMessage()
    mark = "simulated " if alarm.get("origin") == "simulated" else ""
    message["Subject"] = f"{mark}{alarm['priority']} alarm {alarm['alarm']} of {alarm['unit']}"
    message["From"], message["To"] = entry.sender, ", ".join(entry.to)
    message.set_content("\n".join(f"{name}: {value}" for name, value in alarm.items() if value not in (None, "")))
    host, _, port = entry.server.rpartition(":")
    context = ssl.create_default_context()
    kind = smtplib.SMTP_SSL if entry.tls == "start" else smtplib.SMTP
    more: dict[str, Any] = {"context": context} if entry.tls == "start" else {}
    with kind(host.strip("[]"), int(port), timeout=LONGEST_S, **more) as server:
        if entry.tls == "starttls":
            server.starttls(context=context)
        if entry.user:
            server.login(entry.user, os.environ.get(PASSWORD, ""))
        server.send_message(message)
