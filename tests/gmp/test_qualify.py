"""Qualification: every check passes here, fails where what it checks is broken, and says no more than was shown."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import subprocess
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pypdf
import pytest

import seedtrain
from seedtrain.base import use_language
from seedtrain.gmp import Qualification, run_checks
from seedtrain.gmp._qualify import _installation, _ledger_checks, _people_checks, _report
from seedtrain.gmp._qualify._bench import CheckOpenError
from seedtrain.gmp._qualify._clauses import clauses, duties, rules
from seedtrain.gmp._qualify._page import print_qualification, qualification_data
from seedtrain.gmp._qualify._run import CHECKS, untested
from seedtrain.quality import Verdict
from seedtrain.record import _access, _event, open_ledger
from seedtrain.report import check_pdf, render_html
from tests.record.authority import authority, serving
from tests.report.pdfa import claims, faults
from tests.worked import called

JUDGEMENTS = re.compile(r"complian|conformit|certified|合规|符合法规", re.IGNORECASE)


@pytest.fixture(scope="module")
def qualified() -> Qualification:
    return run_checks()


def _as_committed() -> bool:
    """Whether the package's files are those of the commit, or nobody can say."""
    source = Path(str(seedtrain.__file__)).parent
    try:
        said = subprocess.run(["git", "-C", str(source), "status", "--porcelain", "."], capture_output=True, check=True)
    except (OSError, subprocess.SubprocessError):
        return False
    return not said.stdout


def test_every_check_passes_here_but_that_of_published_files(qualified):
    found = {item.id: (item.verdict, item.evidence) for item in qualified.results}
    assert list(found) == list(CHECKS)
    editable = metadata.distribution("seedtrain").read_text("direct_url.json")
    for name, (verdict, evidence) in found.items():
        if name == "IQ-02" and editable and '"editable"' in editable:
            expected = "pass" if _as_committed() else "inconclusive"
        else:
            expected = "pass"
        assert verdict == expected, f"{name}: {evidence}"
        assert evidence, name


def test_each_clause_says_how_it_is_shown_and_names_checks_that_exist():
    for clause in clauses():
        assert set(clause.tests) <= set(CHECKS), clause
        assert bool(clause.tests) == (clause.kind != "user"), clause
        assert clause.words, clause
        assert clause.kind == "tested" or clause.note or clause.kind == "user", clause
    assert len({(item.rule, item.clause) for item in clauses()}) == len(clauses())
    assert set(untested()) <= {"IQ-01", "IQ-03", "IQ-04", "IQ-05", "IQ-07", "OQ-28"}


def test_the_clauses_of_211_188_are_all_there_and_each_has_a_section():
    (rule,) = [item for item in rules() if item.name == "21 CFR 211.188"]
    wanted = ["211.188(a)", *(f"211.188(b)({number})" for number in range(1, 14))]
    assert [item.clause for item in rule.clauses] == wanted
    assert all(item.place for item in rule.clauses)


def test_both_languages_say_the_same_things():
    english = [(item.rule, item.clause, item.kind, item.tests) for item in clauses()]
    with use_language("zh"):
        assert [(item.rule, item.clause, item.kind, item.tests) for item in clauses()] == english
        words = [item.words for item in clauses()] + list(duties())
    assert all(any("一" <= letter <= "鿿" for letter in text) for text in words)
    assert not any("一" <= letter <= "鿿" for item in clauses() for letter in item.words)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_never_judges_whether_a_regulation_is_met(qualified, language):
    with use_language(language):
        data = qualification_data(qualified)
        text = render_html(print_qualification(qualified, data).page) + json.dumps(data, ensure_ascii=False)
    body = re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
    assert not JUDGEMENTS.findall(body)
    assert len(duties()) >= 7
    for clause in clauses():
        assert clause.clause in body


def test_the_command_writes_a_signed_archivable_report_and_appends_to_the_ledger(qualified, tmp_path, monkeypatch):
    monkeypatch.setattr(_report, "run_checks", lambda *_, **__: qualified)  # they have been run once
    record = tmp_path / "record.db"
    open_ledger(record).close()
    said = called("qualify", "--out", tmp_path / "q", "--record", record, "--json")
    document = said.document
    assert said.code == {"pass": 0, "fail": 1, "inconclusive": 3}[document["verdict"]]
    assert document["verdict"] != "fail", [item for item in document["checks"] if item["verdict"] == "fail"]
    pdf = (tmp_path / "q" / "qualification.pdf").read_bytes()
    assert claims(pdf) == ("3", "A")
    assert faults(pdf) == []
    (signature,) = check_pdf(pdf)
    assert signature.intact
    assert signature.whole
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    attached = json.loads(reader.attachments["qualification.json"][0])
    written = json.loads((tmp_path / "q" / "qualification.json").read_text())
    assert attached == written
    text = "".join(page.extract_text() for page in reader.pages)
    assert not JUDGEMENTS.findall(text)
    assert "OQ-26" in text
    with open_ledger(record, read_only=True) as ledger:
        (event,) = ledger.events(type="installation.qualified")
    assert event.seq == document["event"]
    assert event.payload["pdf"] == hashlib.sha256(pdf).hexdigest()
    assert event.payload["report"] == hashlib.sha256((tmp_path / "q" / "qualification.json").read_bytes()).hexdigest()
    assert called("record", "verify", record, "--json").document["verdict"] == "pass"
    assert [path.name for path in sorted((tmp_path / "q").iterdir())] == ["qualification.json", "qualification.pdf"]


def test_an_authority_stamps_the_report_and_one_that_fails_leaves_nothing(qualified, tmp_path, monkeypatch):
    monkeypatch.setattr(_report, "run_checks", lambda *_, **__: qualified)
    with serving(lambda _query: b"nonsense") as address:
        assert called("qualify", "--out", tmp_path / "q", "--tsa", address).code in (1, 4)
    assert not (tmp_path / "q" / "qualification.pdf").exists()
    with authority(tmp_path / "tsa") as (address, _root):
        called("qualify", "--out", tmp_path / "q", "--tsa", address)
    (signature,) = check_pdf((tmp_path / "q" / "qualification.pdf").read_bytes())
    assert signature.intact
    assert signature.stamp.endswith("Time stamps")


def test_bad_input_is_told_before_anything_runs(tmp_path):
    assert called("qualify", "--out", tmp_path / "q", "--record", tmp_path / "none.db").code == 2
    assert called("qualify", "--out", tmp_path / "q", "--as", "person-1").code == 2
    assert not (tmp_path / "q").exists()
    (tmp_path / "file").touch()
    assert called("qualify", "--out", tmp_path / "file" / "q").code == 4


def verdict_of(name: str) -> str:
    (found,) = run_checks(checks=[name]).results
    return found.verdict


def test_a_check_fails_where_what_it_checks_is_broken(monkeypatch):
    """A qualification that passes whatever happens is worth nothing."""
    monkeypatch.setattr(_ledger_checks, "verify", lambda *_: Verdict.of([], []))
    assert verdict_of("OQ-02") == "fail"
    monkeypatch.undo()
    monkeypatch.setattr(_access, "MOST_FAILURES", 1000)
    assert verdict_of("OQ-05") == "fail"
    monkeypatch.undo()
    monkeypatch.setattr(_people_checks, "different_people", lambda *_: True)
    assert verdict_of("OQ-08") == "fail"
    monkeypatch.undo()
    for name, target in (
        ("OQ-10", "seedtrain.gmp._qualify._people_checks.authorise"),
        ("OQ-20", "seedtrain.gmp._qualify._document_checks.verify_document"),
        ("OQ-24", "seedtrain.gmp._qualify._ledger_checks.timezone"),
    ):
        monkeypatch.setattr(target, lambda *_, **__: None)
        assert verdict_of(name) == "fail", name
        monkeypatch.undo()
    monkeypatch.setattr(_event, "LARGEST_EVENT_BYTES", 2**30)
    assert verdict_of("OQ-27") == "fail"


def test_open_keys_are_found(tmp_path):
    record = tmp_path / "record.db"
    with open_ledger(record) as ledger:
        key = ledger.keys.folder / "server.pem"
    assert run_checks(checks=["IQ-08"], record=str(record)).verdict == "pass"
    key.chmod(0o644)
    (found,) = run_checks(checks=["IQ-08"], record=str(record)).results
    assert found.verdict == "fail"
    assert "server.pem" in found.evidence[0]


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A package as a wheel would have laid it out, taken for the installed one."""
    folder = tmp_path / "site"
    (folder / "seedtrain").mkdir(parents=True)
    rows = []
    for name in ("__init__.py", "a.py"):
        content = f"# {name}\n".encode()
        (folder / "seedtrain" / name).write_bytes(content)
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.append(f"seedtrain/{name},sha256={digest},{len(content)}")
    info = folder / "seedtrain-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: seedtrain\nVersion: 0.1.0\n")
    (info / "RECORD").write_text("\n".join([*rows, "seedtrain-0.1.0.dist-info/RECORD,,"]) + "\n")
    monkeypatch.setattr(metadata, "distribution", lambda _: metadata.PathDistribution(info))
    return folder / "seedtrain"


def test_installed_files_are_compared_with_what_was_published(published):
    assert verdict_of("IQ-02") == "pass"
    (published / "__pycache__").mkdir()
    (published / "__pycache__" / "a.pyc").write_bytes(b"x")
    assert verdict_of("IQ-02") == "pass"
    (published / "b.py").write_text("added")
    assert verdict_of("IQ-02") == "fail"
    (published / "b.py").unlink()
    (published / "a.py").write_text("changed")
    assert verdict_of("IQ-02") == "fail"
    (published / "a.py").unlink()
    assert verdict_of("IQ-02") == "fail"


def test_a_working_copy_is_compared_with_its_commit(tmp_path):
    def git(*words):
        who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", "-C", str(tmp_path), *who, *words], check=True, capture_output=True)

    package = tmp_path / "src" / "package"
    package.mkdir(parents=True)
    (package / "a.py").write_text("a = 1\n")
    bench: Any = SimpleNamespace(evidence={})
    with pytest.raises(CheckOpenError, match="whose files nobody published"):
        _installation._working_copy(bench, package)
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "first")
    (line,) = _installation._working_copy(bench, package)
    assert line.startswith("1 files of a working copy, as in commit ")
    (package / "b.py").write_text("added\n")
    with pytest.raises(CheckOpenError, match=r"not as committed: b\.py"):
        _installation._working_copy(bench, package)
    (package / "b.py").unlink()
    (package / "a.py").write_text("a = 2\n")
    with pytest.raises(CheckOpenError, match=r"not as committed: a\.py"):
        _installation._working_copy(bench, package)
