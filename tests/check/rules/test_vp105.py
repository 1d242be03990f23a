from __future__ import annotations

from pathlib import Path

from support.checks import failures, verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.archive import (
    Identity,
)


def test_name_and_version_agree(tmp_path: Path) -> None:
    make_wheel(tmp_path, "foo_bar-1.0-py3-none-any.whl", name="Foo.Bar", dist_info="Foo_Bar-1.dist-info")
    assert verdicts(Identity(), tmp_path) == {"pass": 1}


def test_name_or_version_of_another_release_fails(tmp_path: Path) -> None:
    make_wheel(tmp_path, "foo-1.0-py3-none-any.whl", name="bar", dist_info="foo-1.1.dist-info")
    assert failures(Identity(), tmp_path) == [
        "the folder foo-1.1.dist-info is of version '1.1', the file name of '1.0'",
        "METADATA is of project 'bar', the file name of 'foo'",
    ]
