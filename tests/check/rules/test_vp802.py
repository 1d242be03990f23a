from __future__ import annotations

from pathlib import Path

from support.checks import LINUX
from support.families import failures, verdicts, wheels_of
from variant_publish.check.rules.siblings import SameVersions


def test_one_version_passes(tmp_path: Path) -> None:
    wheels_of(tmp_path, *(f"{name}-1.0-cp312-cp312-{LINUX}" for name in ("foo_a", "foo_b", "foo_c")))
    assert verdicts(SameVersions(), tmp_path) == {"pass": 2}


def test_other_versions_fail(tmp_path: Path) -> None:
    wheels_of(tmp_path, f"foo_a-1.0-cp312-cp312-{LINUX}", f"foo_b-1.1-cp312-cp312-{LINUX}")
    assert failures(SameVersions(), tmp_path) == [
        "foo-b 1.1 and foo-a 1.0 have other versions, and do not require each other"
    ]


def test_members_that_require_each_other_have_versions_of_their_own(tmp_path: Path) -> None:
    wheels_of(tmp_path, f"foo-2.9-cp312-cp312-{LINUX}")
    wheels_of(tmp_path, f"vision-0.24-cp312-cp312-{LINUX}", f"audio-2.9.1-cp312-cp312-{LINUX}", requires=("foo==2.9",))
    assert verdicts(SameVersions(), tmp_path) == {"skip": 1}


def test_groups_that_require_each_other_are_compared_as_groups(tmp_path: Path) -> None:
    for number in (12, 13):
        wheels_of(tmp_path, f"plugin{number}-1.0-cp312-cp312-{LINUX}", requires=(f"pjrt{number}==7",))
    wheels_of(tmp_path, f"pjrt12-7-py3-none-{LINUX}", f"pjrt13-7-py3-none-{LINUX}")
    assert verdicts(SameVersions(), tmp_path) == {"pass": 1}
