"""What people read of banks, chains and evidence, in both languages: every command without --json."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from seedtrain.gmp import (
    MaterialCertificate,
    Observed,
    create_bank,
    fill_bank,
    hand_over,
    issue_certificate,
    open_custody,
    place_vials,
    read_plan,
    receive_custody,
    receive_lots,
    record_excursions,
    revoke_certificate,
)
from seedtrain.quantity import Quantity, parse_range
from seedtrain.record import Draft, enrol_person, open_ledger
from tests.gmp.made import lot
from tests.worked import called

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
CHINESE = range(0x4E00, 0xA000)


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """A ledger with something of everything, and its chain's code."""
    folder = tmp_path_factory.mktemp("words")
    with open_ledger(folder / "record.db", clock=lambda: START) as ledger:
        keeper = enrol_person(ledger, "The keeper", ["shift_leader", "operator"], scripted=True)
        courier = enrol_person(ledger, "The courier", ["courier"], scripted=True)
        officer = enrol_person(ledger, "The officer", ["assurance_officer"], scripted=True)
        plan = read_plan("cell").to_data()
        bank: dict[str, Any] = {"tier": "research", "kind": "cell", "material": "CHO"}
        create_bank(ledger, "RB-1", keeper, **bank, age=3, age_limit=60, reserve=9, plan=plan)
        fill_bank(ledger, "RB-1", 3, keeper)
        place_vials(ledger, "RB-1", "F1/R1/B1", keeper, grid="2x2")
        log = folder / "log.csv"
        log.write_text("time,temperature\n2026-03-02T09:00:00Z,-100\n2026-03-02T10:00:00Z,-150\n")
        times: dict[str, Any] = {"longer_than": Quantity(0, "min"), "silence": Quantity(2, "h")}
        record_excursions(ledger, "F1", log, keeper, limit=parse_range("<= -130 degC"), **times)
        made = open_custody(ledger, keeper, patient="A", product="CAR-T", place="w", limits={"all": "2 .. 8 degC"})
        seen = Observed(made.code, made.token, "w", "4 degC")
        hand_over(ledger, made.code, keeper, seen, to=courier, stage="transport")
        receive_custody(ledger, made.code, courier, seen)
        receive_lots(ledger, [lot("G-1", "gelatine", origins=("bovine", None))], keeper, at=START)
        used = {"lot": "G-1", "material": "gelatine", "amount": "1", "unit": "g", "phase": "p"}
        ledger.append(Draft("lot.consumed", "B-1", used, keeper))
        found = MaterialCertificate("C-1", "BPJPH", "BPJPH", "", "gelatine", "Supplier", date(2026, 1, 1), None)
        issue_certificate(ledger, found, officer)
        revoke_certificate(ledger, "C-1", "letter", officer)
    return folder / "record.db", made.code


COMMANDS = [
    (("bank", "list"), 0, "0 withdrawn", "取出 0 支"),
    (("bank", "show", "RB-1"), 0, "on hold", "待定"),
    (("bank", "map", "F1/R1/B1"), 0, "RB-1-001!", "不得使用"),
    (("bank", "test", "RB-1"), 3, "inconclusive", "无法判定"),
    (("custody", "list"), 0, "transport", "运输"),
    (("custody", "show", "CODE"), 0, "FOR AUTOLOGOUS USE ONLY", "FOR AUTOLOGOUS USE ONLY"),
    (("custody", "check", "CODE"), 3, "inconclusive", "无法判定"),
    (("assurance", "certificate", "list"), 0, "revoked", "已撤销"),
    (("assurance", "judge", "B-1", "--rules", "sjph"), 1, "1 of 2 ingredients undeclared", "2 种成分中有 1 种未申报"),
    (("assurance", "rules"), 0, "Decree 20/2023", "Decree 20/2023"),
    (("assurance", "rules", "sjph"), 0, "the clause was read", "已核对条款原文"),
]


@pytest.mark.parametrize(("words", "code", "english", "chinese"), COMMANDS, ids=lambda item: str(item)[:40])
def test_what_is_printed_says_it_in_both_languages(shown, monkeypatch, words, code, english, chinese):
    record, chain = shown
    monkeypatch.setenv("SEEDTRAIN_RECORD", str(record))
    given = [chain if word == "CODE" else word for word in words]
    for language, expected in (("en", english), ("zh", chinese)):
        said = called(*given, "--lang", language)
        assert (said.code, said.err) == (code, "")
        assert expected in said.out
        assert "None" not in said.out
        if language == "en":
            assert not any(ord(letter) in CHINESE for letter in said.out)
