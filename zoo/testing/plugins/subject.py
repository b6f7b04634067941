"""Define a plugin under test: its module and metadata, and what a fresh process sees when it inspects it."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path

from zoo.plugins.discovery import Plugin
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
from zoo.plugins.contract import Contract
from zoo.plugins.entry_points import EntryPoint

side_effects, target, heavy_packages = [], sys.argv[1], set(sys.argv[2:])

def watch(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        if isinstance(path, (str, bytes, os.PathLike)) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            side_effects.append(f"writes {os.fsdecode(path)}")
    elif event in ("socket.connect", "socket.getaddrinfo", "socket.bind"):
        side_effects.append("uses the network")
    elif event in ("subprocess.Popen", "os.system", "os.posix_spawn", "os.fork"):
        side_effects.append("starts a process")
    elif event in ("os.mkdir", "os.remove", "os.rename", "os.rmdir"):
        side_effects.append(f"changes files ({event})")

environment, threads = dict(os.environ), threading.active_count()
sys.dont_write_bytecode = True
sys.addaudithook(watch)
module = EntryPoint("it", target).load()
first, second = (Contract().collect("it", module).offers for _ in range(2))
if dict(os.environ) != environment:
    side_effects.append("changes the environment")
if threading.active_count() != threads:
    side_effects.append("starts a thread")
values = [[(type(each).__name__, repr(each)) for each in offers] for offers in (first, second)]
record = {"side_effects": side_effects, "same_offers": values[0] == values[1]}
print("\\n" + json.dumps({**record, "heavy_imports": sorted(heavy_packages & sys.modules.keys())}))
"""
"""Prints what the plugin printed, and then a line of JSON with the other fields of an `Inspection`."""


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What a fresh process observes while it imports a plugin and calls its hooks.

    Args:
        side_effects: Files, network, processes, threads and environment that it touched, as clauses such as
            `starts a thread`.
        heavy_imports: Slow packages that it imported.
        same_offers: Whether its hooks returned equal values twice.
        output: What it printed.
    """

    side_effects: tuple[str, ...]
    heavy_imports: tuple[str, ...]
    same_offers: bool
    output: str


@dataclass(frozen=True, kw_only=True)
class PluginSubject:
    """A plugin under test."""

    plugin: Plugin

    @cached_property
    def inspection(self) -> Inspection:
        """What a fresh process observes."""
        if self.plugin.status != "ready":
            raise NotApplicable("it is not ready")
        process = run_python(INSPECT_SCRIPT, self.plugin.target, *HEAVY_PACKAGES, working_folder=os.getcwd())
        if process.returncode:
            problem = f"a fresh process cannot import it: {get_error_line(process)}"
            raise CheckFailure(f"{problem}; make its module importable by itself")
        printed, _, line = process.stdout.rstrip("\n").rpartition("\n")
        record = json.loads(line)
        return Inspection(
            side_effects=tuple(record["side_effects"]),
            heavy_imports=tuple(record["heavy_imports"]),
            same_offers=record["same_offers"],
            output=(printed + process.stderr).strip(),
        )

    @property
    def error_location(self) -> str:
        """Where in its own files it was quarantined, as ` (file, line n)`, or an empty string."""
        root = self.plugin.target.partition(":")[0].partition(".")[0]
        frames = [(Path(file), line) for file, line in TRACEBACK_LINE.findall(self.plugin.traceback)]
        own_frames = [f" ({file}, line {line})" for file, line in frames if root in (*file.parts, file.stem)]
        return own_frames[-1] if own_frames else ""

    @cached_property
    def distribution_metadata(self) -> metadata.PackageMetadata:
        """The metadata of its distribution."""
        return metadata.metadata(self.plugin.distribution)
