"""`seedtrain batch watch`: a running batch in the terminal, with trends, targets and alarms."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE, InputError
from seedtrain.base import translate as _
from seedtrain.cli._arguments import BatchName
from seedtrain.cli._common import Common, print_json
from seedtrain.cli._signing import RecordUrl, open_record

if TYPE_CHECKING:
    from rich.text import Text

    from seedtrain.automation import Watched, WatchedTag

WIDTH: Final = 48  # characters of a trend; two points each
LINES: Final = 2  # of a trend; four dots each
_DOTS: Final = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""Of a braille cell, left and right column, from above (Unicode 2800)."""


def add_to(app: App) -> None:
    """Put the command among those of `seedtrain batch`."""
    app.command(watch)


def watch(
    batch: BatchName,
    *,
    once: Annotated[bool, Parameter(help="One look, then end.", negative="")] = False,
    every: Annotated[float, Parameter(help="Seconds between two looks.")] = 2.0,
    hours: Annotated[float, Parameter(help="Hours of trend, on the clock of the process.")] = 2.0,
    unit: Annotated[list[str] | None, Parameter(help="This unit; repeat it for more.", negative="")] = None,
    tag: Annotated[list[str] | None, Parameter(help="This tag; repeat it for more.", negative="")] = None,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Watch a batch while another process runs it: phases, values with targets and trends, alarms, gaps.

    It reads the record and the telemetry, and changes nothing; Ctrl-C ends it, and the end of the batch does.

    Example: seedtrain batch watch RHCOL3-001 --record record.db
    """
    from seedtrain.automation import BatchWatch
    from seedtrain.base import use_language
    from seedtrain.record import Telemetry

    options = common or Common()
    if not (every >= 0.2 and hours > 0):
        raise InputError(
            f"a look every {every:g} s at {hours:g} h", remedy="Give 0.2 s or more, and hours that are positive."
        )
    with (
        open_record(record, read_only=True) as ledger,
        use_language(options.lang),
        Telemetry(ledger) as telemetry,
    ):
        watching = BatchWatch(ledger, telemetry, batch)

        def look() -> Watched:
            return watching.look(hours=hours, points=2 * WIDTH, units=unit or (), tags=tag or ())

        if options.json:
            print_json(look().to_data())
        elif once:
            _print(look())
        else:
            _live(look, every)
    return EXIT_DONE


def _print(found: Watched) -> None:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    for line in _screen(found):
        console.print(line)


def _live(look: Callable[[], Watched], every: float) -> None:
    """Look until the batch is over or somebody ends it."""
    import time

    from rich.console import Console, Group
    from rich.live import Live

    from seedtrain.recipe import State

    console = Console(highlight=False)
    with Live(console=console, screen=console.is_terminal, auto_refresh=False, transient=False) as live:
        while True:
            found = look()
            lines = list(_screen(found))
            room = max(console.size.height - 1, 8) if console.is_terminal else len(lines)
            live.update(Group(*lines[:room]), refresh=True)
            if found.state in (State.COMPLETE, State.STOPPED, State.ABORTED):
                break
            time.sleep(every)
    if console.is_terminal:
        _print(found)


def _screen(found: Watched) -> Iterator[Text]:
    """The whole look, line by line: what needs somebody first."""
    from rich.text import Text

    from seedtrain.cli._batch_alarms import alarm_line
    from seedtrain.recipe import state_words

    head = Text(f"{found.batch}  {found.recipe}  {state_words(found.state)}  {found.hours:.2f} h", style="bold")
    head.append(f"  {found.now:%Y-%m-%d %H:%M:%S}Z")
    if found.simulated:
        head.append(f"  {_('simulated')}", style="bold magenta")
    yield head
    for phase in found.phases:
        yield Text(f"  {phase.unit}  {phase.path}  {phase.hours:.2f} h")
    for alarm in found.alarms:
        yield Text(f"! {alarm_line(alarm)}", style="bold red" if "unack" in alarm.state.value else "yellow")
    for gap in found.gaps:
        words = _("backfilled") if gap.get("backfilled") else _("not backfilled")
        tag = gap.get("tag") or _("every tag")
        yield Text(f"~ {_('telemetry gap')} {gap['unit']} {tag}  {gap['from']} .. {gap['to']}  {words}: {gap['cause']}")
    for item in found.tags:
        yield from _tag(item, found)
    if not found.tags:
        yield Text(_("no readings of the last hours"))


def _tag(item: WatchedTag, found: Watched) -> Iterator[Text]:
    """A tag as two lines of trend, with its value, target and span beside it."""
    from rich.text import Text

    rows = braille(item.trend, WIDTH, LINES)
    finite = [value for value in item.trend if math.isfinite(value)]
    value = f"{item.value:.5g} {item.measure}".rstrip()
    target = "" if item.target is None else f"{_('target')} {item.target:.5g}"
    marks = [item.alarm.replace("_", " ") if item.alarm else "", _quality(item.quality)]
    if item.origin == "simulated" and not found.simulated:
        marks.append(_("simulated"))
    name = f"{item.unit} {item.tag}"
    first = Text(f"{name:<34.34} {value:>18}  ", style="bold" if item.alarm else "")
    first.append(rows[0], style="red" if item.alarm else "cyan")
    first.append("  " + "  ".join(filter(None, [target, *marks])))
    yield first
    span = f"{min(finite):.4g} .. {max(finite):.4g}" if finite else ""
    age = (found.now - item.at).total_seconds()
    old = f"{age:.0f} s" if 0 < age < 7200 else ""
    for number, row in enumerate(rows[1:]):
        beside = f"{old:>34} {span:>18}  " if number == 0 else " " * 55
        second = Text(beside, style="dim")
        second.append(row, style="red" if item.alarm else "cyan")
        yield second


def _quality(quality: str) -> str:
    return {"uncertain": _("uncertain"), "bad": _("bad")}.get(quality, "")


def braille(values: Sequence[float], width: int, lines: int) -> list[str]:
    """`values` as dots of braille characters: `lines` rows of `width` characters, the least below, the most above.

    More values than the `2 * width` columns share a column (the whole span of them is filled); what is not a number
    leaves it empty.
    """
    columns, height = 2 * width, 4 * lines
    finite = [value for value in values if math.isfinite(value)]
    cells = [[0] * width for _line in range(lines)]
    if finite:
        low, high = min(finite), max(finite)
        scale = (height - 1) / (high - low) if high > low else 0.0
        used = min(len(values), columns)
        for column in range(used):
            part = values[column * len(values) // used : (column + 1) * len(values) // used]
            levels = [round((value - low) * scale) for value in part if math.isfinite(value)]
            for level in range(min(levels), max(levels) + 1) if levels else ():
                row = height - 1 - level
                cells[row // 4][column // 2] |= _DOTS[column % 2][row % 4]
    return ["".join(chr(0x2800 + cell) for cell in line) for line in cells]
