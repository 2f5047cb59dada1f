"""Files are written whole or not at all."""

import json
import math
import os

import pytest

from seedtrain.base import UnavailableError, cache_folder, write_atomic, write_json


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "out" / "report.json"
    write_atomic(path, "old")

    def broken(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(UnavailableError, match="No space left") as caught:
        write_atomic(path, "new")
    assert caught.value.exit_code == 4
    assert path.read_text() == "old"
    assert [item.name for item in path.parent.iterdir()] == ["report.json"]


def test_interrupted_before_the_rename_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _handle: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_atomic(tmp_path / "a", b"x")
    assert list(tmp_path.iterdir()) == []


def test_json_is_readable_text_and_never_not_a_number(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"name": "胶原", "x": 1.5})
    assert "胶原" in path.read_text("utf-8")
    assert json.loads(path.read_text("utf-8")) == {"name": "胶原", "x": 1.5}
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"x": math.nan})
    assert json.loads(path.read_text("utf-8"))["x"] == 1.5


def test_the_cache_folder_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("SEEDTRAIN_CACHE", str(tmp_path / "mine"))
    assert cache_folder("a", "b") == tmp_path / "mine" / "a" / "b"
    monkeypatch.delenv("SEEDTRAIN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "seedtrain"
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SEEDTRAIN_CACHE", str(tmp_path / "file"))
    with pytest.raises(UnavailableError, match="cache folder"):
        cache_folder()
