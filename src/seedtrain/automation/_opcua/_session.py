"""One connection to an OPC UA server, asked synchronously; a connection that is lost is made again."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeVar

from seedtrain.automation._devices import Plain, Quality
from seedtrain.automation._security import Security
from seedtrain.base import InputError, UnavailableError

Answer = TypeVar("Answer")

REQUEST_S: Final = 10.0
"""s that one request may take."""
CONNECT_S: Final = 4.0
"""s that one attempt to connect may take: a network that swallows everything gives no answer at all."""
SHORTEST_PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 1.0
"""s between two attempts to connect; the pause doubles from the one to the other."""

_INTEGERS: Final = range(2, 10)
_FLOATS: Final = (10, 11)
"""Numbers of built-in data types: SByte to UInt64, Float and Double."""

BROWSED_AT_ONCE: Final = 200
"""Nodes that one request browses."""
READ_AT_ONCE: Final = 500
"""Nodes that one request reads."""

_SESSION_FAULTS: Final = (
    "BadSessionIdInvalid",
    "BadSessionClosed",
    "BadSessionNotActivated",
    "BadSecureChannelIdInvalid",
    "BadSecureChannelClosed",
    "BadConnectionClosed",
    "BadCommunicationError",
    "BadServerHalted",
    "BadShutdown",
    "BadTimeout",
    "BadTooManySessions",
)


@dataclass(frozen=True)
class Value:
    """A value with what OPC UA says of it: `time` is the source's; a bad one may have no value."""

    value: Any
    time: datetime | None
    quality: Quality


class Child(NamedTuple):
    """What hangs below a node: its id as a text, its class, and of an object or variable its type."""

    node: str
    kind: str
    type: str = ""


class Session:
    """A server at `url`. Node ids are texts such as `nsu=urn:plant;s=tank/temperature`: namespaces are looked up anew
    after every connection, because their numbers may change.

    - `security`: who we are and which server we trust; without it nothing is signed or encrypted.
    - `patience`: s for which a lost connection is tried again before it is an `UnavailableError`.

    Every request is repeated after a lost connection: whatever is asked must be safe to ask twice.
    """

    def __init__(self, url: str, *, patience: float = 30.0, security: Security | None = None) -> None:
        self.url = url
        self.patience = patience
        self.connections = 0
        if security is not None:
            security.check()
        self._security = security
        self._client: Any = None
        self._namespaces: list[str] = []
        self._nodes: dict[str, Any] = {}
        self._types: dict[str, int] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="opcua", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Leave the server; nothing can be asked after it."""
        if self._loop.is_closed():
            return
        self._drop()
        self._run(_end_others())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def read(self, nodes: Sequence[str], attribute: str = "Value") -> list[Value | None]:
        """An attribute of each node; None for a node that the server does not have or that lacks the attribute."""
        from asyncua import ua

        async def ask() -> list[Any]:
            found: list[Any] = []
            for first in range(0, len(nodes), READ_AT_ONCE):  # servers limit what one request may ask
                ids = [self._id(node) for node in nodes[first : first + READ_AT_ONCE]]
                found += await self._client.uaclient.read_attributes(ids, ua.AttributeIds[attribute])
            return found

        missing = {ua.StatusCodes.BadNodeIdUnknown, ua.StatusCodes.BadNodeIdInvalid}
        missing.add(ua.StatusCodes.BadAttributeIdInvalid)
        return [
            None if item.StatusCode is not None and item.StatusCode.value in missing else _value(item)
            for item in (self._ask(ask) if nodes else [])
        ]

    def write(self, values: Mapping[str, Plain]) -> None:
        """Write values, each in its node's own data type; one that is refused or does not fit is an `InputError`."""
        from asyncua import ua

        kinds = self._data_types(list(values))

        async def ask() -> list[Any]:
            ids = [self._id(node) for node in values]
            data = [ua.DataValue(_variant(kinds[node], node, value)) for node, value in values.items()]
            return list(await self._client.uaclient.write_attributes(ids, data))

        for node, status in zip(values, self._ask(ask) if values else [], strict=True):
            if not status.is_good():
                raise InputError(f"the server refuses to write {node}: {status.name}", remedy=status.doc)

    def _data_types(self, nodes: Sequence[str]) -> dict[str, int]:
        """The number of each node's built-in data type, asked once; 0 where it is another one."""
        left = [node for node in nodes if node not in self._types]
        for node, item in zip(left, self.read(left, "DataType"), strict=True):
            known = item is not None and getattr(item.value, "NamespaceIndex", 1) == 0
            self._types[node] = int(item.value.Identifier) if known and item is not None else 0
        return self._types

    def call(self, holder: str, method: str, *arguments: tuple[str, Any]) -> list[Any]:
        """Call a method of an object; each argument with its OPC UA type. Returns the output values."""
        from asyncua import ua

        async def ask() -> Any:
            request = ua.CallMethodRequest()
            request.ObjectId, request.MethodId = self._id(holder), self._id(method)
            request.InputArguments = [
                ua.Variant(value, ua.VariantType[kind], is_array=isinstance(value, list)) for kind, value in arguments
            ]
            return (await self._client.uaclient.call([request]))[0]

        answer = self._ask(ask)
        if not answer.StatusCode.is_good():
            raise InputError(
                f"the server refuses to call {method}: {answer.StatusCode.name} ({answer.StatusCode.doc})",
                remedy="Compare the method's arguments with the mapping's reference.",
            )
        return [item.Value for item in answer.OutputArguments or []]

    def history(self, nodes: Sequence[str], start: datetime, end: datetime) -> list[list[Value]]:
        """What the server kept of each node from `start` to `end`, both held, in the order of source time."""
        from asyncua import ua

        details = ua.ReadRawModifiedDetails(
            IsReadModified=False, StartTime=start, EndTime=end, NumValuesPerNode=0, ReturnBounds=False
        )

        async def ask() -> list[list[Value]]:
            found: dict[str, list[Value]] = {node: [] for node in nodes}
            left: dict[str, Any] = dict.fromkeys(nodes)
            while left:
                wanted = [
                    ua.HistoryReadValueId(NodeId=self._id(node), ContinuationPoint=point)
                    for node, point in left.items()
                ]
                request = ua.HistoryReadParameters(
                    HistoryReadDetails=details, NodesToRead=wanted, ReleaseContinuationPoints=False
                )
                request.TimestampsToReturn = ua.TimestampsToReturn.Source
                answers = await self._client.uaclient.history_read(request)
                following: dict[str, Any] = {}
                for (node, point), answer in zip(left.items(), answers, strict=True):
                    answer.StatusCode.check()
                    found[node] += [_value(item) for item in answer.HistoryData.DataValues or []]
                    if answer.ContinuationPoint and answer.ContinuationPoint != point:
                        following[node] = answer.ContinuationPoint
                left = following
            return [found[node] for node in nodes]

        return self._ask(ask)

    def children(self, nodes: Sequence[str]) -> list[dict[str, Child]]:
        """What hangs below each node, by browse name; nothing below an unknown one."""
        return self._browse(nodes, "HierarchicalReferences", "Forward")

    def above(self, types: Sequence[str]) -> list[str]:
        """The type that each type is derived from; empty for one that is derived from none, or that is not there."""
        found = self._browse(types, "HasSubtype", "Inverse")
        return [next((child.node for child in item.values()), "") for item in found]

    def _browse(self, nodes: Sequence[str], reference: str, direction: str) -> list[dict[str, Child]]:
        from asyncua import ua

        async def ask() -> list[dict[str, Child]]:
            found: list[dict[str, Child]] = []
            for first in range(0, len(nodes), BROWSED_AT_ONCE):
                wanted = [
                    ua.BrowseDescription(
                        NodeId=self._id(node),
                        BrowseDirection=ua.BrowseDirection[direction],
                        ReferenceTypeId=ua.NodeId(getattr(ua.ObjectIds, reference)),
                        IncludeSubtypes=True,
                        NodeClassMask=0,
                        ResultMask=ua.BrowseResultMask.All,
                    )
                    for node in nodes[first : first + BROWSED_AT_ONCE]
                ]
                answers = await self._client.uaclient.browse(ua.BrowseParameters(NodesToBrowse=wanted))
                for answer in answers:
                    found.append(self._named(answer.References))
                    point = answer.ContinuationPoint
                    while point:
                        request = ua.BrowseNextParameters(ContinuationPoints=[point], ReleaseContinuationPoints=False)
                        (more,) = await self._client.uaclient.browse_next(request)
                        found[-1] |= self._named(more.References)
                        point = more.ContinuationPoint
            return found

        return self._ask(ask) if nodes else []

    def _named(self, references: Any) -> dict[str, Child]:
        return {
            item.BrowseName.Name: Child(
                self._text(item.NodeId),
                item.NodeClass.name,
                "" if item.TypeDefinition.is_null() else self._text(item.TypeDefinition),
            )
            for item in references or []
        }

    def node_id(self, node: str) -> Any:
        """A node id as this connection has it; another one may number its namespaces otherwise."""
        return self._id(node)

    def _id(self, node: str) -> Any:
        if node not in self._nodes:
            from asyncua import ua

            space, _, name = node.rpartition(";")
            uri = space.removeprefix("nsu=")
            if not space or space.startswith("ns="):
                self._nodes[node] = ua.NodeId.from_string(node)
            elif uri in self._namespaces:
                self._nodes[node] = ua.NodeId.from_string(f"ns={self._namespaces.index(uri)};{name}")
            else:
                self._nodes[node] = ua.NodeId(f"no namespace {uri}", 65535)  # no server has it
        return self._nodes[node]

    def _text(self, node: Any) -> str:
        """A node id that stays valid when namespaces get other numbers."""
        plain = node.to_string()
        if node.NamespaceIndex == 0:
            return str(plain)
        return f"nsu={self._namespaces[node.NamespaceIndex]};{plain.partition(';')[2]}"

    def _ask(self, make: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
        """Run a request; on a lost connection connect and ask again, for as long as patience lasts."""
        assert not self._loop.is_closed(), "the session is closed"
        ends, pause = None, SHORTEST_PAUSE_S
        while True:
            try:
                if self._client is None:
                    self._run(self._connect())
                return self._run(make())
            except (OSError, CancelledError, EOFError) as error:
                reason: Exception = error if isinstance(error, Exception) else ConnectionError("cancelled")
            except RuntimeError as error:  # asyncua's own root of errors
                if type(error).__name__ not in _SESSION_FAULTS:
                    raise _refused(self.url, error) from None
                reason = error
            self._drop()
            ends = time.monotonic() + self.patience if ends is None else ends
            if time.monotonic() + pause > ends:
                raise self._away(reason) from None
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _away(self, reason: Exception) -> UnavailableError:
        """Nobody answers; one that takes no certificates does not answer who comes with one, either."""
        said = str(reason) or ("no answer in time" if isinstance(reason, TimeoutError) else type(reason).__name__)
        remedy = "Start the server, or check its address; then try again."
        if self._security is not None:
            remedy += " A server that takes no certificates is silent too: leave them away then."
        return UnavailableError(f"{self.url} cannot be reached: {said}", remedy=remedy)

    def _run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _connect(self) -> None:
        try:
            from asyncua import Client
        except ModuleNotFoundError as error:
            raise UnavailableError(
                f"OPC UA needs the package {error.name}", remedy="Install it with: pip install seedtrain[plant]"
            ) from None
        logging.getLogger("asyncua").setLevel(logging.ERROR)  # what it warns of is negotiated, not wrong
        client = Client(self.url, timeout=REQUEST_S)
        client.name = "Seedtrain"
        if self._security is not None:
            await _secure(client, self._security)
        try:
            await asyncio.wait_for(client.connect(), CONNECT_S)
        except BaseException:
            client.disconnect_socket()
            raise
        self._client = client
        self._nodes, self._types = {}, {}
        self._namespaces = list(await client.get_namespace_array())
        self.connections += 1

    def _drop(self) -> None:
        """Forget the connection, saying goodbye where somebody listens."""
        client, self._client = self._client, None
        if client is None:
            return

        async def leave() -> None:
            try:
                await asyncio.wait_for(client.disconnect(), 1.0)
            except (OSError, RuntimeError, asyncio.CancelledError):
                client.disconnect_socket()

        self._run(leave())


async def _end_others() -> None:
    """End what was being asked when somebody interrupted it."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=1.0)


async def _secure(client: Any, security: Security) -> None:
    """Sign and encrypt, trust the one server, and say who the user is."""
    from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256

    client.application_uri = security.application or client.application_uri
    await client.set_security(
        SecurityPolicyBasic256Sha256,
        certificate=str(security.certificate),
        private_key=str(security.private_key),
        server_certificate=str(security.trusted[0]),
    )
    if security.user:
        client.set_user(security.user)
        client.set_password(security.password)


def _refused(url: str, error: Exception) -> Exception:
    """An answer of the server that says no: credentials and rights are the user's to mend, anything else is a bug."""
    name = type(error).__name__
    if name in ("BadUserAccessDenied", "BadIdentityTokenRejected", "BadIdentityTokenInvalid"):
        return InputError(f"{url} refuses this user: {name}", remedy="Check user, password and rights on the server.")
    if name.startswith("BadCertificate") or name in ("BadSecurityChecksFailed", "BadSecurityPolicyRejected"):
        remedy = "Let the server trust our certificate, and name the one that it has now."
        return InputError(f"{url} and we do not trust each other: {name}", remedy=remedy)
    if "No matching endpoints" in str(error):
        remedy = "Give `security` in the mapping if the server wants certificates, or remove it if it has none."
        return InputError(f"{url} does not offer the security that we ask for", remedy=remedy)
    return error


def _variant(kind: int, node: str, value: Plain) -> Any:
    """A value in a built-in data type (part 6, 5.1.2); a number in an abstract or unknown one is a double."""
    from asyncua import ua

    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if kind not in _INTEGERS:
            return ua.Variant(value, ua.VariantType(kind) if kind in _FLOATS else ua.VariantType.Double)
        if not float(value).is_integer():
            raise InputError(f"{node} holds whole numbers, not {value}", remedy="Write a whole number.")
        return ua.Variant(int(value), ua.VariantType(kind))
    if isinstance(value, str) and kind == ua.VariantType.LocalizedText.value:
        return ua.Variant(ua.LocalizedText(value), ua.VariantType.LocalizedText)
    return ua.Variant(value)


def _value(item: Any) -> Value:
    status = item.StatusCode
    quality: Quality = "good" if status is None or status.is_good() else "bad" if status.is_bad() else "uncertain"
    return Value(item.Value.Value if item.Value is not None else None, item.SourceTimestamp, quality)
