from __future__ import annotations

import time
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import pytest
from qiskit.circuit import Instruction, QuantumCircuit

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments import parallel as module
from qiskit_halo.fragments.parallel import compile_elsewhere
from qiskit_halo.fragments.serialize import circuits_from_bytes
from qiskit_halo.fragments.settings import CompileSettings
from qiskit_halo.fragments.single import BodyCompiler
from tests.executors import Here
from tests.targets import make_target

DEVICE = DeviceModel(make_target(6), exclude_qubits=(5,))
SETTINGS = CompileSettings(optimization_level=1, num_variants=2)
REGION = (0, 1, 2, 3, 4)


def chain(length: int) -> QuantumCircuit:
    circuit = QuantumCircuit(3, 3)
    for step in range(length):
        circuit.ry(0.1 + step, step % 3)
        circuit.cx(step % 3, (step + 1) % 3)
    circuit.measure(range(3), range(3))
    return circuit


def compiled(bodies: list[QuantumCircuit], executor: Executor, settings: CompileSettings = SETTINGS) -> dict[int, Any]:
    named = [(body, f"body {index}", REGION) for index, body in enumerate(bodies)]
    return compile_elsewhere(executor, DEVICE, settings, "identity", named)


def test_results_are_those_of_the_compiler():
    bodies = [chain(length) for length in (3, 9, 1, 6)]
    compiler = BodyCompiler(DEVICE, SETTINGS)
    expected = {index: compiler.compile(body, REGION, "it") for index, body in enumerate(bodies)}
    assert compiled(bodies, Here()) == expected


def test_each_body_goes_to_its_own_region():
    regions = [(0, 1, 2), (1, 2, 3, 4)]
    body = chain(5)
    found = compile_elsewhere(Here(), DEVICE, SETTINGS, "identity", [(body, "it", region) for region in regions])
    compiler = BodyCompiler(DEVICE, SETTINGS)
    assert found == {index: compiler.compile(body, region, "it") for index, region in enumerate(regions)}


def test_chunks_are_of_about_equal_work(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_CHUNKS", 2)
    executor = Here()
    bodies = [chain(length) for length in (1, 2, 3, 4, 5, 6, 7, 8)]
    assert sorted(compiled(bodies, executor)) == list(range(8))
    work = [sum(len(body.data) for body in circuits_from_bytes(task[-1])) for task in executor.tasks]
    assert len(work) == 2
    assert max(work) - min(work) <= 8
    # Few bodies are not spread over many workers, which would each have to be told of the device.
    executor = Here()
    compiled(bodies[:2], executor)
    assert len(executor.tasks) == 1


def test_one_body_that_fails_takes_only_its_chunk_with_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "CHUNK_BODIES", 1)
    bad = QuantumCircuit(2, 1)
    bad.append(Instruction("mystery", 2, 0, []), [0, 1])
    bad.measure(0, 0)
    assert sorted(compiled([chain(2), bad, chain(1)], Here())) == [0, 2]


def test_threads_of_one_process_take_turns(monkeypatch: pytest.MonkeyPatch):
    inside, most = [0], [0]
    compile_body = BodyCompiler.compile

    def watched(self: BodyCompiler, *given: Any) -> Any:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.01)  # Another thread goes on here, unless it waits for its turn.
        try:
            return compile_body(self, *given)
        finally:
            inside[0] -= 1

    monkeypatch.setattr(BodyCompiler, "compile", watched)
    with ThreadPoolExecutor(3) as pool:
        assert sorted(compiled([chain(length) for length in range(1, 10)], pool)) == list(range(9))
    assert most == [1]


def test_what_cannot_travel_stays():
    executor = Here()
    bad = QuantumCircuit(2, 1)
    bad.append(Instruction("own", 2, 0, [object()]), [0, 1])
    assert compiled([bad], executor) == {}
    assert compiled([chain(1)], executor, CompileSettings(extra={"own": object()})) == {}
    assert executor.tasks == []


def test_workers_know_a_device_again():
    compiled([chain(1)], Here())
    first = module._last.compiler
    compiled([chain(2)], Here())
    assert module._last.compiler is first
