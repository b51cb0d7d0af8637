"""Parts of a region that routings are tried on, and what SABRE needs to know of each."""

from __future__ import annotations

from qiskit.transpiler import CouplingMap, Target
from qiskit.transpiler.passes import SabreLayout

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.lines import long_line
from qiskit_halo.fragments.neighbourhood import compact_part
from qiskit_halo.fragments.stages import sabre

PART_SIZES = ((1, 8), (1, 4))
"""Sizes of the parts of a region that routings are tried on, as (a, b): a times the width of the body, plus b.

Small parts give long lines, larger ones branches and rings. None is best for all programs.
"""


class Parts:
    """Parts of regions of one device; each is looked for once, and so are its lines and passes.

    Args:
        device: The device.
    """

    def __init__(self, device: DeviceModel) -> None:
        self._device = device
        self._parts: dict[tuple[tuple[int, ...], int], tuple[int, ...]] = {}
        self._lines: dict[tuple[tuple[int, ...], int], list[int]] = {}
        self._targets: dict[tuple[int, ...], Target] = {}
        self._sabres: dict[tuple[tuple[int, ...], int], SabreLayout] = {}

    def part(self, region: tuple[int, ...], width: int, trial: int) -> tuple[int, ...]:
        """Return the part of ``region`` for one trial of a body of ``width`` qubits."""
        times, more = PART_SIZES[trial % len(PART_SIZES)]
        size = -(-(times * width + more) // 4) * 4  # in steps, so that bodies of similar width share a part
        if size >= len(region):
            return region
        if (region, size) not in self._parts:
            self._parts[region, size] = compact_part(self._device, region, size)
        return self._parts[region, size]

    def line(self, part: tuple[int, ...], length: int) -> list[int]:
        """Return the numbers within ``part`` of ``length`` qubits coupled in a row, or as many as there seem to be."""
        if (part, length) not in self._lines:
            self._lines[part, length] = long_line(self._device.graph.subgraph(part), length)
        return self._lines[part, length]

    def sabre(self, part: tuple[int, ...], seed: int) -> SabreLayout:
        """Return the pass that routes on ``part``."""
        if (part, seed) not in self._sabres:
            self._sabres[part, seed] = sabre(self._target_of(part), seed)
        return self._sabres[part, seed]

    def _target_of(self, part: tuple[int, ...]) -> Target:
        if part not in self._targets:
            place = {qubit: index for index, qubit in enumerate(part)}
            pairs = [(place[a], place[b]) for a, b in self._device.couplers if a in place and b in place]
            couplings = CouplingMap([*pairs, *((b, a) for a, b in pairs)])
            self._targets[part] = Target.from_configuration(["u", "cz"], len(part), couplings)
        return self._targets[part]
