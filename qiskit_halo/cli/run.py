"""``qiskit-halo run``: files in, every program's own counts out."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qiskit import QuantumCircuit
from rich.console import Console

from qiskit_halo.cli.devices import load_device
from qiskit_halo.cli.output import check_folder, program_counts, write_counts, write_plan
from qiskit_halo.cli.progress import progress_bar
from qiskit_halo.cli.qasm import ProgramFile, load_programs
from qiskit_halo.errors import HaloError, HaloValueError
from qiskit_halo.multiprogram import MultiProgramCircuit
from qiskit_halo.options import HaloOptions
from qiskit_halo.plugins.generate import generate_halo_pass_manager
from qiskit_halo.report import HaloReport
from qiskit_halo.verification.isolation import verify_isolation


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What the user asked for.

    Args:
        files: OpenQASM files, one a program.
        device: Short name of a fake device.
        shots: One number for all programs, or one each.
        seed: Seed of compilation and simulation, at least 0.
        level: Optimization level, 0 to 3.
        helpers: More names of registers that hold helpers.
        options: What the compiler may do.
        simulate: Whether to run the merged circuit, or stop at the plan.
        noise: Whether the simulation is noisy.
        out: Folder for files; ``None`` writes none.
        pictures: Whether to draw pictures into ``out``.
    """

    files: Sequence[Path]
    device: str
    shots: Sequence[int]
    seed: int
    level: int
    helpers: Sequence[str]
    options: HaloOptions
    simulate: bool
    noise: bool
    out: Path | None
    pictures: bool

    def __post_init__(self) -> None:
        if self.level not in range(4):
            raise HaloValueError(f"--level must be 0, 1, 2 or 3, not {self.level}")
        if self.seed < 0:
            raise HaloValueError(f"--seed must be at least 0, not {self.seed}")
        if len(self.shots) not in (1, len(self.files)):
            raise HaloValueError(
                f"--shots gives {len(self.shots)} numbers for {len(self.files)} programs; give one for all, or one each"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """What came of it.

    Args:
        report: The compiled batch.
        isolation: What the isolation check said, in one line.
        counts: One JSON record a program, see :func:`~qiskit_halo.cli.output.program_counts`; none for a plan.
        written: Files written, in order.
    """

    report: HaloReport
    isolation: str
    counts: tuple[dict[str, Any], ...]
    written: tuple[Path, ...]


def run(request: RunRequest, console: Console) -> RunOutcome:
    """Compile the programs together, check, simulate, split, and write the files asked for.

    Args:
        request: What to do.
        console: Where progress is shown.

    Raises:
        HaloError: Something about the input or the installation is wrong; found as early as possible.
    """
    _require_extras(request)
    backend = load_device(request.device)
    programs = load_programs(request.files, helpers=request.helpers)
    shots = list(request.shots) * len(programs) if len(request.shots) == 1 else list(request.shots)
    batch = MultiProgramCircuit(
        [program.circuit for program in programs],
        shots=shots,
        names=[program.name for program in programs],
        options=request.options,
    )
    if request.out is not None:
        check_folder(request.out, counts=request.simulate)
    with progress_bar(console, "Compiling"):
        isa = _compile(request, batch.circuit, backend)
        verify_isolation(isa, target=backend.target, resets=request.options.resets, buffer=request.options.buffer)
    report = HaloReport.from_dict(isa.metadata["halo"]["report"])
    written: list[Path] = []
    if request.out is not None:
        with progress_bar(console, "Drawing" if request.pictures else "Writing"):
            written += write_plan(request.out, report, isa, pictures=request.pictures)
    counts: tuple[dict[str, Any], ...] = ()
    if request.simulate:
        counts = _simulate(request, batch, programs, isa, backend, console)
        if request.out is not None:
            written += write_counts(request.out, counts)
    rounds = request.options.resets
    return RunOutcome(
        report=report,
        isolation=f"isolation check passed: no gate joins programs, at least {rounds} "
        f"reset{'s' if rounds > 1 else ''} between two owners of a qubit",
        counts=counts,
        written=tuple(written),
    )


def _compile(request: RunRequest, circuit: QuantumCircuit, backend: Any) -> QuantumCircuit:
    passes = generate_halo_pass_manager(request.level, backend, options=request.options, seed_transpiler=request.seed)
    compiled: QuantumCircuit = passes.run(circuit)
    return compiled


def _simulate(
    request: RunRequest,
    batch: MultiProgramCircuit,
    programs: Sequence[ProgramFile],
    isa: QuantumCircuit,
    backend: Any,
    console: Console,
) -> tuple[dict[str, Any], ...]:
    from qiskit_halo.primitives.local import LocalSampler

    with progress_bar(console, "Simulating") as report:
        sampler = LocalSampler(
            backend,
            noise=request.noise,
            seed=request.seed,
            progress=report,
            reset_model=request.options.reset_model,
        )
        result = sampler.run([isa], shots=batch.shots).result()
    return tuple(
        program_counts(index, program, own)
        for index, (program, own) in enumerate(zip(programs, batch.split(result[0]), strict=True))
    )


def _require_extras(request: RunRequest) -> None:
    """Raise before any work if a package is missing that is needed only at the end."""
    needed = [("qiskit_aer", "aer", "simulation", "--no-run")] if request.simulate else []
    if request.out is not None and request.pictures:
        needed.append(("matplotlib", "visualization", "pictures", "--no-pictures"))
    for module, extra, purpose, flag in needed:
        if importlib.util.find_spec(module) is None:
            raise HaloError(
                f"{purpose} needs {module.replace('_', '-')}, which is not installed; "
                f"run: pip install 'qiskit-halo[{extra}]', or go without by {flag}"
            )
