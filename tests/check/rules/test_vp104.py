from __future__ import annotations

from pathlib import Path

from support.checks import LINUX, PLAIN, PLUS, failures, verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.archive import (
    PlainTags,
)


def test_plain_wheels_with_other_tags_inside_are_a_rule_of_their_own(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLUS)
    assert verdicts(PlainTags(), tmp_path) == {"skip": 1}
    make_wheel(tmp_path, PLAIN)
    assert verdicts(PlainTags(), tmp_path) == {"skip": 1, "pass": 1}
    make_wheel(tmp_path, PLAIN, tags=["cp312-cp312-linux_x86_64"])
    assert failures(PlainTags(), tmp_path) == [f"WHEEL has cp312-cp312-linux_x86_64, the file name cp312-cp312-{LINUX}"]


def test_a_compressed_tag_set_may_stand_in_one_line(tmp_path: Path) -> None:
    make_wheel(tmp_path, "foo-1.0-py2.py3-none-any.whl", tags=["py2.py3-none-any"])
    assert verdicts(PlainTags(), tmp_path) == {"pass": 1}
