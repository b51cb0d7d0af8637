"""Seeds and settings that all tests share."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from qiskit_halo.fragments import body, cache, measure
from qiskit_halo.fragments.cache import DIRECTORY_VARIABLE

# No deadline: the machine that runs the suite may be busy. Derandomized: a failure comes back on the next run.
settings.register_profile("repeatable", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
# For hunting: HYPOTHESIS_PROFILE=explore draws new cases on every run.
settings.register_profile("explore", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--session-seed", type=int, default=0, help="seed from which every test derives its own")


def pytest_report_header(config: pytest.Config) -> str:
    return f"session seed: {config.getoption('--session-seed')}"


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """A generator of this test's own, from the session seed and the test's id."""
    test_id = zlib.crc32(request.node.nodeid.encode())
    return np.random.default_rng([request.config.getoption("--session-seed"), test_id])


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for each test: the user's own is not touched, and no test depends on another."""
    folder = tmp_path_factory.mktemp("cache") / "fragments"
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(folder))
    for memory in (cache.MEMORY, body.MEMORY, measure.MEMORY):
        memory.clear()
    return folder
