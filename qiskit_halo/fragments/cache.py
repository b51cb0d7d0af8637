"""Compiled bodies kept for the next time: in this process, and on disk.

Nothing here can make a compilation fail or change its result: what cannot be read or written is compiled again.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from qiskit_halo.fragments.fragment import Fragment
from qiskit_halo.fragments.memory import Memory
from qiskit_halo.fragments.serialize import fragments_from_bytes, fragments_to_bytes

logger = logging.getLogger(__name__)

DIRECTORY_VARIABLE = "QISKIT_HALO_CACHE"
"""Environment variable that names the folder."""

MEMORY_ENTRIES = 2_000
DISK_ENTRIES, DISK_BYTES = 4_000, 256 * 2**20
PRUNE_EVERY = 200
"""Entries that one process writes between two looks at the size of the folder."""

_SUFFIX = ".fragments"


MEMORY: Memory[str, tuple[Fragment, ...]] = Memory(MEMORY_ENTRIES)
"""What this process has compiled."""


class Disk:
    """A folder of entries, one file each. Several processes may use it at the same time.

    An entry is a digest of the rest, then what :func:`~qiskit_halo.fragments.serialize.fragments_to_bytes` writes.

    Args:
        folder: Where; made when the first entry is written.
        max_entries: Files kept, roughly: the bound is looked at now and then.
        max_bytes: Bytes kept, roughly.
    """

    def __init__(self, folder: Path, max_entries: int = DISK_ENTRIES, max_bytes: int = DISK_BYTES) -> None:
        self._folder = folder
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._until_prune = 0
        self._writable = True

    def get(self, key: str) -> tuple[Fragment, ...] | None:
        """Return an entry, ``None`` if it is not there or is damaged."""
        path = self._path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        try:
            if hashlib.sha256(data[32:]).digest() != data[:32]:
                raise ValueError("the digest does not fit")
            fragments = fragments_from_bytes(data[32:])
        except Exception as error:  # whatever Qiskit raises on bytes that it cannot read
            logger.debug("cache entry %s is damaged and compiled again: %s", path.name, error)
            return None
        try:
            os.utime(path)  # used just now: pruning takes the oldest first
        except OSError:
            logger.debug("cache entry %s cannot be marked as used", path.name)
        return fragments

    def put(self, key: str, fragments: Sequence[Fragment]) -> None:
        """Write an entry, all of it or nothing."""
        if not self._writable:
            return
        try:
            data = fragments_to_bytes(fragments)
        except ValueError as error:
            logger.debug("a compiled body cannot be kept on disk: %s", error)
            return
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._until_prune == 0:
                self._prune()
                self._until_prune = PRUNE_EVERY
            self._until_prune -= 1
            self._write(self._path(key), hashlib.sha256(data).digest() + data)
        except OSError as error:
            logger.debug("the cache folder cannot be written and is left alone from now on: %s", error)
            self._writable = False

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{_SUFFIX}"

    def _write(self, path: Path, data: bytes) -> None:
        handle, name = tempfile.mkstemp(dir=self._folder, prefix="new-", suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise

    def _prune(self) -> None:
        """Delete the entries not used for longest until the folder is within its bounds."""
        found = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                try:
                    stat = entry.stat()
                except OSError:
                    continue  # another process has deleted it
                found.append((stat.st_mtime, entry.name, stat.st_size))
        number, size = len(found), sum(item[2] for item in found)
        for _, name, own in sorted(found):
            if number <= self._max_entries and size <= self._max_bytes:
                break
            (self._folder / name).unlink(missing_ok=True)
            number, size = number - 1, size - own


def cache_folder() -> Path | None:
    """Return the folder of the cache: what ``QISKIT_HALO_CACHE`` names, else a place of the user's for such files.

    ``None`` if the user has no home.
    """
    try:
        return _cache_folder()
    except RuntimeError as error:
        logger.debug("no cache on disk: %s", error)
        return None


def _cache_folder() -> Path:
    named = os.environ.get(DIRECTORY_VARIABLE)
    if named:
        return Path(named).expanduser()
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "qiskit-halo"
