"""Mail of an alarm, as a server of its own hears it; and what stands in the record where nobody listens."""

from __future__ import annotations

import logging
import socketserver
import sys
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from seedtrain.automation import Alarm, AlarmWatch, NotifyEntry
from seedtrain.automation._alarms._notify import Notifier
from seedtrain.quantity import Quantity
from seedtrain.record import Draft, open_ledger

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)


class Mailbox(socketserver.StreamRequestHandler):
    """The least of RFC 5321: greets, takes one message, says goodbye."""

    def handle(self) -> None:
        assert isinstance(self.server, Server)
        self._say("220 here")
        inside = False
        for raw in self.rfile:
            line = raw.decode().rstrip("\r\n")
            self.server.heard.append(line)
            if inside:
                inside = line != "."
                if not inside:
                    self._say("250 kept")
                continue
            inside = line.upper() == "DATA"
            ends = line.upper() == "QUIT"
            self._say("354 go on" if inside else "221 bye" if ends else "250 well")
            if ends:
                return

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Mailbox)
        self.heard: list[str] = []


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def raised(folder: Path, port: int) -> dict[str, object]:
    """What the record says of telling an alarm by mail to this port."""
    mail = {"server": f"127.0.0.1:{port}", "sender": "plant@example.org", "to": ["shift@example.org"], "tls": "no"}
    notify = NotifyEntry.model_validate({"email": mail, "priority": "high"})
    alarm = Alarm("T", "pH", "pH.low", "low", Quantity(6.6, ""), priority="critical")
    with open_ledger(folder / "record.db") as ledger:
        ledger.append(Draft("batch.created", "B-1", {"origin": "simulated"}, "system", AT))
        watch = AlarmWatch(ledger, "B-1", [alarm], origin="simulated", notify=[notify])
        watch.see("T", "pH", 6.0, "", "good", AT)
        watch.close()
        (told,) = ledger.events(subject="B-1", type="alarm.notified")
        return dict(told.payload)


def test_an_alarm_is_mailed_and_marked_simulated(tmp_path: Path, server: Server) -> None:
    told = raised(tmp_path, server.server_address[1])
    assert (told["told"], told["fault"], told["way"]) == (True, None, "mail to shift@example.org")
    assert "rcpt TO:<shift@example.org>" in server.heard
    assert "Subject: simulated critical alarm pH.low of T" in server.heard
    assert "value: 6" in server.heard


def test_a_mail_that_nobody_takes_is_told_and_stands_in_the_record(
    tmp_path: Path, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    port = server.server_address[1]
    server.shutdown()
    server.server_close()
    with caplog.at_level(logging.WARNING):
        told = raised(tmp_path, port)
    assert told["told"] is False
    assert "ConnectionRefusedError" in str(told["fault"])
    assert "nobody was told of the alarm pH.low by mail to shift@example.org" in caplog.text


def test_whatever_a_way_fails_by_the_next_alarm_is_told(tmp_path: Path, server: Server) -> None:
    """A letter that no mail header takes, and a record that cannot be written: neither ends the notifications."""
    port = server.server_address[1]
    mail = {"server": f"127.0.0.1:{port}", "sender": "plant@example.org", "tls": "no", "priority": "low"}
    ways: list[dict[str, object]] = [
        {"email": mail_to(mail, "schicht\N{LATIN SMALL LETTER U WITH DIAERESIS}@example.org")}
    ]
    ways += [{"command": ["\0"]}, {"email": mail_to(mail, "shift@example.org")}]
    told: list[tuple[str, str, str | None]] = []

    def record(alarm: Mapping[str, Any], way: str, fault: str | None) -> None:
        told.append((str(alarm["alarm"]), way.partition(" ")[2], fault))
        if len(told) == 1:
            raise OSError("the disk is full")

    notifier = Notifier([NotifyEntry.model_validate({**way, "priority": "low"}) for way in ways], record)
    for name in ("first", "second"):
        notifier.tell({"alarm": name, "priority": "low", "unit": "T", "origin": "simulated"})
    notifier.close()
    assert [(name, fault is None) for name, _, fault in told] == [
        (name, well) for name in ("first", "second") for well in (False, False, True)
    ]
    assert sum("Subject:" in line for line in server.heard) == 2


def mail_to(mail: dict[str, str], whom: str) -> dict[str, object]:
    return {**{key: value for key, value in mail.items() if key != "priority"}, "to": [whom]}


def test_what_fails_is_tried_again(tmp_path: Path) -> None:
    """A command that fails twice is told at its third try."""
    tries, told = tmp_path / "tries", list[tuple[str, str | None]]()
    script = f"import pathlib; p = pathlib.Path({str(tries)!r}); t = p.read_text() if p.exists() else ''; "
    script += "p.write_text(t + 'x'); raise SystemExit(len(t) < 2)"
    notify = NotifyEntry(command=(sys.executable, "-c", script), priority="medium")
    notifier = Notifier([notify], lambda alarm, way, fault: told.append((way, fault)))
    notifier.tell({"alarm": "a", "priority": "low", "unit": "T"})  # less grave than who wants to know
    notifier.tell({"alarm": "b", "priority": "medium", "unit": "T"})
    notifier.close()
    assert told == [(notify.way, None)]
    assert tries.read_text() == "xxx"


def test_a_flood_is_told_and_stops_nobody(tmp_path: Path) -> None:
    gate, told = threading.Event(), list[tuple[str, str | None]]()

    def record(alarm: Mapping[str, Any], way: str, fault: str | None) -> None:
        told.append((way, fault))
        if way != "none":
            gate.wait(60.0)

    notifier = Notifier([NotifyEntry(command=(str(tmp_path / "none"),), priority="high")], record)
    for _ in range(1002):  # one is being told, a thousand wait
        notifier.tell({"alarm": "c", "priority": "high", "unit": "T"})
    assert told[-1] == ("none", "a thousand notifications wait already")
    gate.set()
    notifier.close()


def test_a_mail_server_without_a_port_of_tcp_is_refused() -> None:
    mail = {"server": "mail.example.org:99999", "sender": "plant@example.org", "to": ["shift@example.org"]}
    with pytest.raises(ValueError, match="there is no port 99999"):
        NotifyEntry.model_validate({"email": mail})
