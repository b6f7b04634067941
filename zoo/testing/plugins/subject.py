"""A plugin that is checked: what its module and metadata say, and what a fresh process sees that looks at it."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

from zoo.plugins.discovery import Plugin
from zoo.plugins.entry_points import EntryPoint
from zoo.testing.fresh_process import get_error_line, run_python
from zoo.testing.report import CheckFailure, NotApplicable

TRACEBACK_LINE = re.compile(r'File "([^"]+)", line (\d+)')
HEAVY_PACKAGES = (
    *("torch", "torchvision", "torchmetrics", "torch_geometric", "timm", "accelerate", "safetensors", "numpy"),
    *("scipy", "sklearn", "pandas", "pyarrow", "matplotlib", "PIL", "huggingface_hub"),
)
INSPECT_SCRIPT = """
import json, os, sys, threading
import zoo.plugins.hookspecs
from zoo.plugins.entry_points import Point
from zoo.plugins.contract import Contract

done, target, heavy = [], sys.argv[1], set(sys.argv[2:])

def watch(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        if isinstance(path, (str, bytes, os.PathLike)) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            done.append(f"writes {os.fsdecode(path)}")
    elif event in ("socket.connect", "socket.getaddrinfo", "socket.bind"):
        done.append("uses the network")
    elif event in ("subprocess.Popen", "os.system", "os.posix_spawn", "os.fork"):
        done.append("starts a process")
    elif event in ("os.mkdir", "os.remove", "os.rename", "os.rmdir"):
        done.append(f"changes files ({event})")

environment, threads, told = dict(os.environ), threading.active_count(), sys.stdout
sys.dont_write_bytecode = True
sys.addaudithook(watch)
module = Point("it", target).load()
first, second = (Contract().ask("it", module).offers for _ in range(2))
if dict(os.environ) != environment:
    done.append("changes the environment")
if threading.active_count() != threads:
    done.append("starts a thread")
values = [[(type(each).__name__, repr(each)) for each in offers] for offers in (first, second)]
print("\\n" + json.dumps({"done": done, "heavy": sorted(heavy & sys.modules.keys()), "same": values[0] == values[1]}))
"""


@dataclass(frozen=True, kw_only=True)
class PluginSubject:
    """The plugin that is checked."""

    plugin: Plugin

    @cached_property
    def module(self) -> Any:
        """What its entry point names."""
        return EntryPoint(self.plugin.name, self.plugin.target).load()

    @cached_property
    def inspection(self) -> dict[str, Any]:
        """What a fresh process sees when it asks the plugin what it offers."""
        if self.plugin.status != "ready":
            raise NotApplicable("it is not ready")
        done = run_python(INSPECT_SCRIPT, self.plugin.target, *HEAVY_PACKAGES, working_folder=os.getcwd())
        if done.returncode:
            raise CheckFailure(f"a fresh process cannot look at it: {get_error_line(done)}; import what it needs there")
        said = done.stdout.rstrip("\n").rpartition("\n")
        return {**json.loads(said[2]), "said": (said[0] + done.stderr).strip()}

    @property
    def error_location(self) -> str:
        """Where in its own files it was quarantined, as ` (file, line n)`, or nothing."""
        root = self.plugin.target.partition(":")[0].partition(".")[0]
        traced = [(Path(file), line) for file, line in TRACEBACK_LINE.findall(self.plugin.traceback)]
        own = [f" ({file}, line {line})" for file, line in traced if root in (*file.parts, file.stem)]
        return own[-1] if own else ""

    @cached_property
    def distribution_metadata(self) -> metadata.PackageMetadata:
        """The metadata of its distribution."""
        return metadata.metadata(self.plugin.distribution)
