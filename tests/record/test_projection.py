"""Read models: whatever the history and however it was caught up with, they say what a rebuild says."""

import itertools
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.record import Draft, Projection, open_ledger, projected, rebuild, view_path
from tests.record import postgres
from tests.record.ledgers import rewrite

NUMBERS = itertools.count(1)


def take(connection, event):
    """Lots and how much of each there is: received, consumed, discarded."""
    if event.type == "lot.received":
        values = (event.subject, int(event.payload["amount"]), event.seq)
        connection.execute(
            "INSERT INTO stock VALUES (?, ?, ?) ON CONFLICT (lot) DO UPDATE SET amount = amount + excluded.amount",
            values,
        )
    elif event.type == "lot.consumed":
        connection.execute("INSERT INTO used VALUES (?, ?)", (event.seq, event.subject))
        connection.execute(
            "UPDATE stock SET amount = amount - ? WHERE lot = ?", (int(event.payload["amount"]), event.subject)
        )
    elif event.type == "lot.discarded":
        connection.execute("DELETE FROM stock WHERE lot = ?", (event.subject,))


SCHEMA = """
CREATE TABLE stock (lot TEXT PRIMARY KEY, amount INTEGER NOT NULL, since INTEGER NOT NULL) STRICT;
CREATE TABLE used (seq INTEGER PRIMARY KEY, lot TEXT NOT NULL) STRICT;
CREATE INDEX used_lot ON used (lot);
"""
STOCK = Projection("stock", 1, SCHEMA, take)
COUNT = Projection(
    "tally",
    1,
    "CREATE TABLE tally (type TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT",
    lambda connection, event: connection.execute(
        "INSERT INTO tally VALUES (?, 1) ON CONFLICT (type) DO UPDATE SET n = n + 1", (event.type,)
    ),
)
DRAFTS = st.builds(
    lambda kind, lot, amount: Draft(kind, lot, {"amount": str(amount)}, "system"),
    st.sampled_from(["lot.received", "lot.consumed", "lot.discarded", "lot.moved"]),
    st.sampled_from(["L1", "L'2", 'L"3; --']),
    st.integers(0, 50),
)
STEPS = st.lists(st.one_of(st.lists(DRAFTS, min_size=1, max_size=5), st.sampled_from(["look", "reopen"])), max_size=12)


@pytest.fixture(scope="module")
def port():
    with postgres.server() as number:
        yield number


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return str(tmp_path / "record.db")
    return postgres.url(request.getfixturevalue("port"), tmp_path, f"views_{next(NUMBERS)}")


def stock(ledger):
    with projected(ledger, STOCK) as connection:
        return dict(connection.execute("SELECT lot, amount FROM stock ORDER BY lot").fetchall())


def received(lot, amount=1):
    return Draft("lot.received", lot, {"amount": str(amount)}, "system")


def model(events):
    held: dict[str, int] = {}
    for event in events:
        sign = {"lot.received": 1, "lot.consumed": -1}.get(event.type, 0)
        if event.type == "lot.received" or (sign and event.subject in held):
            held[event.subject] = held.get(event.subject, 0) + sign * int(event.payload["amount"])
        if event.type == "lot.discarded":
            held.pop(event.subject, None)
    return held


def law(path, steps):
    ledger = open_ledger(path)
    for step in steps:
        if step == "look":
            assert stock(ledger) == model(ledger.events())
        elif step == "reopen":
            ledger.close()
            ledger = open_ledger(path, create=False)
        else:
            ledger.append(*step)
    for made in rebuild(ledger, (STOCK, COUNT)):
        assert made.before in (made.after, None if made.name == "tally" else made.after, None)
        assert made.identical
    assert stock(ledger) == model(ledger.events())
    assert all(made.before == made.after for made in rebuild(ledger, (STOCK, COUNT)))
    ledger.close()


@settings(max_examples=30)
@given(STEPS)
def test_caught_up_at_any_moments_equals_rebuilt(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("views")
    law(folder / "record.db", steps)
    shutil.rmtree(folder)


@settings(max_examples=4)
@given(steps=STEPS)
def test_caught_up_at_any_moments_equals_rebuilt_in_postgresql(port, tmp_path_factory, steps):
    law(postgres.url(port, tmp_path_factory.mktemp("views"), f"views_{next(NUMBERS)}"), steps)


def test_a_read_model_is_kept_and_only_what_is_new_is_applied(url):
    applied: list[int] = []

    def noting(connection, event):
        applied.append(event.seq)
        take(connection, event)

    watched = replace(STOCK, apply=noting)
    with open_ledger(url) as ledger:
        ledger.append(received("A"), received("B"))
        with projected(ledger, watched):
            pass
    with open_ledger(url, create=False, read_only=True) as ledger, projected(ledger, watched) as connection:
        assert connection.execute("SELECT count(*) FROM stock").get == 2
    with open_ledger(url, create=False) as ledger:
        ledger.append(received("C"))
        with projected(ledger, watched):
            pass
        assert applied == [1, 2, 3, 4]
        with projected(ledger, replace(watched, version=2)):
            pass
        assert applied == [1, 2, 3, 4, 1, 2, 3, 4]
        assert view_path(ledger.path).is_file()


def test_a_block_reads_one_state_and_cannot_write(url):
    with open_ledger(url) as ledger:
        ledger.append(received("A"))
        with projected(ledger, STOCK) as connection:
            ledger.append(received("B"))
            assert [row[0] for row in connection.execute("SELECT lot FROM stock")] == ["A"]
            with pytest.raises(apsw.Error):
                connection.execute("DELETE FROM stock")
        assert stock(ledger) == {"A": 1, "B": 1}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE stock SET amount = 1000",
        "DELETE FROM stock",
        "DROP TABLE used",
        "UPDATE projection SET tables = '[\"projection\"]'",
    ],
)
def test_a_read_model_that_somebody_changed_is_told_and_put_right(tmp_path, statement):
    path = tmp_path / "record.db"
    with open_ledger(path) as ledger:
        ledger.append(received("A", 7))
        assert stock(ledger) == {"A": 7}
    connection = apsw.Connection(str(view_path(path)))
    connection.execute(statement)
    connection.close()
    with open_ledger(path) as ledger:
        (made,) = rebuild(ledger, (STOCK,))
        assert not made.identical
        assert stock(ledger) == {"A": 7}
        assert rebuild(ledger, (STOCK,))[0].identical


def test_tables_that_cannot_take_the_next_event_are_made_anew(tmp_path):
    path = tmp_path / "record.db"
    with open_ledger(path) as ledger:
        ledger.append(received("A", 7))
        assert stock(ledger) == {"A": 7}
        connection = apsw.Connection(str(view_path(path)))
        connection.execute("ALTER TABLE stock DROP COLUMN amount")
        connection.close()
        ledger.append(received("A", 7))
        assert stock(ledger) == {"A": 14}


def test_the_views_of_another_ledger_or_of_another_history_are_thrown_away(tmp_path):
    one, two = tmp_path / "one.db", tmp_path / "two.db"
    for path, lot in ((one, "A"), (two, "B")):
        with open_ledger(path) as ledger:
            ledger.append(received(lot))
            assert stock(ledger) == {lot: 1}
    shutil.copyfile(view_path(one), view_path(two))
    with open_ledger(two) as ledger:
        assert stock(ledger) == {"B": 1}
        ledger.append(received("C"), received("D"))
        assert stock(ledger) == {"B": 1, "C": 1, "D": 1}
        events = [event.body for event in ledger.events()]
    # An older copy is restored, and other events are written since.
    changed = [body.replace(b'"lot.received"', b'"lot.discarded"') for body in events]
    rewrite(two, changed)
    view = apsw.Connection(str(view_path(two)))
    assert view.execute("SELECT count(*) FROM stock").get == 3
    view.close()
    with open_ledger(two, read_only=True, anchors=tmp_path / "none") as ledger:
        assert stock(ledger) == {}


@pytest.mark.parametrize("how", ["folder", "garbage"])
def test_views_that_cannot_be_written_or_read_answer_all_the_same(tmp_path, how):
    path = tmp_path / "record.db"
    with open_ledger(path) as ledger:
        ledger.append(received("A"))
    if how == "folder":
        view_path(path).mkdir()
    else:
        view_path(path).write_bytes(b"not a database at all" * 100)
    with open_ledger(path) as ledger:
        assert stock(ledger) == {"A": 1}
        ledger.append(received("A"))
        assert stock(ledger) == {"A": 2}
        assert rebuild(ledger, (STOCK,))[0].identical


def test_a_fault_of_apply_is_not_hidden_and_leaves_nothing_half_applied(url):
    def failing(connection, event):
        take(connection, event)
        if event.subject == "C":
            raise RuntimeError("a bug")

    broken = replace(STOCK, apply=failing)
    with open_ledger(url) as ledger:
        ledger.append(received("A"))
        with projected(ledger, broken):
            pass
        ledger.append(received("B"), received("C"))
        with pytest.raises(RuntimeError, match="a bug"), projected(ledger, broken):
            pass
        assert stock(ledger) == {"A": 1, "B": 1, "C": 1}


def test_many_threads_and_processes_ask_while_others_write(tmp_path):
    path = tmp_path / "record.db"
    with open_ledger(path) as one, open_ledger(path) as two, ThreadPoolExecutor(8) as pool:
        done = threading.Event()

        def write(number):
            one.append(received("A", number))

        def look():
            seen = []
            while not done.is_set():
                seen.append(stock(two).get("A", 0))
            return seen

        looking = [pool.submit(look) for _ in range(2)]
        list(pool.map(write, range(40)))
        done.set()
        for future in looking:
            seen = future.result()
            assert seen == sorted(seen)
        assert stock(two) == stock(one) == {"A": sum(range(40))}
        assert rebuild(one, (STOCK,))[0].identical
