"""Run Python in a fresh process, and rebuild a model there from its spec, config and seed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile

from zoo.factory.build import Config
from zoo.plugins.spec import ModelSpec
from zoo.testing.report import CheckFailure

PASSED_VARIABLES = (
    "PATH",
    "HOME",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "OMP_NUM_THREADS",
    "SYSTEMROOT",
    "CUDA_VISIBLE_DEVICES",
    "ZOO_DATA",
)
BUILD_SCRIPT = """
import json, sys
from zoo.factory.build import bind_config, build_net
from zoo.plugins.spec import ModelSpec
from zoo.testing.state import hash_tensors

request = json.load(sys.stdin)
fields = {key: request[key] for key in ("build", "size", "channels")}
spec = ModelSpec(name="rebuilt", summary="rebuilt", **fields)
print(hash_tensors(build_net(spec, bind_config(spec, request["config"]), request["seed"]).state_dict()))
"""


def run_python(
    source: str, *arguments: str, stdin: str = "", working_folder: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Python source in a fresh process with this process's import path and few environment variables.

    Args:
        source: Source code.
        *arguments: Command line arguments.
        stdin: Standard input.
        working_folder: Working directory; an empty one by default.
    """
    path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
    environment = {name: os.environ[name] for name in PASSED_VARIABLES if name in os.environ} | {"PYTHONPATH": path}
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(
            [sys.executable, "-c", source, *arguments],
            input=stdin,
            env=environment,
            cwd=working_folder or folder,
            capture_output=True,
            text=True,
            timeout=300,
        )


def get_error_line(process: subprocess.CompletedProcess[str]) -> str:
    """Return the last line on a process's standard error: of a traceback, the exception."""
    return (process.stderr.strip().splitlines() or ["it printed no error"])[-1]


def hash_in_fresh_process(spec: ModelSpec, config: Config, seed: int) -> str:
    """Return the hash of the weights that a fresh process builds.

    Raises:
        CheckFailure: It cannot build the model.
    """
    request = {"build": spec.build, "size": spec.size, "channels": spec.channels, "config": config, "seed": seed}
    process = run_python(BUILD_SCRIPT, stdin=json.dumps(request))
    if process.returncode:
        raise CheckFailure(
            f"a fresh process cannot build it: {get_error_line(process)}; its module must be importable by itself"
        )
    return process.stdout.split()[-1]
