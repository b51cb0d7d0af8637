"""Code in the documentation runs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from qiskit import QuantumCircuit

from qiskit_halo import BatchPlan, HaloOptions, HaloReport, MultiProgramCircuit, generate_halo_pass_manager
from tests.targets import make_target

DOCS = Path(__file__).parents[1] / "docs"
OPTIONS = (DOCS / "options.md").read_text(encoding="utf-8")
PRIMITIVES = (DOCS / "primitives.md").read_text(encoding="utf-8")


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


def test_the_options_page_lists_every_option() -> None:
    listed = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (.*?) \|", OPTIONS, re.MULTILINE)))
    assert sorted(listed) == sorted(HaloOptions().to_dict())


def test_the_code_of_the_primitives_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    namespace: dict[str, object] = {"__name__": "primitives"}
    for number, block in enumerate(re.findall(r"^```python\n(.*?)^```$", PRIMITIVES, re.DOTALL | re.MULTILINE)):
        exec(compile(block, f"primitives-{number}.py", "exec"), namespace)
    assert "times less than one by one" in capsys.readouterr().out


def test_the_plan_of_the_primitives_page_is_one() -> None:
    (block,) = re.findall(r"^```json\n(.*?)^```$", PRIMITIVES, re.DOTALL | re.MULTILINE)
    plan = BatchPlan.from_dict(json.loads(block))
    assert [sum(share.shots for share in shares) for shares in plan.shares()] == list(plan.shots)
