from __future__ import annotations

from pathlib import Path

from support.checks import LINUX, WINDOWS
from support.families import failures, verdicts, wheels_of
from variant_publish.check.rules.siblings import LiveFamilySkips

SKIP = '[[tool.variant-publish.family.skip]]\nproject = "foo_cpu"\n{}\nreason = "no toolchain"\n'


def test_skips_that_leave_something_out_pass(tmp_path: Path) -> None:
    wheels_of(tmp_path, *(f"foo-1.0-cp312-cp312-{place}" for place in (LINUX, WINDOWS, f"{LINUX}+cu128")))
    wheels_of(tmp_path, f"foo_cpu-1.0-cp312-cp312-{LINUX}")
    both = SKIP.format(f'platform = "{WINDOWS}"') + SKIP.format('variant = "cu128"')
    assert verdicts(LiveFamilySkips(), tmp_path, both) == {"pass": 2}


def test_a_skip_that_leaves_out_nothing_fails(tmp_path: Path) -> None:
    wheels_of(tmp_path, *(f"{name}-1.0-cp312-cp312-{LINUX}" for name in ("foo", "foo_cpu")))
    assert failures(LiveFamilySkips(), tmp_path, SKIP.format('platform = "win_arm64"')) == [
        "tool.variant-publish.family.skip[0] (foo_cpu, win_arm64: no toolchain) leaves out nothing that a sibling has"
    ]


def test_a_family_without_skips_is_skipped(tmp_path: Path) -> None:
    wheels_of(tmp_path, *(f"{name}-1.0-cp312-cp312-{LINUX}" for name in ("foo", "foo_cpu")))
    assert verdicts(LiveFamilySkips(), tmp_path) == {"skip": 1}
