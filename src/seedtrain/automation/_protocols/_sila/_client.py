"""A client of one SiLA 2 server: features discovered, properties read and watched, commands run.

**Source** SiLA 2 Part (A) and (B) v1.1. Of the metadata of calls the identifier of a lock is spoken (core feature
LockController 2.0), authorisation tokens are not; nor is binary transfer of large values.
"""

from __future__ import annotations

import base64
import binascii
import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from seedtrain.automation._protocols._access import Access
from seedtrain.automation._protocols._address import Address
from seedtrain.automation._protocols._sila._feature import Element, Feature, SilaCommand, SilaType, parse_feature
from seedtrain.automation._protocols._sila._messages import (
    FRAMEWORK_ERRORS,
    STATUS,
    fill,
    framework,
    messages_of,
    property_method,
    values_of,
)
from seedtrain.automation._security import read_certificate
from seedtrain.base import InputError, UnavailableError

CALL_S: Final = 10.0
"""s that one call may take."""
_TEXT: Final = SilaType(basic="String")
SERVICE: Final = Feature(
    "SiLAService",
    "org.silastandard",
    "core",
    "1.0",
    {
        "GetFeatureDefinition": SilaCommand(
            "GetFeatureDefinition",
            parameters=(Element("FeatureIdentifier", _TEXT),),
            responses=(Element("FeatureDefinition", _TEXT),),
        )
    },
    {
        **{
            name: Element(name, _TEXT)
            for name in ("ServerName", "ServerType", "ServerUUID", "ServerDescription", "ServerVersion")
        },
        "ServerVendorURL": Element("ServerVendorURL", _TEXT),
        "ImplementedFeatures": Element("ImplementedFeatures", SilaType(items=_TEXT)),
    },
)
"""The feature that every server has, by which the others are found."""


_LOCK: Final = "LockController"
_LOCK_HEADER: Final = "sila-org.silastandard-core-lockcontroller-v2-metadata-lockidentifier-bin"
LOCK_S: Final = 600
"""s without a call of ours after which a server is free again."""


class SilaRefusal(InputError):
    """An execution error that the feature defines: `identifier` is its fully qualified one."""

    def __init__(self, identifier: str, message: str) -> None:
        super().__init__(
            f"{identifier.rpartition('/')[2]}: {message}", remedy="The device says why; put it right, and call again."
        )
        self.identifier = identifier


@dataclass(frozen=True)
class Progress:
    """How far an observable command is: one of `STATUS`, a share from 0 to 1, s that are left (None: not said)."""

    status: str
    share: float
    left: float | None


class SilaClient:
    """A connection to a server.

    - `access.authority`: the server's certificate; a server on this machine may be spoken to in the clear without it.

    Raises `UnavailableError` where nobody answers or grpcio is not installed, `InputError` where the certificate is
    not the server's.
    """

    def __init__(self, address: Address, access: Access | None = None, *, timeout: float = CALL_S) -> None:
        try:
            grpc: Any = importlib.import_module("grpc")  # it has no types of its own
        except ModuleNotFoundError as error:
            raise UnavailableError(
                f"SiLA 2 needs the package {error.name}", remedy="Install it with: pip install seedtrain[protocols]"
            ) from None
        self._grpc = grpc
        self.address = address
        self._timeout = timeout
        self._channel = self._connect(access or Access())
        self._messages: dict[str, Any] = {}
        self.features: dict[str, Feature] = {}
        self._metadata: tuple[tuple[str, bytes], ...] = ()
        self._affected: tuple[str, ...] = ()

    def _connect(self, access: Access) -> Any:
        target = f"[{self.address.host}]" if ":" in self.address.host else self.address.host
        target = f"{target}:{self.address.port}"
        if access.authority is None and self.address.on_loopback:
            return self._grpc.insecure_channel(target)
        access.check()
        read = [
            path.read_bytes() if path else None for path in (access.authority, access.private_key, access.certificate)
        ]
        options = _pinned_name(access, self.address.host)
        return self._grpc.secure_channel(target, self._grpc.ssl_channel_credentials(*read), options=options)

    def close(self) -> None:
        """Leave the server; a lock of ours is let go."""
        try:
            if self._metadata:
                self.unlock()
        except (InputError, UnavailableError):
            pass  # it has run out, or the server is away
        finally:
            self._channel.close()

    def lock(self, identifier: str, *, seconds: int = LOCK_S) -> bool:
        """Keep other clients away, where the server has the core feature LockController; whether it has.

        A lock of the same identifier, left by a client that was killed, is taken over. Raises `InputError` where
        another client has the server.
        """
        feature = self.features.get(_LOCK)
        if feature is None:
            return False
        given = {"LockIdentifier": identifier, "Timeout": seconds}
        try:
            self.run(feature, "LockServer", given)
        except SilaRefusal:
            try:
                self.run(feature, "UnlockServer", {"LockIdentifier": identifier})
            except SilaRefusal:
                raise InputError(
                    f"{self.address} is locked by another client",
                    remedy="Stop it, or wait until its lock has run out; then call again.",
                ) from None
            self.run(feature, "LockServer", given)
        self._affected = self._locked_calls(feature)
        request = fill(
            self._new(feature, "UnlockServer_Parameters"),
            feature.command("UnlockServer").parameters,
            {"LockIdentifier": identifier},
            feature,
        )  # the metadatum has the same one field
        self._metadata = ((_LOCK_HEADER, request.SerializeToString()),)
        return True

    def unlock(self) -> None:
        """Let others in again."""
        feature, held = self.features[_LOCK], self._class(self.features[_LOCK], "UnlockServer_Parameters")()
        held.ParseFromString(self._metadata[0][1])
        self._metadata = ()
        self._call(feature, "UnlockServer", held, "UnlockServer_Responses")

    def _locked_calls(self, feature: Feature) -> tuple[str, ...]:
        """What a lock protects: identifiers of features, commands and properties, in lower case."""
        method = "Get_FCPAffectedByMetadata_LockIdentifier"
        request = self._new(SERVICE, "Get_ImplementedFeatures_Parameters")  # empty, as that of the method is
        answer = self._call(feature, method, request, "", like=(SERVICE, "Get_ImplementedFeatures_Responses"))
        item = SERVICE.prop("ImplementedFeatures")
        return tuple(str(name).lower() for name in values_of(answer, (item,), SERVICE)["ImplementedFeatures"])

    def _sent_with(self, feature: Feature, method: str) -> tuple[tuple[str, bytes], ...]:
        """The metadata of a call: the lock's identifier where the lock protects it."""
        own = method.removeprefix("Get_").removeprefix("Subscribe_").removesuffix("_Info").removesuffix("_Result")
        names = (feature.full, f"{feature.full}/Command/{own}", f"{feature.full}/Property/{own}")
        return self._metadata if any(name.lower() in self._affected for name in names) else ()

    def discover(self, progress: Callable[[float, str], None] = lambda share, words: None) -> dict[str, Feature]:
        """Every feature of the server by its short identifier."""
        listed = self.read(SERVICE, "ImplementedFeatures")
        found: dict[str, Feature] = {}
        for index, full in enumerate(listed):
            progress(index / len(listed), str(full))
            answer = self.run(SERVICE, "GetFeatureDefinition", {"FeatureIdentifier": full})
            feature = parse_feature(answer["FeatureDefinition"])
            found[feature.identifier] = feature
        self.features = found
        return found

    def read(self, feature: Feature, name: str) -> Any:
        """The value of a property, observable or not."""
        item = feature.prop(name)
        if item.observable:
            watched = self.watch(feature, name)
            try:
                return next(watched)
            finally:
                watched.close()
        method = property_method(item)
        answer = self._call(feature, method, self._new(feature, f"{method}_Parameters"), f"{method}_Responses")
        return values_of(answer, (item,), feature)[name]

    def watch(self, feature: Feature, name: str, *, timeout: float | None = None) -> Any:
        """A generator of the values of an observable property, as they change; closing it ends the subscription."""
        item = feature.prop(name)
        method = property_method(item)
        request = self._new(feature, f"{method}_Parameters")

        def values() -> Iterator[Any]:
            stream = self._stream(feature, method, request, self._class(feature, f"{method}_Responses"), timeout)
            for answer in stream:
                yield values_of(answer, (item,), feature)[name]

        return values()

    def run(
        self,
        feature: Feature,
        name: str,
        given: Mapping[str, Any],
        *,
        on_progress: Callable[[Progress], None] = lambda progress: None,
        timeout: float | None = None,
    ) -> dict[str, Any]:
        """Run a command to its end, and give its responses.

        - `given`: parameters by identifier. `timeout`: s for an observable command, None for no limit.

        Raises `SilaRefusal` for an error that the feature defines, `InputError` for parameters that it refuses.
        """
        command = feature.command(name)
        request = fill(self._new(feature, f"{name}_Parameters"), command.parameters, given, feature)
        if not command.observable:
            answer = self._call(feature, name, request, f"{name}_Responses")
            return values_of(answer, command.responses, feature)
        confirmation = self._unary(feature, name, request, framework().make("CommandConfirmation"), self._timeout)
        execution = confirmation.commandExecutionUUID
        info = framework().make("ExecutionInfo")
        for item in self._stream(feature, f"{name}_Info", execution, info, timeout):
            told = _progress(item)
            on_progress(told)
            if told.status.startswith("finished"):
                break
        answer = self._call(feature, f"{name}_Result", execution, f"{name}_Responses")
        return values_of(answer, command.responses, feature)

    def _class(self, feature: Feature, name: str) -> Any:
        if feature.full not in self._messages:
            self._messages[feature.full] = messages_of(feature)
        return self._messages[feature.full].make(name)

    def _new(self, feature: Feature, name: str) -> Any:
        return self._class(feature, name)()

    def _call(
        self, feature: Feature, method: str, request: Any, response: str, like: tuple[Feature, str] | None = None
    ) -> Any:
        made = self._class(*like) if like is not None else self._class(feature, response)
        return self._unary(feature, method, request, made, self._timeout)

    def _unary(self, feature: Feature, method: str, request: Any, response: Any, timeout: float) -> Any:
        call = self._channel.unary_unary(
            f"/{feature.package}.{feature.identifier}/{method}",
            request_serializer=lambda item: item.SerializeToString(),
            response_deserializer=response.FromString,
        )
        try:
            return call(request, timeout=timeout, metadata=self._sent_with(feature, method))
        except self._grpc.RpcError as error:
            raise self._explain(error, feature, method) from None

    def _stream(
        self, feature: Feature, method: str, request: Any, response: Any, timeout: float | None
    ) -> Iterator[Any]:
        call = self._channel.unary_stream(
            f"/{feature.package}.{feature.identifier}/{method}",
            request_serializer=lambda item: item.SerializeToString(),
            response_deserializer=response.FromString,
        )
        stream = call(request, timeout=timeout, metadata=self._sent_with(feature, method))
        try:
            yield from stream
        except self._grpc.RpcError as error:
            raise self._explain(error, feature, method) from None
        finally:
            stream.cancel()

    def _explain(self, error: Any, feature: Feature, method: str) -> Exception:
        """What a call's failure means."""
        code, details = error.code(), error.details() or ""
        if code is self._grpc.StatusCode.ABORTED:
            return sila_error(details)
        if code is self._grpc.StatusCode.UNIMPLEMENTED:
            return InputError(
                f"{self.address} does not have {feature.identifier}/{method}", remedy="See what it has: plant browse."
            )
        if "CERTIFICATE_VERIFY_FAILED" in details or "handshake" in details.lower() or "Peer name" in details:
            return InputError(
                f"{self.address} and we do not trust each other: {details[:200]}",
                remedy="Name the certificate of the server (PEM); a server in the clear is spoken to on loopback only.",
            )
        return UnavailableError(
            f"{self.address} cannot be reached: {code.name.lower().replace('_', ' ')}: {details[:200]}",
            remedy="Start the server, check its address, and whether it wants TLS (then name its certificate).",
        )


def _pinned_name(access: Access, host: str) -> list[tuple[str, str]]:
    """SiLA 2 servers sign for themselves, and their certificates often name no host: the pinned one's own name is
    asked for then."""
    if access.authority is None:
        return []
    from cryptography.x509 import DNSName, ExtensionNotFound, IPAddress, SubjectAlternativeName
    from cryptography.x509.oid import NameOID

    found = read_certificate(access.authority)
    try:
        held = found.extensions.get_extension_for_class(SubjectAlternativeName).value
        names = [*held.get_values_for_type(DNSName), *map(str, held.get_values_for_type(IPAddress))]
    except ExtensionNotFound:
        names = []
    common = [str(item.value) for item in found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    wanted = names[0] if names else common[0] if common else ""
    return [] if host in names or not wanted else [("grpc.ssl_target_name_override", wanted)]


def _progress(item: Any) -> Progress:
    left = item.estimatedRemainingTime
    said = item.HasField("estimatedRemainingTime")
    return Progress(
        STATUS[item.commandStatus], item.progressInfo.value, left.seconds + left.nanos / 1e9 if said else None
    )


def sila_error(details: str) -> Exception:
    """The error that a server sent in the details of an aborted call: base64 of a `SiLAError`."""
    from seedtrain.automation._protocols._proto import decode_error

    found = framework().make("SiLAError")()
    try:
        found.ParseFromString(base64.b64decode(details, validate=True))
    except (binascii.Error, ValueError, decode_error()):
        return UnavailableError(f"the server aborted the call: {details[:200]}", remedy="Ask the server's maker.")
    which = found.WhichOneof("error")
    inner: Any = getattr(found, which) if which else None
    if which == "validationError":
        return InputError(
            f"{inner.parameter.rpartition('/')[2]} is refused: {inner.message}",
            remedy="Give a value within its limits.",
        )
    if which == "definedExecutionError":
        return SilaRefusal(inner.errorIdentifier, inner.message)
    if which == "frameworkError":
        kind = FRAMEWORK_ERRORS[inner.errorType].lower().replace("_", " ")
        return InputError(f"{kind}: {inner.message}", remedy="Wait until the device is free, and call again.")
    message = inner.message if which else "it did not say why"
    return UnavailableError(f"the device failed: {message}", remedy="Look at the device; call again when it is well.")
