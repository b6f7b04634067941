"""Run the command line in a fork of this process, which has imported torch; a fresh Python takes seconds to do so."""

import importlib
import json
import os
import subprocess
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

from zoo.cli.main import main
from zoo.plugins.catalog import CATALOG


def zoo(*words: str, path: tuple[Path, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run the command line with `path` before the installed packages; this process is not affected."""
    sys.stdout.flush()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        child = os.fork()
        if child == 0:
            _run(words, path, out.fileno(), errors.fileno())
        _, status = os.waitpid(child, 0)
        out.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(words, os.waitstatus_to_exitcode(status), out.read(), errors.read())


def _run(words: tuple[str, ...], path: tuple[Path, ...], out: int, errors: int) -> None:
    code = 70
    try:
        os.dup2(out, 1)
        os.dup2(errors, 2)
        sys.stdout, sys.stderr = (open(descriptor, "w", closefd=False) for descriptor in (1, 2))  # noqa: SIM115
        warnings.resetwarnings()
        warnings.simplefilter("ignore")
        sys.path[:0] = map(str, path)
        os.chdir(path[0] if path else tempfile.gettempdir())
        importlib.invalidate_caches()
        CATALOG._plugins = None  # read the installed plugins again, with the new path
        CATALOG._offers.clear()
        main(list(words))
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def zoo_json(*words: str, path: tuple[Path, ...] = ()):
    """Run a command that succeeds, and return the JSON it prints."""
    process = zoo(*words, "--json", path=path)
    assert process.returncode == 0, f"{process.returncode}: {process.stderr or process.stdout}"
    return json.loads(process.stdout)
