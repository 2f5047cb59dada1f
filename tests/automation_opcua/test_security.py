"""Signed and encrypted connections: trusted certificates and the right password get in, everything else is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from seedtrain.automation._opcua import Session, browse, draft_mapping, parse_mapping
from seedtrain.automation._scenario import write_scenario
from seedtrain.automation._security import PASSWORD, Security
from seedtrain.automation._served import PlantProcess, start_plant
from seedtrain.base import InputError, InputErrors, UnavailableError
from seedtrain.recipe import State
from tests.automation_opcua.served import driven, small_scenario


@dataclass(frozen=True)
class Identity:
    certificate: Path
    key: Path


def identity(folder: Path, name: str, *, days: int = 30) -> Identity:
    """A self-signed certificate as OPC UA wants it (part 6, 6.2.2), valid for `days` from a year ago or from now."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import NameOID

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime.now(UTC) - timedelta(days=365 if days < 0 else 1)
    end = datetime.now(UTC) + timedelta(days=days)
    builder = x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end)
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(f"urn:test:{name}"), x509.DNSName("localhost")])
    certificate = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    found = Identity(folder / f"{name}.pem", folder / f"{name}-key.pem")
    found.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    found.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return found


@dataclass(frozen=True)
class Place:
    folder: Path
    server: Identity
    client: Identity
    process: PlantProcess

    @property
    def security(self) -> Security:
        return Security(self.client.certificate, self.client.key, (self.server.certificate,), "operator")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("secure")
    server, client = identity(folder, "server"), identity(folder, "client")
    write_scenario(folder / "scenario.json", small_scenario())
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(PASSWORD, "right")
        security = Security(server.certificate, server.key, (client.certificate,), "operator")
        process = start_plant(folder / "scenario.json", security=security)
    yield Place(folder, server, client, process)
    process.stop()


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(PASSWORD, "right")


def ask(place: Place, security: Security | None) -> str:
    session = Session(place.process.url, patience=0.3, security=security)
    try:
        return draft_mapping(browse(session), place.process.url)
    finally:
        session.close()


def test_a_trusted_client_with_the_right_user_drives_the_plant(place: Place):
    text = ask(place, place.security)
    lines = ["security:", "  certificate: client.pem", "  private_key: client-key.pem"]
    lines += ["  server_certificate: server.pem", "  user: operator", "clock:"]
    mapping = parse_mapping(text.replace("clock:", "\n".join(lines), 1), str(place.folder / "mapping.yaml"))
    with driven(mapping) as device:
        assert device.unit("T").state is State.IDLE


def test_a_wrong_password_is_refused(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(PASSWORD, "wrong")
    with pytest.raises(InputError, match="refuses this user") as caught:
        ask(place, place.security)
    assert "wrong" not in str(caught.value)


def test_a_user_without_a_password_is_refused(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(PASSWORD)
    with pytest.raises(InputError, match="no password") as caught:
        ask(place, place.security)
    assert PASSWORD in caught.value.remedy


@pytest.mark.parametrize("way", ["in the clear", "a stranger", "nobody"])
def test_everybody_else_stays_outside(place: Place, way: str):
    stranger = identity(place.folder, "stranger")
    security = {
        "in the clear": None,
        "a stranger": replace(place.security, certificate=stranger.certificate, private_key=stranger.key),
        "nobody": replace(place.security, user=""),
    }[way]
    with pytest.raises((InputError, UnavailableError)):
        ask(place, security)


@pytest.mark.parametrize("user", ["", "operator"])
def test_a_client_that_minds_no_endpoint_stays_outside_too(place: Place, user: str, monkeypatch: pytest.MonkeyPatch):
    """A server leaves a clear channel open for discovery: nobody gets a session through it, not with the password."""
    import asyncio

    from asyncua import Client, ua

    monkeypatch.setattr(Client, "find_endpoint", staticmethod(lambda endpoints, *_: endpoints[0]))

    async def enter() -> None:
        client = Client(place.process.url)
        if user:
            client.set_user(user)
            client.set_password("right")
        await client.connect()

    with pytest.raises((ua.uaerrors.BadUserAccessDenied, ua.uaerrors.BadIdentityTokenRejected)):
        asyncio.run(enter())


def test_an_expired_certificate_is_refused_before_anything_is_sent(place: Place):
    old = identity(place.folder, "old", days=-1)
    for security in (
        replace(place.security, certificate=old.certificate, private_key=old.key),
        replace(place.security, trusted=(old.certificate,)),
    ):
        with pytest.raises(InputErrors, match="the certificate expired on") as caught:
            Session("opc.tcp://127.0.0.1:1", security=security)
        assert caught.value.position is not None
        assert caught.value.position.file.endswith("old.pem")
    server = Security(old.certificate, old.key, (place.client.certificate,))
    with pytest.raises(InputError, match="expired"):
        start_plant(place.folder / "scenario.json", security=server)


def test_all_faults_of_the_files_at_once(tmp_path: Path):
    (tmp_path / "text.pem").write_text("no certificate")
    with pytest.raises(InputErrors) as caught:
        Security(tmp_path / "text.pem", tmp_path / "key.pem", (tmp_path / "gone.der",)).check()
    words = [error.message for error in caught.value.parts]
    assert words[0] == "this is not a certificate"
    assert "cannot be read" in words[1]
    assert words[2] == "there is no such private key"
