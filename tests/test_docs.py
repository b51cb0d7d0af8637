"""Code in the documentation runs."""

from __future__ import annotations

import re
from pathlib import Path

from qiskit import QuantumCircuit

from qiskit_halo import HaloReport, MultiProgramCircuit, generate_halo_pass_manager
from tests.targets import make_target

OPTIONS = (Path(__file__).parents[1] / "docs" / "options.md").read_text(encoding="utf-8")


def test_the_policy_of_the_options_page_schedules() -> None:
    (block,) = re.findall(r"^```python\n(.*?)^```$", OPTIONS, re.DOTALL | re.MULTILINE)
    namespace: dict[str, object] = {"__name__": "options"}
    exec(compile(block, "options-0.py", "exec"), namespace)
    circuit = QuantumCircuit(1, 1)
    circuit.x(0)
    circuit.measure(0, 0)
    batch = MultiProgramCircuit([circuit, circuit])
    passes = generate_halo_pass_manager(0, target=make_target(1), policy=namespace["ShortestFirst"]())  # type: ignore[operator]
    report = HaloReport.from_dict(passes.run(batch.circuit).metadata["halo"]["report"])
    assert (report.policy, report.num_handovers) == ("shortest first", 1)
