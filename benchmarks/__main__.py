"""The project's benchmarks: ``python -m benchmarks NAME --help``."""

from __future__ import annotations

import argparse
import runpy
import sys

from benchmarks.evaluation import command

SCRIPTS = (
    "acceptance",
    "choices",
    "isolation",
    "local_sampler",
    "main_job",
    "packing",
    "parallel",
    "primitives",
    "scheduling",
    "splitting",
)


def main() -> None:
    if len(sys.argv) > 1 and sys.argv[1] in SCRIPTS:
        runpy.run_module(f"benchmarks.{sys.argv.pop(1)}", run_name="__main__", alter_sys=True)
        return
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="NAME")
    evaluation = commands.add_parser(
        "evaluation", description=command.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command.add_arguments(evaluation)
    evaluation.set_defaults(run=command.evaluate)
    for name in SCRIPTS:
        commands.add_parser(name, help="see its own --help")
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
