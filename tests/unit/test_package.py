"""What is shipped, what importing it costs, and which layers it has."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from a copy: a build leaves folders behind in its source."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "setup.cfg", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "qiskit_halo", source / "qiskit_halo", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("tests", "benchmarks", "examples"):
        (source / name).mkdir()
        (source / name / "__init__.py").touch()
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = out.glob("*.whl")
    return zipfile.ZipFile(path)


def entry_points(wheel: zipfile.ZipFile) -> configparser.ConfigParser:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/entry_points.txt"))
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.read_string(wheel.read(name).decode())
    return parser


class TestWheel:
    def test_names_both_plugins_and_the_command(self, wheel: zipfile.ZipFile) -> None:
        points = entry_points(wheel)
        assert {section: dict(points[section]) for section in points.sections()} == {
            "console_scripts": {"qiskit-halo": "qiskit_halo.cli:main"},
            "qiskit.transpiler.layout": {"halo": "qiskit_halo.plugins.layout:HaloLayoutPlugin"},
            "qiskit.transpiler.scheduling": {"halo": "qiskit_halo.plugins.scheduling:HaloSchedulingPlugin"},
        }

    def test_holds_every_module_and_the_type_marker(self, wheel: zipfile.ZipFile) -> None:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        modules = {str(path.relative_to(ROOT)) for path in (ROOT / "qiskit_halo").rglob("*.py")}
        assert names == modules | {"qiskit_halo/py.typed"}

    def test_carries_the_licence(self, wheel: zipfile.ZipFile) -> None:
        (name,) = (name for name in wheel.namelist() if name.endswith("licenses/LICENSE"))
        assert b"Apache License" in wheel.read(name)


def test_importing_the_package_imports_no_optional_package() -> None:
    code = (
        "import sys, qiskit_halo; "
        "print(*sorted({name.partition('.')[0] for name in sys.modules}"
        " & {'matplotlib', 'qiskit_addon_cutting', 'qiskit_aer', 'qiskit_algorithms', 'qiskit_experiments',"
        " 'qiskit_ibm_runtime', 'qiskit_qasm3_import', 'typer'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_plugins_are_found_by_qiskit() -> None:
    from qiskit.transpiler.preset_passmanagers.plugin import list_stage_plugins

    assert "halo" in list_stage_plugins("layout")
    assert "halo" in list_stage_plugins("scheduling")


def test_imports_point_downwards() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
