"""Build a model once more in a process that knows nothing but its spec, config and seed."""

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
from zoo.factory.build import bound, built
from zoo.plugins.spec import ModelSpec
from zoo.testing.models.subject import digest

order = json.load(sys.stdin)
spec = ModelSpec(name="again", summary="again", build=order["build"], size=order["size"], channels=order["channels"])
print(digest(built(spec, bound(spec, order["config"]), order["seed"]).state_dict()))
"""


def run_python(
    source: str, *arguments: str, stdin: str = "", working_folder: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Python source in a fresh process with today's import path and little environment.

    Args:
        source: What to run.
        *arguments: Its arguments.
        stdin: Its standard input.
        working_folder: The folder it runs in; an empty one when left out.
    """
    path = os.pathsep.join(os.path.abspath(place) for place in sys.path)
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
    """Return the last line that a process said on standard error: of a traceback, the error."""
    return (process.stderr.strip().splitlines() or ["it said nothing"])[-1]


def hash_in_fresh_process(spec: ModelSpec, config: Config, seed: int) -> str:
    """Return the digest of the weights that a fresh process builds.

    Raises:
        CheckFailure: It cannot build the model.
    """
    order = {"build": spec.build, "size": spec.size, "channels": spec.channels, "config": config, "seed": seed}
    done = run_python(BUILD_SCRIPT, stdin=json.dumps(order))
    if done.returncode:
        raise CheckFailure(
            f"a fresh process cannot build it: {get_error_line(done)}; its module must be importable by itself"
        )
    return done.stdout.split()[-1]
