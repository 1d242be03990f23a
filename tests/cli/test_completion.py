from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.cli import run
from variant_publish.cli.main import COMMANDS


def complete(folder: Path, *words: str) -> list[str]:
    """Ask what a shell would offer for the last word."""
    environment = {**os.environ, "_VARIANT_PUBLISH_COMPLETE": "bash_complete",
                   "COMP_WORDS": " ".join(("variant-publish", *words)), "COMP_CWORD": str(len(words))}  # fmt: skip
    code = "from variant_publish.cli.main import main; import sys; sys.argv[0] = 'variant-publish'; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False
    )
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.split()]


@pytest.mark.slow
def test_commands_options_and_choices_are_completed(tmp_path: Path) -> None:
    assert complete(tmp_path, "reta") == ["retag"]
    assert "--drop-local-version" in complete(tmp_path, "retag", "--dr")
    assert complete(tmp_path, "check", "--format", "j") == ["json", "junit"]
    assert complete(tmp_path, "index", "un") == ["unyank"]


@pytest.mark.slow
def test_variants_and_rules_are_completed(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[tool.variant-publish.variants.cu128]\n[tool.variant-publish.variants.x]\n"
    )
    (tmp_path / "own.toml").write_text("[variants.cuda13]\n")
    (tmp_path / "bad.toml").write_text("variants = 1\n")
    assert complete(tmp_path, "retag", "--variant", "cu") == ["cu128"]
    assert complete(tmp_path, "retag", "--config", "own.toml", "--variant", "cu") == ["cuda13"]
    assert complete(tmp_path, "retag", "--config", "bad.toml", "--variant", "cu") == []
    assert {"VP101", "VP102"} <= set(complete(tmp_path, "check", "--ignore", "VP1"))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_that_the_shell_reads(tmp_path: Path, shell: str) -> None:
    if shell == "bash" and shutil.which("bash") is None:
        pytest.skip("click asks bash for its version")
    result = run("completion", shell)
    assert result.code == 0
    assert "_VARIANT_PUBLISH_COMPLETE" in result.stdout
    if shutil.which(shell) is not None:
        script = tmp_path / "script"
        script.write_text(result.stdout)
        assert subprocess.run([shell, "-n", script], check=False).returncode == 0


def test_the_names_of_commands_cost_no_import(tmp_path: Path) -> None:
    code = (
        "import sys; from variant_publish.cli.main import group; import click;"
        "names = [item.value for item in group.shell_complete(click.Context(group), '')];"
        "assert not [name for name in sys.modules if name == 'variant_publish.api'], names; print(*names)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.split() == list(COMMANDS)
