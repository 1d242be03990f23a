from __future__ import annotations

from pathlib import Path

import pytest

from support.checks import LINUX, MAC, PLAIN, WINDOWS, failures, verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.extensions import ExtensionSuffixes


@pytest.mark.parametrize(
    ("wheel", "files"),
    [
        (PLAIN, ["foo/_c.cpython-312-x86_64-linux-gnu.so", "foo/_d.abi3.so", "foo/e.so"]),
        (f"foo-1.0-cp314-cp314t-{MAC}.whl", ["foo/_c.cpython-314t-darwin.so"]),
        (f"foo-1.0-cp312-cp312-{WINDOWS}.whl", ["foo/_c.cp312-win_amd64.pyd"]),
        (PLAIN, ["foo/_c.cpython-312-x86_64-linux-gnu.so", "foo/_c.cpython-311-x86_64-linux-gnu.so"]),
        (f"foo-1.0-py3-none-{LINUX}.whl", ["foo/_c.cpython-311-x86_64-linux-gnu.so"]),
    ],
)
def test_modules_for_the_python_of_the_tag_pass(tmp_path: Path, wheel: str, files: list[str]) -> None:
    make_wheel(tmp_path, wheel, files=dict.fromkeys(files, b""))
    assert verdicts(ExtensionSuffixes(), tmp_path) == {"pass": 1}


@pytest.mark.parametrize(
    ("wheel", "file"),
    [
        (PLAIN, "foo/_c.cpython-311-x86_64-linux-gnu.so"),
        (f"foo-1.0-cp314-cp314t-{MAC}.whl", "foo/_c.cpython-314-darwin.so"),
    ],
)
def test_modules_for_another_python_fail(tmp_path: Path, wheel: str, file: str) -> None:
    make_wheel(tmp_path, wheel, files={file: b""})
    assert "foo/_c is there for Python 31" in failures(ExtensionSuffixes(), tmp_path)[0]


def test_a_wheel_without_extension_modules_passes(tmp_path: Path) -> None:
    make_wheel(tmp_path, "foo-1.0-py3-none-any.whl")
    assert verdicts(ExtensionSuffixes(), tmp_path) == {"skip": 1}
