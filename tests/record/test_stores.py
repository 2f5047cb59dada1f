"""One behaviour, two databases: everything here holds in SQLite and in PostgreSQL."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import apsw
import pytest

from seedtrain.base import InputError, IntegrityError, SeedtrainError, UnavailableError
from seedtrain.record import (
    ConflictError,
    Draft,
    append_signed,
    enrol_person,
    export,
    open_ledger,
    person_name,
    verify,
)
from tests.record import postgres
from tests.record.ledgers import build, first_bad, reading, words

NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def port():
    with postgres.server() as number:
        yield number


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return str(tmp_path / "record.db")
    return postgres.url(request.getfixturevalue("port"), tmp_path, f"record_{next(NUMBERS)}")


OPEN: list[Any] = []


@pytest.fixture(autouse=True)
def let_go():
    yield
    while OPEN:
        OPEN.pop().close()


def raw(url):
    """A function that runs SQL as the owner of the ledger."""
    if url.startswith("postgresql"):
        OPEN.append(postgres.connect(int(url.split(":")[2].split("/")[0])))
        OPEN[-1].run("SET search_path = " + schema_of(url))
        return OPEN[-1].run
    OPEN.append(apsw.Connection(url))
    return lambda text: OPEN[-1].execute(text).fetchall()


def schema_of(url):
    return url.split("ledger=")[1].split("&")[0]


def test_what_is_appended_comes_back_verifies_and_is_exported(url, tmp_path):
    build(url)
    with open_ledger(url, create=False) as ledger:
        events = list(ledger.events())
        assert [event.seq for event in events] == list(range(1, 17))
        chosen = [event for event in events if event.subject == "RHCOL3-001" and event.type == "step.value_recorded"]
        assert list(ledger.events(subject="RHCOL3-001", type="step.value_recorded")) == chosen
        assert list(ledger.events(after=4)) == events[4:]
        assert ledger.find(events[3].id) == events[3]
        assert ledger.find("none") is None
        assert person_name(ledger, "person-1") == "Wang Fang"
    verdict = verify(url)
    assert verdict.verdict == "pass", verdict.evidence
    assert words(verdict)["storage"] == "pass"
    export(url, tmp_path / "out")
    assert verify(tmp_path / "out").verdict == "pass"


def test_any_text_comes_back_as_it_was(url):
    texts = [
        "",
        "\x00\x01\x1f\x7f",
        '"\\/',
        "Größe ☃ 𝄞",
        "\u2028",
        "a" * 70_000,
        "{}",
        "NULL",
        "'; DROP TABLE event; --",
    ]
    with open_ledger(url) as ledger:
        ledger.append(*(Draft("step.started", "B'; --", {"text": text}, "system") for text in texts))
        assert [event.payload["text"] for event in ledger.events(subject="B'; --")] == texts
    assert verify(url).verdict == "pass"


def test_refusals_leave_no_trace(url):
    with open_ledger(url) as ledger:
        before = ledger.head
        for bad in (
            Draft("step.started", "B", {"value": 7.01}, "system"),
            Draft("step.started", "B", {}, "system", corrects="nothing", reason="typed wrongly"),
        ):
            with pytest.raises(InputError):
                ledger.append(reading(1), bad)
        assert ledger.head == before
        with pytest.raises(ConflictError):
            ledger.append(reading(1), at_head=before.seq - 1)
        with pytest.raises(InputError, match="refused"):
            ledger.append(reading(1), Draft("signature.applied", "B", {"signature": "00"}, "system"))
        assert [event.type for event in ledger.events(after=before.seq)] == ["alert.raised"]
        draft = Draft("lot.consumed", "B", {"lot": "L1"}, "system", id="once")
        assert ledger.append(draft) == ledger.append(draft)
        with pytest.raises(InputError, match="is recorded already"):
            ledger.append(Draft("lot.consumed", "B", {"lot": "L2"}, "system", id="once"))
    with open_ledger(url, read_only=True) as ledger, pytest.raises(UnavailableError, match="reading only"):
        ledger.append(reading(1))


def test_two_ledgers_and_many_threads_write_one_chain(url):
    with open_ledger(url) as one, open_ledger(url) as two, ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda number: (one, two)[number % 2].append(reading(number))[0].seq, range(80)))
        assert sorted(made) == list(range(2, 82))
        assert one.head == two.head
    verdict = verify(url)
    assert verdict.verdict == "pass", verdict.evidence


def test_two_who_create_at_once_make_one_ledger(url):
    barrier = threading.Barrier(4)

    def begin():
        barrier.wait()
        with open_ledger(url) as ledger:
            ledger.append(reading(1))
            return ledger.id

    with ThreadPoolExecutor(4) as pool:
        made = {future.result() for future in [pool.submit(begin) for _ in range(4)]}
    assert len(made) == 1
    assert verify(url).verdict == "pass"


def test_signatures_and_a_clock_that_was_set_back(url):
    now = datetime(2026, 3, 1, 9, tzinfo=UTC)
    with open_ledger(url, clock=lambda: now) as ledger:
        actor = enrol_person(ledger, "A", ["qa"], scripted=True)
        append_signed(ledger, Draft("batch.released", "B", {}, actor, id="B-release"), "release")
        now -= timedelta(hours=1)
        ledger.append(reading(1))
        assert [event.payload["behind_s"] for event in ledger.events(type="clock.checked")] == ["3600"]
        with pytest.raises(UnavailableError, match="signing pauses"):
            append_signed(ledger, Draft("batch.released", "C", {}, actor), "release")
    assert verify(url).verdict == "pass"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET body = body",
        "DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)",
        "INSERT INTO event SELECT * FROM event WHERE seq = 3",
        "UPDATE checkpoint SET note = ''",
        "DELETE FROM checkpoint",
    ],
)
def test_the_database_itself_refuses_changes(url, statement):
    build(url)
    if not url.startswith("postgresql"):
        statement = statement.replace("INTO event SELECT *", "INTO event (seq, body, leaf) SELECT seq, body, leaf")
    with pytest.raises(Exception, match=r"grow|permission denied"):
        raw(url)(statement)
    assert verify(url).verdict == "pass"


def test_a_server_that_is_not_there_or_a_url_that_says_too_little_is_refused(tmp_path):
    for bad in ("postgresql://host/records", "postgresql://u@host/db", "postgresql://u@host/db?files=x&ledger=A-B"):
        with pytest.raises(InputError):
            open_ledger(bad)
    pytest.importorskip("pg8000")
    with pytest.raises(UnavailableError) as failed:
        open_ledger(f"postgresql://u:hidden@127.0.0.1:1/db?files={tmp_path}")
    assert "hidden" not in str(failed.value)


@pytest.fixture
def ledger_url(port, tmp_path):
    return postgres.url(port, tmp_path, f"record_{next(NUMBERS)}")


def test_postgresql_truncation_is_refused(ledger_url):
    build(ledger_url)
    with pytest.raises(Exception, match=r"grow|permission denied"):
        raw(ledger_url)("TRUNCATE event")


def test_postgresql_a_role_with_the_least_rights_writes_and_can_do_nothing_else(ledger_url, port, tmp_path):
    build(ledger_url)
    schema = schema_of(ledger_url)
    owner = raw(ledger_url)
    role = f"writer_{schema}"
    owner(f"CREATE ROLE {role} LOGIN")
    owner(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
    owner(f"GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA {schema} TO {role}")
    mine = ledger_url.replace("//ledger@", f"//{role}@")
    with open_ledger(mine, create=False) as ledger:
        ledger.append(reading(1))
    assert verify(mine).verdict == "pass"
    connection = postgres.connect(port, role)
    for statement in (
        "DELETE FROM {}.event",
        "UPDATE {}.event SET body = body",
        "TRUNCATE {}.event",
        "DROP TABLE {}.event",
    ):
        with pytest.raises(Exception, match=r"permission denied|must be owner"):
            connection.run(statement.format(schema))
    connection.close()


ATTACKS = {
    "an edited body": (
        "UPDATE event SET body = replace(convert_from(body, 'UTF8'), '7.01', '7.00')::bytea WHERE seq = 5",
        5,
    ),
    "an edited column": ("UPDATE event SET subject = 'X' WHERE seq = 5", None),
    "a removed event": ("DELETE FROM event WHERE seq = 5", 5),
    "a cut tail": ("DELETE FROM event WHERE seq > 14; DELETE FROM checkpoint WHERE size > 14", 15),
}


@pytest.mark.parametrize(("statements", "seq"), ATTACKS.values(), ids=ATTACKS)
def test_postgresql_an_owner_who_takes_the_guards_off_is_found(ledger_url, statements, seq):
    build(ledger_url)
    run = raw(ledger_url)
    for table in ("event", "checkpoint"):
        run(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        run(f"GRANT ALL ON {table} TO ledger")
    assert words(verify(ledger_url))["storage"] == "fail"  # the guards are off
    for statement in statements.split("; "):
        run(statement)
    for table in ("event", "checkpoint"):
        run(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
    verdict = verify(ledger_url)
    assert verdict.verdict == "fail"
    assert first_bad(verdict) == seq


def test_postgresql_a_lost_connection_is_a_refusal_and_then_a_new_connection(ledger_url, port):
    with open_ledger(ledger_url) as ledger:
        (event,) = ledger.append(reading(1))
        admin = postgres.connect(port)
        admin.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND usename = 'ledger'"
        )
        admin.close()
        for _ in range(3):  # each of the two connections finds out
            try:
                ledger.append(reading(2))
                break
            except UnavailableError:
                pass
        assert ledger.head.seq == event.seq + 1
    assert verify(ledger_url).verdict == "pass"


def test_postgresql_a_server_that_may_lose_commits_is_refused(ledger_url, monkeypatch):
    from seedtrain.record._postgres import PostgresStore

    genuine = PostgresStore._run

    def lying(self, query, **values):
        return [["off"]] if query == "SHOW fsync" else genuine(self, query, **values)

    monkeypatch.setattr(PostgresStore, "_run", lying)
    with pytest.raises(UnavailableError, match="fsync"):
        open_ledger(ledger_url)


def test_postgresql_a_second_writer_is_refused_while_the_first_holds_the_lock(ledger_url, monkeypatch):
    monkeypatch.setattr("seedtrain.record._postgres.LOCK_MS", 100)
    with open_ledger(ledger_url) as ledger:
        schema = schema_of(ledger_url)
        run = raw(ledger_url)
        run("BEGIN")
        run(f"SELECT pg_advisory_xact_lock(hashtext('{schema}'))")
        before = ledger.head
        with pytest.raises(SeedtrainError, match="lock"):
            ledger.append(reading(1))
        run("ROLLBACK")
        assert ledger.append(reading(1))[0].seq == before.seq + 1
    with pytest.raises((InputError, IntegrityError)):
        open_ledger(ledger_url.replace("ledger=record", "ledger=other"), create=False)
