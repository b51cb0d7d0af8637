"""One colour a program, the same in every picture of a report."""

from __future__ import annotations

from collections import Counter

from qiskit_halo.report import HaloReport

# First the seven chromatic colours of Okabe and Ito, chosen to differ for all common kinds of colour vision.
# Then darker and lighter ones: lightness is the difference that every eye sees.
PALETTE = (
    *("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442"),
    *("#063A5E", "#6B2A55", "#004D3A", "#7A3B06", "#6E6A00"),
    *("#BFD9F2", "#F5CFE2", "#A9E5CF", "#FFD8A1"),
    *("#7A5FD0", "#A3C644"),
)

ANONYMOUS = "#9A9A9A"
FREE = "#FFFFFF"
RESET = "#4D4D4D"
RESET_HATCH = "#A8A8A8"
COUPLER = "#C8C8C8"
OUTLINE = "#555555"

# With more programs colours repeat, and a legend would be longer than the picture.
MAX_LEGEND = len(PALETTE)


def program_colours(report: HaloReport) -> dict[int | None, str]:
    """Return program index -> colour; operations without an owner (``None``) are grey.

    Colours have to repeat once there are more programs than colours. Then two programs that meet on a qubit or on
    neighbouring qubits get different ones as far as that is possible, and pictures label programs by index.
    """
    named = sorted({p.index for p in report.programs if p.index is not None})
    colours: dict[int | None, str] = {None: ANONYMOUS}
    if len(named) <= len(PALETTE):
        colours.update(zip(named, PALETTE, strict=False))
        return colours
    uses = Counter(dict.fromkeys(PALETTE, 0))
    for index, met in _meetings(report, named).items():
        clashes = Counter(colours[other] for other in met if other in colours)
        colour = min(PALETTE, key=lambda c: (clashes[c], uses[c]))
        colours[index] = colour
        uses[colour] += 1
    return colours


def _meetings(report: HaloReport, named: list[int]) -> dict[int, list[int]]:
    """Return for each program those that use one of its qubits or a neighbour of one, at any time."""
    near: list[list[int]] = [[qubit] for qubit in range(report.num_qubits)]
    for a, b in report.couplers:
        near[a].append(b)
        near[b].append(a)
    users: list[dict[int, None]] = [{} for _ in range(report.num_qubits)]
    for lease in report.leases:
        if lease.program is not None:
            users[lease.qubit].setdefault(lease.program)
    met: dict[int, dict[int, None]] = {index: {} for index in named}
    for qubit, held in enumerate(users):
        for index in held:
            for other_qubit in near[qubit]:
                met.setdefault(index, {}).update(users[other_qubit])
    return {index: sorted(set(others) - {index}) for index, others in met.items()}


def text_colour(background: str) -> str:
    """Return black or white, whichever reads better on ``background``."""
    red, green, blue = (int(background[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"
