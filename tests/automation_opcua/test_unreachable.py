"""Servers that are not there, or do not answer: who asks is told so, with what to do, and can always leave."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading

import pytest

from seedtrain.automation._opcua import Session
from seedtrain.base import UnavailableError
from tests.worked import COMMAND, called


def test_one_that_is_not_there_is_told_without_a_word_of_a_batch():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # nobody listens
        said = called("plant", "browse", f"opc.tcp://127.0.0.1:{probe.getsockname()[1]}", "--json")
    assert said.code == 4
    (error,) = said.document["errors"]
    assert "cannot be reached: [Errno 111]" in error["message"]
    assert "try again" in error["remedy"]
    assert "batch" not in error["remedy"]


def test_one_that_never_answers_is_told_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("seedtrain.automation._opcua._session.CONNECT_S", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        session = Session(f"opc.tcp://127.0.0.1:{silent.getsockname()[1]}", patience=0.1)
        try:
            with pytest.raises(UnavailableError, match="cannot be reached: no answer in time"):
                session.read(["i=2258"])
        finally:
            session.close()


def test_a_command_that_is_interrupted_says_what_became_of_it():
    """While it waits for a server that never answers."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"opc.tcp://127.0.0.1:{silent.getsockname()[1]}"
        process = subprocess.Popen([str(COMMAND), "plant", "browse", url], stdout=-1, stderr=-1, text=True)
        late = threading.Timer(60.0, process.kill)
        late.start()
        try:
            connection, _ = silent.accept()
            with connection:
                connection.recv(1)
                process.send_signal(signal.SIGINT)
                _, said = process.communicate()
        finally:
            late.cancel()
    assert process.returncode == 130
    assert said.strip().splitlines()[-1] == "interrupted: what was finished is kept, the same command goes on"
    assert "Traceback" not in said
