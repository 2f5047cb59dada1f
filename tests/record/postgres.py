"""A real PostgreSQL server of this machine, on loopback, in a temporary folder, for as long as the tests run."""

import contextlib
import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from tests.judges import missing


def program(name):
    """The path of `initdb` or `postgres`; None where PostgreSQL is not installed."""
    found = shutil.which(name)
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return found or (str(places[0]) if places else None)


@contextlib.contextmanager
def server():
    """The port of a running server (user `ledger`, trusted), or a skip that says what is missing."""
    initdb, postgres = program("initdb"), program("postgres")
    driver = importlib.util.find_spec("pg8000")
    if not initdb or not postgres or not driver:
        missing("PostgreSQL is not installed: apt-get install postgresql; pip install pg8000")
    user = None
    if os.geteuid() == 0:  # the server refuses to run as root
        user = next(
            (name for name in ("postgres", "nobody") if name in {item.pw_name for item in pwd.getpwall()}), None
        )
    with tempfile.TemporaryDirectory(prefix="seedtrain-postgres-") as name:
        folder = Path(name)
        if user:
            shutil.chown(folder, user)
        command = [initdb, "-D", str(folder / "data"), "-U", "ledger", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(command, check=True, timeout=120, user=user, cwd=folder, capture_output=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [postgres, "-D", str(folder / "data"), "-h", "127.0.0.1", "-p", str(port), "-k", str(folder)]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, user=user, cwd=folder, stdout=log, stderr=log)
        try:
            wait_for(port)
            yield port
        finally:
            process.send_signal(2)  # fast shutdown
            process.wait(60)


def wait_for(port):
    deadline = time.monotonic() + 60
    while True:
        try:
            connection = connect(port)
        except Exception:  # noqa: BLE001  # whatever the driver says while the server starts
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.1)
        else:
            connection.close()
            return


def connect(port, user="ledger"):
    from pg8000.native import Connection  # type: ignore[import-untyped]

    return Connection(user, "127.0.0.1", "postgres", port, timeout=10)


def url(port, folder, ledger, user="ledger"):
    return f"postgresql://{user}@127.0.0.1:{port}/postgres?ledger={ledger}&files={folder}"
