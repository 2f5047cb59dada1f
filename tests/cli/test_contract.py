"""The contract of the command line: exit codes, one JSON document, examples in every help, and a help that is quick."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator

import pytest
from cyclopts import App

from seedtrain.cli._app import application
from tests.worked import COMMAND, called, command

HEAVY = ("numpy", "scipy", "pydantic", "pint", "matplotlib", "cobra", "apsw", "yaml", "cryptography", "typst", "Bio")
HELP_SECONDS = 0.3


def commands(of: App, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command by its words, those of groups included."""
    for name in of:
        if name.startswith("-"):
            continue
        inner = of[name]
        if [word for word in inner if not word.startswith("-")]:
            yield from commands(inner, (*path, name))
        else:
            yield (*path, name)


COMMANDS = tuple(commands(application(listing=False)))


def test_the_commands_that_users_are_told_of_exist() -> None:
    assert {("run",), ("new",), ("simulate",), ("recipe", "check"), ("recipe", "diff")} <= set(COMMANDS)
    assert {("record", "verify"), ("record", "show"), ("record", "export")} <= set(COMMANDS)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_help_has_an_example_and_the_common_options(words) -> None:
    said = called(*words, "--help")
    assert said.code == 0
    text = " ".join(said.out.split())
    assert f"Example: seedtrain {' '.join(words)}" in text
    assert "--json" in text
    assert "--lang" in text


def test_the_overview_says_what_every_command_is_for() -> None:
    overview = " ".join(called("--help").out.replace("│", " ").split())
    for name in {words[0] for words in COMMANDS}:
        assert re.search(rf" {name} +[A-Z][^╮]+[.?]", overview), name


@pytest.mark.parametrize("group", sorted({words[0] for words in COMMANDS if len(words) > 1}))
def test_a_group_says_what_each_of_its_commands_is_for(group) -> None:
    said = " ".join(called(group, "--help").out.replace("│", " ").split())
    for name in {words[1] for words in COMMANDS if words[0] == group}:
        assert re.search(rf" {name} +[A-Z0-9\"`][^╮]+?[.?:]", said), name


def test_a_command_explains_itself_whole() -> None:
    assert "Only stages whose inputs changed are redone" in " ".join(called("run", "--help").out.split())


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys\nfrom seedtrain.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        f"print('LOADED', *[name for name in {HEAVY!r} if name in sys.modules])"
    )
    for words in (["--help"], ["run", "--help"], ["record", "--help"], ["--version"]):
        done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1].split() == ["LOADED"], (words, done.stdout)


def test_help_takes_little_processor_time() -> None:
    """Best of five: what else the machine does is not the command's."""
    spent = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([str(COMMAND), "--help"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(spent) < HELP_SECONDS


def test_version_and_nothing_at_all() -> None:
    import seedtrain

    assert command("--version").out.strip() == seedtrain.__version__
    said = command()
    assert said.code == 0
    assert "Usage: seedtrain COMMAND" in said.out


def test_a_pipe_that_closes_early_is_no_crash(easy_finished) -> None:
    line = f"{COMMAND} record show {easy_finished / 'out' / 'record.db'} | head -n 1"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert "ledger.created" in done.stdout
    assert "Traceback" not in done.stderr


def test_what_people_read_can_be_had_in_chinese(easy_finished) -> None:
    ledger = easy_finished / "out" / "record.db"
    environment = {**os.environ, "SEEDTRAIN_LANG": "zh"}
    english, chosen = command("run", "--help"), command("run", "--help", env=environment)
    assert english.code == chosen.code == 0
    said = called("record", "verify", ledger, "--lang", "zh")
    assert said.code == 0
