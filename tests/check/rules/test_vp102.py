from __future__ import annotations

from pathlib import Path

from support.checks import failures, verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.archive import (
    WholeTagSet,
)


def test_an_extra_tag_on_one_member_only_has_its_own_rule(tmp_path: Path) -> None:
    make_wheel(tmp_path, "foo-1.0-cp312-cp312-manylinux_2_17_x86_64+cu128.manylinux2014_x86_64+cu128.whl")
    assert verdicts(WholeTagSet(), tmp_path) == {"pass": 1}
    (tmp_path / "foo-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64+cu128.whl").write_bytes(b"")
    assert verdicts(WholeTagSet(), tmp_path) == {"pass": 1, "fail": 1}
    assert "pip takes it for a generic wheel" in failures(WholeTagSet(), tmp_path)[0]
