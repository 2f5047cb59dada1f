"""Locks of functional units (OPC 10000-100, clause 7): while a client has one, it alone may write and command."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from asyncua import ua

from seedtrain.automation._plant._callers import Caller, caller
from seedtrain.automation._plant._instances import Method
from seedtrain.base import InputError

INACTIVE_S: Final = 600.0
"""s after which a lock that is not renewed ends (MaxInactiveLockTime)."""

DONE, NOT_LOCKED, LOCKED = 0, -1, -1
"""Return codes: of InitLock -1 is `E_AlreadyLocked`, of the others `E_NotLocked` (7.4 to 7.7)."""


@dataclass(frozen=True)
class Lock:
    """Who has a unit, and until when by the monotonic clock."""

    holder: Caller
    until: float


class Locks:
    """The locks of all units; `show` is told each one that has changed, with the lock or None."""

    def __init__(self, show: Callable[[str, Lock | None], Awaitable[None]]) -> None:
        self._show = show
        self._held: dict[str, Lock] = {}

    def of(self, unit: str) -> Lock | None:
        """The lock that holds now."""
        held = self._held.get(unit)
        return held if held is not None and time.monotonic() < held.until else None

    def may(self, who: Caller | None, unit: str) -> bool:
        """Whether a session may write and command the unit; the plant itself always may."""
        held = self.of(unit)
        return who is None or held is None or held.holder.session == who.session

    def require(self, unit: str, *, spoken: bool = False) -> None:
        """Raises `InputError` where the unit is locked by another session than the one that calls.

        - `spoken`: the order came over a protocol that has no sessions of this server, and no locks.
        """
        held = self.of(unit)
        if held is not None and (spoken or not self.may(caller(), unit)):
            left = held.until - time.monotonic()
            raise InputError(
                f"{unit} is locked by {held.holder.application or held.holder.session} for {left:.0f} s more",
                remedy="Let it call ExitLock, or call BreakLock.",
            )

    async def left(self, who: Caller) -> None:
        """A session has ended, and what it locked is free."""
        for unit in [unit for unit, held in self._held.items() if held.holder.session == who.session]:
            await self._free(unit)

    async def refresh(self) -> None:
        """Free what was not renewed."""
        for unit in [unit for unit in self._held if self.of(unit) is None]:
            await self._free(unit)

    async def _free(self, unit: str) -> None:
        self._held.pop(unit, None)
        await self._show(unit, None)

    def remaining(self, unit: str) -> float:
        """ms for which the lock holds, if it is not renewed; 0 where there is none."""
        held = self.of(unit)
        return 0.0 if held is None else 1000.0 * (held.until - time.monotonic())

    def methods(self, unit: str) -> dict[str, Method]:
        """The four methods of the unit's lock."""

        async def init(_: ua.NodeId, context: ua.Variant) -> list[ua.Variant]:
            return await self._set(unit, LOCKED if self.of(unit) is not None else DONE, take=True)

        async def renew(_: ua.NodeId) -> list[ua.Variant]:
            return await self._set(unit, DONE if self._mine(unit) else NOT_LOCKED, take=True)

        async def leave(_: ua.NodeId) -> list[ua.Variant]:
            return await self._set(unit, DONE if self._mine(unit) else NOT_LOCKED, take=False)

        async def break_(_: ua.NodeId) -> list[ua.Variant]:
            return await self._set(unit, DONE if self.of(unit) is not None else NOT_LOCKED, take=False)

        return {"Lock/InitLock": init, "Lock/RenewLock": renew, "Lock/ExitLock": leave, "Lock/BreakLock": break_}

    def _mine(self, unit: str) -> bool:
        return self.of(unit) is not None and self.may(caller(), unit)

    async def _set(self, unit: str, code: int, *, take: bool) -> list[ua.Variant]:
        who = caller()
        if code == DONE and who is not None:
            if take:
                self._held[unit] = Lock(who, time.monotonic() + INACTIVE_S)
                await self._show(unit, self._held[unit])
            else:
                await self._free(unit)
        return [ua.Variant(code, ua.VariantType.Int32)]
