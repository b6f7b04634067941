"""Wheels of real distributions, and fresh environments in which they are installed by pip, without network."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
QUIET = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "OMP_NUM_THREADS": "1", "PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1"}


def build_wheel(project: Path, out: Path) -> Path:
    """Build a project's wheel into an empty folder."""
    words = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(project)]
    subprocess.run(words, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def make_path_file() -> str:
    """Return the lines of a `.pth` file that names where packages are installed for this Python."""
    return "".join(f"{place}\n" for place in sys.path if place and any(Path(place).glob("*.dist-info")))


@dataclass(frozen=True)
class Environment:
    """A fresh virtual environment; the packages zoo needs are read from where they are installed already.

    zoo itself comes from a wheel: what the environment has of its own stands before what it borrows.
    """

    place: Path
    settings: dict[str, str] = field(default_factory=dict)

    @classmethod
    def create(cls, place: Path, *wheels: Path, **settings: str) -> "Environment":
        """Make one and install wheels into it."""
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        site = next((place / "lib").glob("python*/site-packages"))
        made = cls(place, settings)
        if wheels:
            made.pip("install", *map(str, wheels))
        (site / "needed.pth").write_text(make_path_file())
        return made

    def pip(self, *words: str, where: Path | None = None) -> None:
        """Run pip."""
        self.run("python", "-m", "pip", "--quiet", *words, where=where)

    def run(self, *words: str, where: Path | None = None, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment and insist on its exit code."""
        kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "ZOO_PLUGINS")}
        own = self.place / "bin" / words[0]
        command = [str(own) if own.exists() else words[0], *words[1:]]
        environment = kept | QUIET | {"PATH": f"{self.place / 'bin'}{os.pathsep}{kept['PATH']}"} | self.settings
        done = subprocess.run(
            command, cwd=where or self.place, env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done
