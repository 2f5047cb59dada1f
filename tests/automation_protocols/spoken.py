"""Servers that nobody here wrote, and a virtual plant that speaks everything, for the tests of protocols."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from seedtrain.automation import SpeaksEntry, write_scenario
from seedtrain.automation._served import PlantProcess, start_plant
from tests.automation_opcua.served import small_scenario
from tests.judges import missing, node_judge

HERE = Path(__file__).parent
GROUP = "tests"
DAY_S = 3600.0
"""Process time over real time: a batch of a day in seconds."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def node(script: str) -> list[str]:
    """The command of a judge in JavaScript."""
    folder = HERE / "judge"
    return [node_judge(folder, "sparkplug-payload"), str(folder / script)]


def mosquitto() -> str:
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if found is None:
        missing("mosquitto is not installed: apt-get install mosquitto")
    return found


@contextmanager
def broker(folder: Path, port: int, *lines: str) -> Iterator[int]:
    """A broker that nobody here wrote, on loopback; `lines` of its configuration replace that of an open one."""
    program = mosquitto()
    config = folder / f"mosquitto-{port}.conf"
    settings = lines or (f"listener {port} 127.0.0.1", "allow_anonymous true")
    config.write_text("\n".join([*settings, "persistence false", "user root"]) + "\n")
    process = subprocess.Popen([program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        await_port(port, process)
        yield port
    finally:
        process.kill()
        process.communicate()


def await_port(port: int, process: subprocess.Popen[bytes] | subprocess.Popen[str], seconds: float = 20.0) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if process.poll() is not None:
            raise AssertionError(f"the server ended: {process.stderr.read() if process.stderr else ''!r}")
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"nobody listens on {port}")


@contextmanager
def sila_server(port: int, *files: Path | str) -> Iterator[None]:
    """The SiLA 2 server of unitelabs-cdk; `lock` instead of files: one that can be locked."""
    runs = HERE / "judge_sila" / "venv" / "bin" / "python"
    if not runs.exists():
        missing("unitelabs-cdk is not installed: tests/automation_protocols/judge_sila/install.sh")
    command = [str(runs), str(HERE / "judge_sila" / "server.py"), str(port), *map(str, files)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        await_port(port, process)
        yield
    finally:
        process.kill()
        process.communicate()


@contextmanager
def speaking(
    folder: Path, broker_port: int, *, edge: str = "seedtrain", speed: float | None = DAY_S
) -> Iterator[tuple[PlantProcess, SpeaksEntry]]:
    """A virtual plant for the small recipe that speaks OPC UA, Sparkplug B and Modbus."""
    scenario = folder / "scenario.json"
    write_scenario(scenario, small_scenario())
    speaks = SpeaksEntry.model_validate(
        {
            "sparkplug": {"broker": f"mqtt://127.0.0.1:{broker_port}", "group": GROUP, "edge": edge},
            "modbus": {"port": free_port()},
        }
    )
    plant = start_plant(
        scenario, speed=speed, interval=timedelta(minutes=6), speaks=speaks, register_map=folder / "registers.yaml"
    )
    try:
        yield plant, speaks
    finally:
        plant.stop()


def certificate(folder: Path, name: str, *, host: str = "127.0.0.1", days: int = 2) -> tuple[Path, Path]:
    """A self-signed certificate for a host, and its key."""
    import ipaddress
    from datetime import UTC, datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    alternative: x509.GeneralName = (
        x509.IPAddress(ipaddress.ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=5))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    first, second = folder / f"{name}.pem", folder / f"{name}.key"
    first.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    second.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return first, second
