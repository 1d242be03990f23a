"""The changelog can be built: every fragment has a known type, and there is a line to write below."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def draft(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "9.0", "--config", ROOT / "pyproject.toml",
         "--dir", folder],
        capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip


def test_every_fragment_is_in_the_next_section() -> None:
    done = draft(ROOT)
    assert done.returncode == 0, done.stderr
    for fragment in (ROOT / "changelog.d").glob("+*"):
        assert fragment.read_text("utf-8").split("\n")[0][:60] in done.stdout


def test_a_fragment_of_no_known_type_is_refused(tmp_path: Path) -> None:
    (tmp_path / "changelog.d").mkdir()
    (tmp_path / "changelog.d" / "+speed.faster.md").write_text("Faster.\n")
    assert "+speed.faster.md" in draft(tmp_path).stderr


def test_the_changelog_has_one_place_for_the_next_section() -> None:
    settings = (ROOT / "pyproject.toml").read_text("utf-8")
    [marker] = re.findall(r'^start_string = "(.*)\\n"$', settings, flags=re.MULTILINE)
    assert (ROOT / "CHANGELOG.md").read_text("utf-8").count(marker) == 1
