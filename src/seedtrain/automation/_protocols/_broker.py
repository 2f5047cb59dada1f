"""One connection to an MQTT broker, 5.0 or 3.1.1, with TLS and a user where they are wanted."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from seedtrain.automation._protocols._access import Access
from seedtrain.automation._protocols._address import Address
from seedtrain.base import InputError, UnavailableError

CONNECT_S: Final = 10.0
"""s that a broker may take to let us in."""
PUBLISH_S: Final = 10.0
KEEP_ALIVE_S: Final = 20
_NOT_LET_IN: Final = ("Bad user name or password", "Not authorized")


@dataclass(frozen=True)
class Will:
    """What the broker publishes when we are gone without a word."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


class Broker:
    """A client of one broker. Lost connections come back by themselves; `on_connect` runs after each.

    - `on_message`: told topic, payload and whether it was retained, on the network's thread.
    - `make_will`: asked before each connection; without it there is none.
    - `version`: 5 or 311. `client_id`: empty for one that the library draws.

    Raises, when it is opened, `InputError` for a certificate or a user that is refused, and `UnavailableError` where
    nobody answers or paho-mqtt is not installed.
    """

    def __init__(
        self,
        address: Address,
        access: Access | None = None,
        *,
        on_message: Callable[[str, bytes, bool], None],
        on_connect: Callable[[Broker], None] = lambda broker: None,
        make_will: Callable[[], Will] | None = None,
        version: int = 5,
        client_id: str = "",
        patience: float = CONNECT_S,
    ) -> None:
        self.address = address
        self._access = access or Access()
        self._on_message, self._on_connect, self._make_will = on_message, on_connect, make_will
        self._patience = patience
        self._answer: str | None = None
        self._answered = threading.Event()
        self.connected = threading.Event()
        self.connections = 0
        self.failures: list[Exception] = []
        self._client = self._made(version, client_id)

    def _made(self, version: int, client_id: str) -> Any:
        try:
            from paho.mqtt import client as mqtt
            from paho.mqtt.enums import CallbackAPIVersion
        except ModuleNotFoundError as error:
            raise UnavailableError(
                f"MQTT needs the package {error.name}", remedy="Install it with: pip install seedtrain[protocols]"
            ) from None
        protocol = {5: mqtt.MQTTv5, 311: mqtt.MQTTv311}[version]
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=protocol)
        self._check_secrecy()
        if self._access.user:
            client.username_pw_set(self._access.user, self._access.password)
        if self.address.scheme == "mqtts":
            client.tls_set_context(self._access.context())
        client.reconnect_delay_set(min_delay=1, max_delay=10)
        client.on_connect, client.on_disconnect, client.on_message = self._joined, self._left, self._heard
        return client

    def _check_secrecy(self) -> None:
        """A password never leaves this machine unencrypted."""
        if self._access.user and self.address.scheme == "mqtt" and not self.address.on_loopback:
            raise InputError(
                f"the password of {self._access.user!r} would go to {self.address.host} for everybody to read",
                remedy="Use mqtts://.",
            )

    def open(self) -> None:
        """Connect, and wait until the broker has let us in."""
        self._set_will()
        try:
            self._shake_hands()
            self._client.connect(self.address.host, self.address.port, keepalive=KEEP_ALIVE_S)
        except ssl.SSLError as error:
            raise self._distrust(error) from None
        except (OSError, ValueError) as error:
            words = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise self._away(words) from None
        self._client.loop_start()
        if not self._answered.wait(self._patience):
            self.close()
            raise self._away(f"no answer within {self._patience:g} s")
        if self._answer:
            self.close()
            if self._answer in _NOT_LET_IN:
                raise InputError(
                    f"{self.address} refuses {self._access.user or 'a client without a user'}: {self._answer}",
                    remedy="Check user, password and rights on the broker.",
                )
            raise self._away(self._answer)

    def _shake_hands(self) -> None:
        """TLS first with a socket of our own: paho leaves its own open where a handshake fails."""
        if self.address.scheme != "mqtts":
            return
        host, context = self.address.host, self._access.context()
        with (
            socket.create_connection((host, self.address.port), self._patience) as raw,
            context.wrap_socket(raw, server_hostname=host),
        ):
            pass

    def _distrust(self, error: ssl.SSLError) -> InputError:
        why = getattr(error, "verify_message", "") or error.reason or str(error)
        return InputError(
            f"{self.address} and we do not trust each other: {why}",
            remedy="Name the certificate of the server, or of who issued it, and ours where it asks for one.",
        )

    def _away(self, why: str) -> UnavailableError:
        return UnavailableError(
            f"{self.address} cannot be reached: {why}", remedy="Start the broker, or check its address and port."
        )

    def _set_will(self) -> None:
        if self._make_will is not None:
            will = self._make_will()
            self._client.will_set(will.topic, will.payload, will.qos, will.retain)

    def _joined(self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any = None) -> None:
        self._answer = str(reason) if reason.is_failure else ""
        if not reason.is_failure:
            self.connections += 1
            self.connected.set()
            self._guarded(lambda: self._on_connect(self))
        self._answered.set()

    def _left(self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any = None) -> None:
        self.connected.clear()
        self._guarded(self._set_will)

    def _heard(self, client: Any, userdata: Any, message: Any) -> None:
        self._guarded(lambda: self._on_message(message.topic, bytes(message.payload), bool(message.retain)))

    def _guarded(self, work: Callable[[], None]) -> None:
        """A fault of ours must not end the network's thread unheard."""
        try:
            work()
        except Exception as error:
            self.failures.append(error)
            logging.getLogger(__name__).exception("the handler of %s failed", self.address)

    def subscribe(self, topics: Sequence[str], qos: int = 1) -> None:
        """Listen to topics; to be called in `on_connect`, because a broker forgets them."""
        self._client.subscribe([(topic, qos) for topic in topics])

    def publish(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False, wait: bool = False) -> None:
        """Publish; with `wait` until the broker has taken it. Raises `UnavailableError` where it does not."""
        if not self.connected.is_set():
            raise self._away("the connection is lost")
        sent = self._client.publish(topic, payload, qos=qos, retain=retain)
        if wait:
            with contextlib.suppress(RuntimeError, ValueError):
                sent.wait_for_publish(PUBLISH_S)
            if not sent.is_published():
                raise self._away(f"it did not take {topic} within {PUBLISH_S:g} s")

    def close(self) -> None:
        """Leave the broker, which then publishes no will."""
        with contextlib.suppress(OSError, ValueError):
            self._client.disconnect()
        self._client.loop_stop()
