"""The values that the plant keeps, given to clients as OPC UA history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from asyncua import ua
from asyncua.server.history import HistoryStorageInterface

from seedtrain.automation._devices import Quality
from seedtrain.automation._plant._base import Value

Past = Callable[[datetime, datetime], Sequence[Value]]


def data_value(value: float, at: datetime, quality: Quality = "good") -> ua.DataValue:
    """A value with its source time and quality; what is not a number has a bad status and no value."""
    if value != value or quality == "bad":
        return ua.DataValue(
            ua.Variant(None, ua.VariantType.Null), ua.StatusCode(ua.StatusCodes.BadNoData), SourceTimestamp=at
        )
    status = ua.StatusCodes.Good if quality == "good" else ua.StatusCodes.Uncertain
    return ua.DataValue(ua.Variant(value, ua.VariantType.Double), ua.StatusCode(status), SourceTimestamp=at)


class PlantHistory(HistoryStorageInterface):  # type: ignore[misc, unused-ignore]
    """Reads what the units remember; nothing is stored twice."""

    def __init__(self) -> None:
        super().__init__(max_history_data_response_size=10_000)
        self.past: dict[ua.NodeId, Past] = {}

    async def init(self) -> None:
        """Nothing to open."""

    async def stop(self) -> None:
        """Nothing to close."""

    async def new_historized_node(self, node_id: ua.NodeId, period: timedelta | None, count: int = 0) -> None:
        """Every function is remembered from the start."""

    async def save_node_value(self, node_id: ua.NodeId, datavalue: ua.DataValue) -> None:
        """The units remember by themselves."""

    async def read_node_history(
        self, node_id: ua.NodeId, start: datetime | None, end: datetime | None, nb_values: int
    ) -> tuple[list[ua.DataValue], datetime | None]:
        """Values from `start` to `end`, both held, and where to go on if there are more than one answer holds."""
        past = self.past.get(node_id)
        if past is None:
            return [], None
        none = ua.get_win_epoch()
        first = datetime.min.replace(tzinfo=UTC) if start in (None, none) else start
        last = datetime.max.replace(tzinfo=UTC) if end in (None, none) else end
        assert first is not None
        assert last is not None
        values = past(first, last)
        most = min(nb_values or self.max_history_data_response_size, self.max_history_data_response_size)
        goes_on = values[most].at if len(values) > most and not nb_values else None
        return [data_value(item.value, item.at, item.quality) for item in values[:most]], goes_on

    async def new_historized_event(self, *_: Any, **__: Any) -> None:
        """Events are not kept."""

    async def save_event(self, event: Any) -> None:
        """Events are not kept."""

    async def read_event_history(self, *_: Any, **__: Any) -> tuple[list[Any], datetime | None]:
        """Events are not kept."""
        return [], None
