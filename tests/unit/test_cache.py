from __future__ import annotations

import dataclasses
import logging
import os
import sys
from pathlib import Path

import pytest

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments import cache as module
from qiskit_halo.fragments.cache import DIRECTORY_VARIABLE, Disk, Memory, cache_folder
from qiskit_halo.fragments.fragment import Fragment
from tests.fragment_samples import bell, make_fragment
from tests.targets import make_target

ENTRY = (make_fragment(bell(), (0, 1), DeviceModel(make_target(3))),)


def numbered(number: int) -> tuple[Fragment, ...]:
    return (dataclasses.replace(ENTRY[0], variant=f"seed {number}"),)


class TestMemory:
    def test_what_was_used_last_stays(self):
        memory = Memory(2)
        memory.put("a", numbered(0))
        memory.put("b", numbered(1))
        assert memory.get("a") == numbered(0)
        memory.put("c", numbered(2))
        assert memory.get("b") is None
        assert (memory.get("a"), memory.get("c")) == (numbered(0), numbered(2))
        memory.clear()
        assert memory.get("a") is None

    def test_the_process_has_one_of_bounded_size(self):
        for number in range(module.MEMORY_ENTRIES + 5):
            module.MEMORY.put(str(number), ENTRY)
        assert module.MEMORY.get("4") is None
        assert module.MEMORY.get("5") is ENTRY


class TestDisk:
    def test_another_process_finds_it(self, own_cache: Path):
        Disk(own_cache).put("key", ENTRY)
        assert Disk(own_cache).get("key") == ENTRY
        assert Disk(own_cache).get("other") is None
        assert [path.name for path in own_cache.iterdir()] == ["key.fragments"]
        if os.name == "posix":
            assert own_cache.stat().st_mode & 0o077 == 0  # programs are nobody else's business

    @pytest.mark.parametrize(
        "damage",
        [
            lambda data: data[: len(data) // 2],
            lambda data: b"",
            lambda data: data[:40] + bytes([data[40] ^ 1]) + data[41:],
            lambda data: b"not an entry" * 100,
        ],
        ids=["cut", "empty", "one bit", "foreign"],
    )
    def test_damage_is_as_good_as_nothing(self, own_cache: Path, damage, caplog: pytest.LogCaptureFixture):
        disk = Disk(own_cache)
        disk.put("key", ENTRY)
        (path,) = own_cache.iterdir()
        path.write_bytes(damage(path.read_bytes()))
        with caplog.at_level(logging.DEBUG, logger=module.__name__):
            assert disk.get("key") is None
        assert "is damaged and compiled again" in caplog.text
        disk.put("key", ENTRY)
        assert disk.get("key") == ENTRY

    def test_a_right_digest_of_something_else_is_damage_too(self, own_cache: Path):
        own_cache.mkdir()
        data = b"\0" * 50
        (own_cache / "key.fragments").write_bytes(module.hashlib.sha256(data).digest() + data)
        assert Disk(own_cache).get("key") is None

    def test_a_folder_that_cannot_be_made(self, tmp_path: Path, caplog: pytest.LogCaptureFixture):
        (tmp_path / "file").write_text("")
        disk = Disk(tmp_path / "file" / "folder")
        with caplog.at_level(logging.DEBUG, logger=module.__name__):
            disk.put("key", ENTRY)
            disk.put("other", ENTRY)
        assert caplog.text.count("cannot be written and is left alone") == 1
        assert disk.get("key") is None

    def test_a_full_disk_leaves_nothing_behind(self, own_cache: Path, monkeypatch: pytest.MonkeyPatch):
        def full(self: Path, target: Path) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "replace", full)
        Disk(own_cache).put("key", ENTRY)
        assert list(own_cache.iterdir()) == []

    def test_what_qpy_cannot_write_is_not_kept(self, own_cache: Path, monkeypatch: pytest.MonkeyPatch):
        def fail(fragments: object) -> bytes:
            raise ValueError("an operation of nobody's")

        monkeypatch.setattr(module, "fragments_to_bytes", fail)
        Disk(own_cache).put("key", ENTRY)
        assert not own_cache.exists()

    @pytest.mark.parametrize("bound", [{"max_entries": 3}, {"max_bytes": 3 * 10_000}], ids=["entries", "bytes"])
    def test_what_was_not_used_for_longest_goes(self, own_cache: Path, bound: dict[str, int]):
        own_cache.mkdir()
        for age, name in enumerate("abcde"):
            path = own_cache / f"{name}.fragments"
            path.write_bytes(b"\0" * 10_000)
            os.utime(path, (1_000_000 - age, 1_000_000 - age))
        Disk(own_cache, **bound).put("new", ENTRY)
        assert sorted(path.stem for path in own_cache.iterdir()) == ["a", "b", "c", "new"]

    def test_a_long_run_looks_again(self, own_cache: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(module, "PRUNE_EVERY", 4)
        disk = Disk(own_cache, max_entries=5)
        for number in range(40):
            disk.put(str(number), ENTRY)
        assert len(list(own_cache.iterdir())) <= 5 + 4

    def test_reading_counts_as_use(self, own_cache: Path):
        disk = Disk(own_cache)
        disk.put("key", ENTRY)
        (path,) = own_cache.iterdir()
        os.utime(path, (1, 1))
        disk.get("key")
        assert path.stat().st_mtime > 1


class TestFolder:
    def test_the_variable_wins(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
        monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path / "mine"))
        assert cache_folder() == tmp_path / "mine"

    @pytest.mark.parametrize(
        ("platform", "variable", "expected"),
        [
            ("linux", None, ".cache/qiskit-halo"),
            ("linux", "XDG_CACHE_HOME", "given/qiskit-halo"),
            ("darwin", None, "Library/Caches/qiskit-halo"),
            ("win32", None, "AppData/Local/qiskit-halo"),
            ("win32", "LOCALAPPDATA", "given/qiskit-halo"),
        ],
    )
    def test_else_a_place_of_the_user(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, platform: str, variable: str | None, expected: str
    ):
        for name in (DIRECTORY_VARIABLE, "XDG_CACHE_HOME", "LOCALAPPDATA"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(Path, "home", lambda: tmp_path)
        monkeypatch.setattr(sys, "platform", platform)
        if variable:
            monkeypatch.setenv(variable, str(tmp_path / "given"))
        assert cache_folder() == tmp_path / expected

    def test_a_user_without_home(self, monkeypatch: pytest.MonkeyPatch):
        def homeless() -> Path:
            raise RuntimeError("Could not determine home directory.")

        monkeypatch.setattr(Path, "home", homeless)
        for name in (DIRECTORY_VARIABLE, "XDG_CACHE_HOME"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(sys, "platform", "linux")
        assert cache_folder() is None
