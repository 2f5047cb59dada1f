"""Who calls and writes: asyncua does not tell a method which session it is called from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

from asyncua import ua
from asyncua.server.internal_server import InternalServer
from asyncua.server.internal_session import InternalSession


@dataclass(frozen=True)
class Caller:
    """A session: its id, and the application that made it."""

    session: ua.NodeId
    application: str = ""
    user: str = ""


LADS_CLIENT: Final = "LADS client"
"""Who drives a unit that was started by somebody without a name."""


@dataclass(frozen=True)
class Order:
    """Who ordered a run, and how: `given` are the set points that no function has, `owner` is who drives the unit.

    - `session`: whose end is the end of its driver; None where that one tells that it lives.
    """

    application: str = ""
    user: str = ""
    job: str = ""
    task: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    owner: str = LADS_CLIENT
    session: ua.NodeId | None = None


_CALLER: Final[ContextVar[Caller | None]] = ContextVar("caller", default=None)


def caller() -> Caller | None:
    """Whose call is being answered; None for the plant itself."""
    return _CALLER.get()


class PlantSession(InternalSession):  # type: ignore[misc] # asyncua's types are not read: see pyproject
    """A session that is known while its calls and writes are answered."""

    def __init__(self, *given: Any, may_write: Callable[[Caller, ua.NodeId], bool], left: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._may_write = may_write
        self._left = left
        self._application = ""

    @property
    def _caller(self) -> Caller:
        return Caller(self.session_id, self._application, str(getattr(self.user, "name", None) or ""))

    async def create_session(self, params: Any, sockname: Any = None) -> Any:
        """As asyncua does, and remember which application asks."""
        self._application = str(params.ClientDescription.ApplicationUri or "")
        return await super().create_session(params, sockname)

    async def close_session(self, delete_subs: bool = True) -> None:
        """As asyncua does, and tell that the session is over."""
        await super().close_session(delete_subs)
        await self._left(self._caller)

    async def call(self, params: Any) -> Any:
        """As asyncua does, known as the caller."""
        token = _CALLER.set(self._caller)
        try:
            return await super().call(params)
        finally:
            _CALLER.reset(token)

    async def write(self, params: Any) -> Any:
        """As asyncua does, but for nodes that another session has locked, and for lists where one value stands."""
        refused = [self._refusal(item) for item in params.NodesToWrite]
        if not any(refused):
            return await super().write(params)
        allowed = [item for item, fault in zip(params.NodesToWrite, refused, strict=True) if not fault]
        statuses = iter(await super().write(ua.WriteParameters(NodesToWrite=allowed)) if allowed else [])
        return [ua.StatusCode(fault) if fault else next(statuses) for fault in refused]

    def _refusal(self, item: Any) -> int:
        """The code of what speaks against a write, 0 for nothing; asyncua itself compares types, but no ranks."""
        if not self._may_write(self._caller, item.NodeId):
            return int(ua.StatusCodes.BadLocked)
        given, held = item.Value.Value, self.aspace.read_attribute_value(item.NodeId, item.AttributeId).Value
        if given is None or held is None or isinstance(given.Value, list) is isinstance(held.Value, list):
            return 0
        return int(ua.StatusCodes.BadTypeMismatch)


class PlantInternals(InternalServer):  # type: ignore[misc] # asyncua's types are not read: see pyproject
    """asyncua's server with sessions that are known.

    - `may_write`: whether a session may write a node. `left`: told of every session that ends.
    """

    def __init__(
        self,
        *,
        may_write: Callable[[Caller, ua.NodeId], bool],
        left: Callable[[Caller], Awaitable[None]],
        user_manager: Any = None,
    ) -> None:
        self._may_write = may_write
        self._left = left
        super().__init__(user_manager)

    def create_session(self, name: str, user: Any = None, external: bool = False) -> Any:
        """A session of a client."""
        given = {"external": external} if user is None else {"external": external, "user": user}
        sessions = (self, self.aspace, self.subscription_service, name)
        return PlantSession(*sessions, may_write=self._may_write, left=self._left, **given)
