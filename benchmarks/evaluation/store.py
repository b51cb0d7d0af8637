"""Cells as files: written when complete, skipped when they are there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FORMAT = 2


class Store:
    """A folder with one JSON file a cell.

    Args:
        folder: Made when the first cell is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def simulations(self) -> Path:
        """Folder of noisy simulations, which cells share."""
        return self.folder / "simulations"

    def path(self, workload: str, system: str) -> Path:
        """Return the file of a cell."""
        return self.folder / "cells" / workload / f"{system.replace(' ', '_').replace('/', '-')}.json"

    def read(self, workload: str, system: str, settings: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
        """Return a finished cell, ``None`` if there is none, or one made with other ``settings``."""
        path = self.path(workload, system)
        if not path.exists():
            return None
        record = json.loads(path.read_text(encoding="utf-8"))
        if record.get("format") != FORMAT or (settings is not None and record["settings"] != settings):
            return None
        return record

    def write(self, record: Mapping[str, Any]) -> None:
        """Write a finished cell: the whole file appears at once, so that a stopped run leaves no half of one."""
        path = self.path(record["workload"], record["system"])
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps({"format": FORMAT, **record}, default=float) + "\n", encoding="utf-8")
        partial.replace(path)

    def all(self) -> list[dict[str, Any]]:
        """Return every cell of this format, by file name."""
        records = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(self.folder.glob("cells/*/*.json"))]
        return [record for record in records if record.get("format") == FORMAT]
