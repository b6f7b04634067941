"""Real processes that publish and load, cheaply: one process imports zoo and forks the others.

Run as a program it reads a job a line. It never reaps a child unasked, so that a process id always means that child.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Job:
    """A running child process."""

    press: "Press"
    pid: int
    out: Path
    cache: Path

    def kill(self) -> None:
        """Kill the child without a chance to clean up."""
        self.press.tell({"kill": self.pid})

    @property
    def is_done(self) -> bool:
        return self.out.exists()

    def result(self, *, within: float = 120.0) -> dict[str, Any]:
        """Return the result that the child wrote."""
        end = time.monotonic() + within
        while not self.is_done:
            assert time.monotonic() < end, f"no result within {within} s"
            time.sleep(0.002)
        self.press.tell({"wait": self.pid})
        return json.loads(self.out.read_text())


class Press:
    """The process that forks."""

    def __init__(self, root: Path, env: Mapping[str, str]) -> None:
        self.root = root
        self.count = 0
        self.lock = threading.RLock()
        words = [sys.executable, "-m", "tests.hub.press"]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(words, cwd=ROOT, env={**os.environ, **env}, stdin=pipe, stdout=pipe, text=True)

    def tell(self, words: Mapping[str, Any]) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        with self.lock:
            self.process.stdin.write(json.dumps(words) + "\n")
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline())

    def start(self, do: str, *, env: Mapping[str, str] | None = None, **how: Any) -> Job:
        """Start `push` or `pull` in a child, in its own empty folder; `env` may name a shared cache."""
        with self.lock:
            self.count += 1
            cwd = self.root / f"{self.count}"
        out = cwd.with_suffix(".json")
        cwd.mkdir(parents=True)
        surroundings = {**os.environ, "ZOO_CACHE": str(cwd / "cache"), **(env or {})}
        pid = self.tell({"do": do, "how": how, "env": surroundings, "cwd": str(cwd), "out": str(out)})
        return Job(self, pid, out, Path(surroundings["ZOO_CACHE"]))

    def close(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


def main() -> None:
    """Fork a child for each job."""
    import huggingface_hub.file_download
    import huggingface_hub.hf_api
    import safetensors  # noqa: F401

    import zoo.hub  # noqa: F401

    huggingface_hub.get_session()
    for line in sys.stdin:
        words = json.loads(line)
        if "kill" in words:
            os.kill(words["kill"], signal.SIGKILL)
        if "kill" in words or "wait" in words:
            print(os.waitpid(words.get("kill", words.get("wait")), 0)[1], flush=True)
            continue
        pid = os.fork()
        if pid == 0:
            work(words)
        print(pid, flush=True)


def work(words: dict[str, Any]) -> None:
    """Run one job, write its result and exit."""
    os.environ.clear()
    os.environ.update(words["env"])
    os.chdir(words["cwd"])
    began, modules = time.monotonic(), {*sys.modules}
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        result = done(words["do"], words["how"])
    result["seconds"] = time.monotonic() - began
    result["warnings"] = [str(each.message) for each in warned if each.category is UserWarning]
    result["modules"] = sorted({*sys.modules} - modules)
    part = Path(words["out"]).with_suffix(".part")
    part.write_text(json.dumps(result, default=str))
    part.rename(words["out"])
    os._exit(0)


def done(do: str, how: dict[str, Any]) -> dict[str, Any]:
    from zoo import hub

    try:
        outcome = {"push": hub.push, "pull": hub.pull}[do](**how)
    except BaseException as error:
        kinds = [kind.__name__ for kind in type(error).__mro__]
        trace = "".join(traceback.format_exception(error))
        return {"error": type(error).__name__, "kinds": kinds, "text": str(error), "trace": trace}
    return {"error": "", "kinds": [], "text": "", **vars(outcome)}


if __name__ == "__main__":
    main()
