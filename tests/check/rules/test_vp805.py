from __future__ import annotations

from pathlib import Path

from support.checks import LINUX
from support.families import failures, verdicts, wheels_of
from variant_publish.check.rules.siblings import SameVariants

PLAIN = [f"{name}-1.0-cp312-cp312-{LINUX}" for name in ("foo", "vision")]
SKIP = '[[tool.variant-publish.family.skip]]\nproject = "vision"\nvariant = "cu130"\nreason = "no kernels"\n'


def test_the_same_variants_pass(tmp_path: Path) -> None:
    wheels_of(tmp_path, *PLAIN, *(f"{name}+cu128" for name in PLAIN))
    assert verdicts(SameVariants(), tmp_path) == {"pass": 2}


def test_a_variant_that_a_member_lacks_is_named(tmp_path: Path) -> None:
    wheels_of(tmp_path, *PLAIN, *(f"{name}+cu128" for name in PLAIN), f"{PLAIN[0]}+cu130")
    assert failures(SameVariants(), tmp_path) == ["vision has no variant 'cu130': there are foo cu130"]


def test_a_variant_is_the_same_in_both_dialects(tmp_path: Path) -> None:
    wheels_of(tmp_path, *PLAIN, f"{PLAIN[0]}+cu128", f"{PLAIN[1]}-cu128")
    assert failures(SameVariants(), tmp_path) == []


def test_a_skip_with_a_reason_is_counted(tmp_path: Path) -> None:
    wheels_of(tmp_path, *PLAIN, f"{PLAIN[0]}+cu130")
    assert verdicts(SameVariants(), tmp_path, SKIP) == {"pass": 2, "skip": 1}
    other = SKIP.replace("reason", 'platform = "win_amd64"\nreason')
    assert verdicts(SameVariants(), tmp_path, other) == {"pass": 1, "fail": 1}


def test_a_family_without_variants_is_skipped(tmp_path: Path) -> None:
    wheels_of(tmp_path, *PLAIN)
    assert verdicts(SameVariants(), tmp_path) == {"skip": 1}
