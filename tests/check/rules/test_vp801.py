from __future__ import annotations

from pathlib import Path

import pytest

from support.checks import LINUX, WINDOWS
from support.families import DECLARED, family_in, outcomes, verdicts, wheels_of
from variant_publish.check.rules.siblings import MembersThere, SamePlatforms
from variant_publish.errors import UsageError

BOTH = (f"foo-1.0-cp312-cp312-{LINUX}", f"foo_cpu-1.0-cp312-cp312-{LINUX}")


def test_declared_members_that_are_there_pass(tmp_path: Path) -> None:
    wheels_of(tmp_path, *BOTH)
    assert verdicts(MembersThere(), tmp_path, DECLARED) == {"pass": 2}


def test_without_a_declaration_all_that_is_named_is_the_family(tmp_path: Path) -> None:
    wheels_of(tmp_path, *BOTH, f"bar-1.0-cp312-cp312-{LINUX}")
    assert verdicts(MembersThere(), tmp_path) == {"pass": 3}
    assert verdicts(MembersThere(), tmp_path, DECLARED) == {"pass": 2}


def test_a_member_that_was_not_named_is_unknown(tmp_path: Path) -> None:
    wheels_of(tmp_path, BOTH[0])
    assert verdicts(MembersThere(), tmp_path, DECLARED) == {"pass": 1, "unknown": 1}
    (unknown,) = [found for found in outcomes(MembersThere(), tmp_path, DECLARED) if found.message]
    assert unknown.message == "foo-cpu is of the family and was not checked"
    assert unknown.hint == "name it too: a folder with its wheels, or foo-cpu==VERSION"
    assert verdicts(SamePlatforms(), tmp_path, DECLARED) == {"skip": 1}


def test_a_member_in_two_versions_fails(tmp_path: Path) -> None:
    wheels_of(tmp_path, *BOTH, f"foo-2.0-cp312-cp312-{WINDOWS}")
    assert verdicts(MembersThere(), tmp_path) == {"fail": 1, "pass": 1}
    assert verdicts(SamePlatforms(), tmp_path) == {"skip": 1}


def test_without_a_family_the_rule_is_skipped(tmp_path: Path) -> None:
    wheels_of(tmp_path, *BOTH)
    assert family_in(tmp_path, asked=False) is None
    assert [found.verdict for found in MembersThere().check(None)] == ["skip"]


def test_one_project_is_no_family(tmp_path: Path) -> None:
    wheels_of(tmp_path, BOTH[0])
    with pytest.raises(UsageError, match="a family has two projects or more, and foo was named alone"):
        family_in(tmp_path)
