from __future__ import annotations

from pathlib import Path

import pytest

from support.checks import LABELLED, LINUX, PLAIN, PLUS, WINDOWS, verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.archive import (
    VariantTags,
)


def test_variant_wheels_say_their_tags_inside(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    make_wheel(tmp_path, PLUS)
    make_wheel(tmp_path, LABELLED)
    assert verdicts(VariantTags(), tmp_path) == {"pass": 3}


@pytest.mark.parametrize(
    ("filename", "tag"),
    [
        (PLUS, f"cp312-cp312-{LINUX}"),
        (PLUS, f"cp312-cp312-{LINUX}+cu126"),
        (LABELLED, f"cp312-cp312-{WINDOWS}"),
        (PLAIN, f"cp312-cp312-{LINUX}+cu128"),
        (PLUS, "nonsense"),
    ],
)
def test_variant_wheels_with_other_tags_inside_fail(tmp_path: Path, filename: str, tag: str) -> None:
    make_wheel(tmp_path, filename, tags=[tag])
    assert verdicts(VariantTags(), tmp_path) == {"fail": 1}


def test_other_tags_in_a_plain_wheel_have_a_rule_of_their_own(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLUS)
    make_wheel(tmp_path, PLAIN, tags=["cp312-cp312-linux_x86_64"])
    assert verdicts(VariantTags(), tmp_path) == {"pass": 2}
