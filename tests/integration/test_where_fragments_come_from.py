"""Compiled here, elsewhere, before, or by another process: the finished circuit is the same to the byte."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from qiskit import qpy
from qiskit.circuit import CircuitInstruction, Gate, Parameter, QuantumCircuit

from qiskit_halo import HaloOptions, MultiProgramCircuit, generate_halo_pass_manager
from qiskit_halo.errors import HaloTranspilerError
from qiskit_halo.fragments import single
from qiskit_halo.fragments.cache import MEMORY
from qiskit_halo.fragments.compact import compact
from tests.targets import make_target

TARGET = make_target(10, [(q, q + 1) for q in range(9)] + [(0, 5), (2, 8)])


def tangle(shift: int) -> QuantumCircuit:
    circuit = QuantumCircuit(4, 4, name="tangle")
    for first, second in ((0, 1), (1, 2), (2, 3), (3, 0), (0, 2)):
        circuit.ry(0.3 + shift, first)
        circuit.cx(first, (second + shift) % 4 if (second + shift) % 4 != first else second)
    circuit.measure(range(4), range(4))
    return circuit


def dynamic() -> QuantumCircuit:
    circuit = QuantumCircuit(3, 3)
    theta = Parameter("theta")
    flag = circuit.add_var("flag", False)
    circuit.rx(2 * theta + 0.5, 0)
    circuit.cx(0, 1)
    circuit.measure(0, 0)
    circuit.store(flag, circuit.clbits[0])
    with circuit.if_test(flag):
        circuit.cx(1, 2)
        circuit.rz(theta, 1)
    with circuit.for_loop(range(1, 3)) as i:
        circuit.ry(0.4 * i, 2)
    circuit.measure([1, 2], [1, 2])
    return circuit


def waiting() -> QuantumCircuit:
    """QPY does not keep the unit of a delay."""
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.delay(90, 0, "ns")
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def helped() -> QuantumCircuit:
    circuit = QuantumCircuit(4, 4)
    circuit.cz(0, 1)
    for helper in (2, 3):
        circuit.cx([0, 1], helper)
        circuit.measure(helper, helper)
    circuit.cz(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


PROGRAMS = [tangle(0), tangle(1), dynamic(), waiting(), helped(), tangle(0)]


def compiled(programs: list[QuantumCircuit] = PROGRAMS, *, executor: Executor | None = None, **options: Any) -> bytes:
    names = [f"program {index}" for index in range(len(programs))]
    mpc = MultiProgramCircuit(programs, names=names, options=HaloOptions(success_floor=0.0, **options))
    # The options, which are in the metadata, say whether there was a cache.
    mpc.circuit.metadata["halo"].pop("options")
    passes = generate_halo_pass_manager(
        2, target=TARGET, options=HaloOptions(success_floor=0.0, **options), seed_transpiler=3, executor=executor
    )
    file = io.BytesIO()
    # Qiskit 2.2 names the blocks that its own later stages rebuild by a counter of the process.
    qpy.dump(compact(passes.run(mpc.circuit)).circuit, file)
    return file.getvalue()


class Counter:
    """How many bodies have been compiled in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        original = single.BodyCompiler.compile

        def compile(compiler: single.BodyCompiler, body: QuantumCircuit, region: Any, name: str) -> Any:
            self.names.append(name)
            return original(compiler, body, region, name)

        monkeypatch.setattr(single.BodyCompiler, "compile", compile)


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Counter:
    return Counter(monkeypatch)


def test_cold_warm_from_disk_and_without_cache(counter: Counter, own_cache: Path):
    without = compiled(cache=False)
    assert not own_cache.exists()
    first = len(counter.names)
    assert first == 5  # of six programs two are equal
    assert compiled(cache=False) == without
    assert len(counter.names) == 2 * first

    assert compiled() == without
    assert len(counter.names) == 3 * first
    assert compiled() == without  # from this process
    assert len(counter.names) == 3 * first
    MEMORY.clear()
    assert compiled() == without  # from disk
    assert len(counter.names) == 3 * first + 1  # the one that QPY does not keep


def test_a_damaged_disk_is_compiled_again(counter: Counter, own_cache: Path):
    expected = compiled()
    for path in own_cache.iterdir():
        path.write_bytes(path.read_bytes()[:-1])
    MEMORY.clear()
    count = len(counter.names)
    assert compiled() == expected
    assert len(counter.names) == 2 * count


@pytest.mark.parametrize("kind", ["file in the way", "read only"])
def test_a_folder_that_cannot_be_written(kind: str, own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    expected = compiled(cache=False)
    if kind == "file in the way":
        own_cache.write_text("")
    else:
        own_cache.mkdir()

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("qiskit_halo.fragments.cache.tempfile.mkstemp", refuse)
    assert compiled() == expected


def test_another_calibration_is_another_entry(counter: Counter):
    compiled([tangle(0)])
    compiled([tangle(0)], exclude_qubits=(9,))
    compiled([tangle(0)], reuse="none")
    compiled([tangle(0)], resets=1)
    assert len(counter.names) == 4
    compiled([tangle(0)], sharing="none")  # not a matter of compilation
    assert len(counter.names) == 4


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    with ProcessPoolExecutor(2) as pool:
        yield pool


@pytest.fixture(params=["processes", "threads"])
def executor(request: pytest.FixtureRequest, processes: Executor) -> Iterator[Executor]:
    if request.param == "processes":
        yield processes
    else:
        with ThreadPoolExecutor(2) as pool:
            yield pool


def test_other_workers(executor: Executor):
    expected = compiled(cache=False)
    for _ in range(2):
        assert compiled(executor=executor, cache=False) == expected
    assert compiled(executor=executor) == expected


def test_other_processes_do_the_work(processes: Executor, counter: Counter):
    compiled(executor=processes, cache=False)
    assert counter.names == ["Program 3 ('program 3')"]  # QPY would make another delay of its own


def test_what_is_known_is_not_sent(counter: Counter):
    compiled()

    class Refusing(Executor):
        def submit(self, *_: object, **__: object) -> Future[Any]:
            raise AssertionError("there is nothing to do")

    count = len(counter.names)
    compiled([tangle(0), tangle(1)], executor=Refusing())
    assert len(counter.names) == count


def test_a_program_that_cannot_be_compiled_is_named(executor: Executor):
    bad = QuantumCircuit(2, 1)
    bad.append(Gate("mystery", 2, []), [0, 1])
    bad.measure(0, 0)
    messages = []
    for own in (None, executor):
        with pytest.raises(HaloTranspilerError) as caught:
            compiled([tangle(0), bad, tangle(1)], executor=own, cache=False)
        messages.append(caught.value.message)
    assert messages[0] == messages[1]
    assert messages[0].startswith("Program 1 ('program 1') cannot be compiled for this device: ")


def test_a_worker_that_fails_is_made_up_for(caplog: pytest.LogCaptureFixture):
    class Failing(Executor):
        def submit(self, *_: object, **__: object) -> Future[Any]:
            future: Future[Any] = Future()
            future.set_exception(MemoryError("out of memory"))
            return future

    expected = compiled([tangle(0), tangle(1)], cache=False)
    with caplog.at_level(logging.WARNING):
        assert compiled([tangle(0), tangle(1)], executor=Failing(), cache=False) == expected
    assert "a worker failed, so its 2 bodies are compiled here" in caplog.text


class _Own(Gate):
    """A gate of the user's own, known by its class alone."""

    def __init__(self) -> None:
        super().__init__("own", 2, [])

    def _define(self) -> None:
        self.definition = QuantumCircuit(2)
        self.definition.cx(0, 1)


def test_what_cannot_travel_is_compiled_here(processes: Executor, counter: Counter):
    circuit = QuantumCircuit(2, 2)
    circuit.append(CircuitInstruction(_Own(), circuit.qubits))
    circuit.measure([0, 1], [0, 1])
    expected = compiled([circuit], cache=False)
    assert compiled([circuit], executor=processes, cache=False) == expected
