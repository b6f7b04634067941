"""Build wheels, and install them into fresh environments with pip, without network."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
QUIET = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "OMP_NUM_THREADS": "1", "PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1"}


def build_wheel(project: Path, out: Path) -> Path:
    """Build a project's wheel into an empty folder."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(project)]
    subprocess.run(command, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def make_path_file() -> str:
    """Return the lines of a `.pth` file with the folders where packages are installed for this Python."""
    return "".join(f"{folder}\n" for folder in sys.path if folder and any(Path(folder).glob("*.dist-info")))


@dataclass(frozen=True)
class Environment:
    """A fresh virtual environment that uses the packages installed for this Python.

    zoo itself comes from a wheel: packages of the environment are before the others on the path.
    """

    root: Path
    settings: dict[str, str] = field(default_factory=dict)

    @classmethod
    def create(cls, root: Path, *wheels: Path, **settings: str) -> "Environment":
        """Create one and install wheels into it."""
        subprocess.run([sys.executable, "-m", "venv", str(root)], check=True)
        site = next((root / "lib").glob("python*/site-packages"))
        environment = cls(root, settings)
        if wheels:
            environment.pip("install", *map(str, wheels))
        (site / "needed.pth").write_text(make_path_file())
        return environment

    def pip(self, *words: str, where: Path | None = None) -> None:
        """Run pip."""
        self.run("python", "-m", "pip", "--quiet", *words, where=where)

    def run(self, *words: str, where: Path | None = None, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment and check its exit code."""
        inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "ZOO_PLUGINS")}
        program = self.root / "bin" / words[0]
        command = [str(program) if program.exists() else words[0], *words[1:]]
        path = {"PATH": f"{self.root / 'bin'}{os.pathsep}{inherited['PATH']}"}
        process = subprocess.run(
            command,
            cwd=where or self.root,
            env=inherited | QUIET | path | self.settings,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert process.returncode == code, f"{words}: {process.returncode}\n{process.stdout}{process.stderr}"
        return process
