"""What a run leaves in its output folder, and the same as JSON."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qiskit import QuantumCircuit, qpy
from qiskit.primitives import SamplerPubResult

from qiskit_halo.cli.qasm import ProgramFile
from qiskit_halo.errors import HaloValueError
from qiskit_halo.report import HaloReport

COUNTS_VERSION = 1

_PICTURE_DPI = 130
# Characters of an outcome that fit into the table.
_LONGEST_OUTCOME = 24


def check_folder(folder: Path, *, counts: bool) -> None:
    """Make ``folder``, and one for ``counts`` in it, if needed, and try it out.

    Raises:
        HaloValueError: It cannot be made or written.
    """
    try:
        (folder / "counts" if counts else folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise HaloValueError(
            f"output folder {folder} cannot be written: {error.strerror or error}; choose another with --out"
        ) from error


def program_counts(index: int, program: ProgramFile, result: SamplerPubResult) -> dict[str, Any]:
    """Return what program ``index`` measured, as JSON.

    ``counts`` is keyed as the user's own circuit would be, last register first with spaces between;
    ``registers`` holds the counts of each register by itself.
    """
    registers = dict(result.data.items())
    columns = [bits.get_bitstrings() for bits in registers.values()]
    shots = len(columns[0]) if columns else 0
    joint = Counter(" ".join(reversed(shot)) for shot in zip(*columns, strict=True))
    return {
        "version": COUNTS_VERSION,
        "index": index,
        "program": program.name,
        "file": str(program.path),
        "shots": shots,
        "counts": dict(sorted(joint.items())),
        "registers": {name: dict(sorted(bits.get_counts().items())) for name, bits in registers.items()},
    }


def most_frequent(counts: dict[str, Any]) -> str:
    """Return the most frequent outcome of :func:`program_counts` and its share, for the table."""
    if not counts["counts"]:
        return "nothing measured"
    outcome, number = max(counts["counts"].items(), key=lambda item: item[1])
    if len(outcome) > _LONGEST_OUTCOME:
        half = _LONGEST_OUTCOME // 2
        outcome = f"{outcome[:half]}…{outcome[-half:]}"
    return f"{outcome} ({number / counts['shots']:.0%})"


def write_plan(folder: Path, report: HaloReport, isa: QuantumCircuit, *, pictures: bool) -> list[Path]:
    """Write the report, the merged circuit and, if asked for, the pictures; return the files."""
    written = [folder / "report.json", folder / "merged.qpy"]
    _write_json(written[0], report.to_dict())
    with written[1].open("wb") as file:
        qpy.dump(isa, file)
    if pictures:
        from qiskit_halo.visualization.chip import plot_placement
        from qiskit_halo.visualization.timeline import plot_timeline

        for name, figure in (("chip", plot_placement(report)), ("timeline", plot_timeline(report))):
            written.append(folder / f"{name}.png")
            figure.savefig(written[-1], dpi=_PICTURE_DPI)
    return written


def write_counts(folder: Path, all_counts: Sequence[dict[str, Any]]) -> list[Path]:
    """Write one file a program and return them."""
    written = []
    for counts in all_counts:
        written.append(folder / "counts" / f"{counts['program']}.json")
        _write_json(written[-1], counts)
    return written


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
