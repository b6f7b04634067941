"""Build small real wheels, install them into folders with pip, and run zoo with such folders on its path."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

WHEEL = "Wheel-Version: 1.0\nGenerator: zoo-tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """The contents of a wheel: files by name, and the entry points of the group `zoo`."""

    name: str
    version: str = "1.0"
    files: Mapping[str, str] = field(default_factory=dict)
    entry_points: Mapping[str, str] = field(default_factory=dict)

    def wheel(self, folder: Path) -> Path:
        stem = f"{self.name.replace('-', '_')}-{self.version}"
        points = "".join(f"{name} = {target}\n" for name, target in self.entry_points.items())
        contents = {name: dedent(text) for name, text in self.files.items()} | {
            f"{stem}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {self.name}\nVersion: {self.version}\n",
            f"{stem}.dist-info/WHEEL": WHEEL,
            f"{stem}.dist-info/entry_points.txt": f"[zoo]\n{points}",
        }
        record = f"{stem}.dist-info/RECORD"
        contents[record] = "".join(f"{name},,\n" for name in [*contents, record])
        path = folder / f"{stem}-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in contents.items():
                archive.writestr(name, text)
        return path


def plugin(name: str, source: str, *, version: str = "1.0", point: str = "", target: str = "", **files: str):
    """Return a distribution with one module and one entry point, both called `name` by default."""
    module = name.replace("-", "_")
    modules = {f"{module}.py": source} | {f"{stem}.py": text for stem, text in files.items()}
    return Distribution(name=name, version=version, files=modules, entry_points={point or module: target or module})


def make_plugin_source(*models: str) -> str:
    """Return the source of a plugin that offers these models."""
    return "from zoo import ModelSpec, hookimpl\n@hookimpl\ndef zoo_models():\n    return [{}]\n".format(
        ", ".join(f"ModelSpec(name={m!r}, summary='{m}', build='builtins:list', size=(7, 7))" for m in models)
    )


def install(target: Path, *distributions: Distribution) -> Path:
    """Install distributions into one folder with pip, as users do, and return the folder."""
    wheels = target.with_name(f"{target.name}-wheels")
    wheels.mkdir(parents=True)
    paths = [str(each.wheel(wheels)) for each in distributions]
    words = ["--no-deps", "--no-index", "--no-compile", "--quiet", "--target", str(target)]
    process = run("-m", "pip", "install", *words, *paths, PIP_DISABLE_PIP_VERSION_CHECK="1")
    assert process.returncode == 0, process.stderr
    return target


def run(*words: str, path: tuple[Path, ...] = (), **settings: str) -> subprocess.CompletedProcess[str]:
    """Run this Python outside of the checkout, with `path` in front of the installed packages."""
    kept = {name: value for name, value in os.environ.items() if name not in ("ZOO_PLUGINS", "PYTHONPATH")}
    environment = kept | {"PYTHONPATH": os.pathsep.join(map(str, path)), "PYTHONDONTWRITEBYTECODE": "1"} | settings
    where = path[0] if path else None
    return subprocess.run(
        [sys.executable, *words], env=environment, cwd=where, capture_output=True, text=True, timeout=120
    )


def zoo(*words: str, path: tuple[Path, ...] = (), **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    return run("-m", "zoo", *words, path=path, **settings)


def zoo_json(*words: str, path: tuple[Path, ...] = (), **settings: str):
    """Run a command that succeeds, and return the JSON it prints."""
    process = zoo(*words, "--json", path=path, **settings)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def script(source: str, path: tuple[Path, ...] = (), **settings: str):
    """Run a script that succeeds, and return the JSON of the last line it prints."""
    process = run("-c", dedent(source), path=path, **settings)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])
