"""The ``qiskit-halo`` command: options, and how errors are told."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from qiskit.exceptions import QiskitError
from rich.console import Console

from qiskit_halo.cli.output import most_frequent
from qiskit_halo.cli.table import report_table, table_console
from qiskit_halo.errors import HaloError, HaloValueError, IsolationError
from qiskit_halo.options import HaloOptions, IdleFill, PolicyName, ResetModel, Reusing, Sharing

# Input that cannot be used, and work that failed on usable input.
BAD_INPUT = 2
FAILED = 1

_DEFAULTS = HaloOptions()

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


def main() -> None:
    """Run the command line on the arguments of the process, and exit."""
    app(prog_name="qiskit-halo")


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"qiskit-halo {version('qiskit-halo')}")
        raise typer.Exit


@app.callback()
def qiskit_halo(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Share one quantum computer between many programs, isolated from each other."""


@app.command()
def run(
    files: Annotated[list[Path], typer.Argument(help="OpenQASM 2 or 3 files, one a program.")],
    device: Annotated[str, typer.Option(help="A fake device of qiskit-ibm-runtime by its short name: torino.")],
    shots: Annotated[str, typer.Option(help="Shots: one number for all programs, or one each, with commas.")] = "1024",
    seed: Annotated[
        int, typer.Option(help="Seed of compilation and simulation; the same seed gives the same output.")
    ] = 0,
    level: Annotated[int, typer.Option(help="Optimization level, 0 to 3.")] = 2,
    helpers: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Another quantum register that holds helpers, besides anc* and helper*."),
    ] = None,
    sharing: Annotated[
        str, typer.Option(help="What programs may share over time: none, helpers or all qubits.")
    ] = _DEFAULTS.sharing,
    success_floor: Annotated[
        float, typer.Option(help="Least share of its own best predicted success that a program keeps.")
    ] = _DEFAULTS.success_floor,
    weak_success: Annotated[
        float,
        typer.Option(help="Predicted success up to which a program may lose as many shots as one of this success."),
    ] = _DEFAULTS.weak_success,
    resets: Annotated[int, typer.Option(help="Resets at each hand-over.")] = _DEFAULTS.resets,
    buffer: Annotated[
        int, typer.Option(help="Least free couplings between programs active at the same time.")
    ] = _DEFAULTS.buffer,
    max_duration: Annotated[
        float | None, typer.Option(help="Longest makespan allowed, in microseconds.", show_default="no limit")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(metavar="QUBITS", help="Physical qubits never used: 3,17.")
    ] = None,
    policy: Annotated[
        str, typer.Option(help="Who goes next on a shared qubit: auto, round_robin or packed.")
    ] = _DEFAULTS.policy,
    max_wait: Annotated[
        float, typer.Option(help="Most microseconds that others may hold a program up while its qubits are alive.")
    ] = _DEFAULTS.max_wait_s * 1e6,
    weights: Annotated[
        str | None,
        typer.Option(help="Share of the turns, one number a program, with commas.", show_default="all alike"),
    ] = None,
    scrub: Annotated[
        bool, typer.Option("--scrub", help="Put a random X before the resets of a hand-over; not repeatable.")
    ] = False,
    idle_fill: Annotated[
        str, typer.Option(help="What fills gaps: delay, or dd for decoupling pulses.")
    ] = _DEFAULTS.idle_fill,
    feed_forward: Annotated[
        float, typer.Option(help="Latency between a measurement and what depends on it, in microseconds.")
    ] = _DEFAULTS.feed_forward_s * 1e6,
    crosstalk: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="JSON list of [[a, b], [c, d], factor]: error of a, b while c, d is driven."),
    ] = None,
    readout_crosstalk: Annotated[
        float, typer.Option(help="Share of its success that a live qubit loses at each readout of a neighbour.")
    ] = _DEFAULTS.readout_crosstalk,
    reuse: Annotated[
        str, typer.Option(help="Whether qubits of one program may share a physical qubit: auto, none or max.")
    ] = _DEFAULTS.reuse,
    reset_model: Annotated[
        str, typer.Option(help="What a reset that fails does: stays leaves the qubit as it was, flips also flips a 0.")
    ] = _DEFAULTS.reset_model,
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Keep compiled programs on disk for the next time.")
    ] = _DEFAULTS.cache,
    out: Annotated[Path | None, typer.Option(help="Folder for counts, report, merged circuit and pictures.")] = None,
    simulate: Annotated[
        bool, typer.Option("--run/--no-run", help="Simulate the merged circuit, or stop at the plan.")
    ] = True,
    noise: Annotated[bool, typer.Option(help="Simulate with the noise of the device.")] = True,
    pictures: Annotated[bool, typer.Option(help="Draw chip and timeline into --out.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of the table.")] = False,
) -> None:
    """Run many programs as one circuit and give each its own counts."""
    with _told_in_one_line():
        # Here, not above: `--help` and a mistyped option need not wait for the compiler to load.
        from qiskit_halo.cli import run as command

        request = command.RunRequest(
            files=files,
            device=device,
            shots=_whole_numbers("--shots", [shots]),
            seed=seed,
            level=level,
            helpers=helpers or (),
            options=HaloOptions(
                sharing=cast("Sharing", sharing),
                success_floor=success_floor,
                weak_success=weak_success,
                resets=resets,
                buffer=buffer,
                max_duration_s=None if max_duration is None else max_duration * 1e-6,
                exclude_qubits=_whole_numbers("--exclude", exclude or []),
                policy=cast("PolicyName", policy),
                max_wait_s=max_wait * 1e-6,
                weights=None if weights is None else _numbers("--weights", weights),
                scrub=scrub,
                idle_fill=cast("IdleFill", idle_fill),
                feed_forward_s=feed_forward * 1e-6,
                crosstalk=() if crosstalk is None else _json_of("--crosstalk", crosstalk),
                readout_crosstalk=readout_crosstalk,
                reuse=cast("Reusing", reuse),
                reset_model=cast("ResetModel", reset_model),
                cache=cache,
            ),
            simulate=simulate,
            noise=noise,
            out=out,
            pictures=pictures,
        )
        outcome = command.run(request, Console(stderr=True))
    if as_json:
        document = {
            "device": device,
            "isolation": outcome.isolation,
            "report": outcome.report.to_dict(),
            "programs": list(outcome.counts),
            "files": [str(path) for path in outcome.written],
        }
        typer.echo(json.dumps(document, indent=2))
        return
    outcomes = {counts["index"]: most_frequent(counts) for counts in outcome.counts}
    table_console().print(
        report_table(outcome.report, outcomes=outcomes if simulate else None, isolation=outcome.isolation)
    )


def _whole_numbers(option: str, texts: list[str]) -> tuple[int, ...]:
    """Return the numbers of comma-separated lists."""
    try:
        return tuple(int(part) for text in texts for part in text.split(","))
    except ValueError:
        raise HaloValueError(f"{option} takes whole numbers with commas between, not {','.join(texts)!r}") from None


def _numbers(option: str, text: str) -> tuple[float, ...]:
    """Return the numbers of a comma-separated list."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise HaloValueError(f"{option} takes numbers with commas between, not {text!r}") from None


def _json_of(option: str, path: Path) -> Any:
    """Return what a JSON file holds."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HaloValueError(f"{option} cannot read {path} as JSON: {error}") from error


@contextmanager
def _told_in_one_line() -> Iterator[None]:
    """Tell errors and warnings on standard error, one line each, and exit with a code for errors.

    Anything but an error of Qiskit's or ours is a fault of this program and keeps its traceback.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = _show_warning
        try:
            yield
        except HaloError as error:
            _tell("error", error.message)
            raise typer.Exit(FAILED if isinstance(error, IsolationError) else BAD_INPUT) from error
        except QiskitError as error:
            _tell("error", error.message)
            raise typer.Exit(FAILED) from error


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    _tell("warning", str(message))


def _tell(kind: str, message: str) -> None:
    typer.echo(f"{kind}: {' '.join(message.split())}", err=True)
