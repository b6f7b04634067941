"""What every test of the command line needs."""

import pytest

from zoo.cli.main import main


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Run `zoo WORDS` in an empty folder; return its exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return run
