from __future__ import annotations

from pathlib import Path

from support.checks import LINUX, PLAIN, failures, verdicts
from support.labels import LEVELS, LOWER, label
from support.wheels import make_wheel
from variant_publish.check.rules.machines import EveryMachineServed

UPPER = "nvidia :: cuda_version_upper_bound :: "


def test_a_release_without_variants_is_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    assert verdicts(EveryMachineServed(), tmp_path) == {"skip": 1}


def test_every_machine_has_at_least_the_generic_wheel(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    label(tmp_path, "cu126", f"{LOWER}12.6")
    label(tmp_path, "cu130", f"{LOWER}13.0")
    label(tmp_path, "v3", "x86_64 :: level :: v3")
    assert verdicts(EveryMachineServed(), tmp_path) == {"pass": 1}


def test_a_machine_that_gets_nothing_is_shown(tmp_path: Path) -> None:
    label(tmp_path, "cu126", f"{LOWER}12.6", f"{UPPER}13")
    assert failures(EveryMachineServed(), tmp_path) == [
        f"a machine of {LINUX} with nothing special gets no wheel, though there are some for {LINUX}"
    ]


def test_machines_of_extra_tags_need_the_generic_wheel(tmp_path: Path) -> None:
    for tag in ("v3", "v4"):
        make_wheel(tmp_path, PLAIN.replace(".whl", f"+{tag}.whl"))
    (message,) = failures(EveryMachineServed(), tmp_path, LEVELS)
    assert "x86_64_version=x86-64" in message
    make_wheel(tmp_path, PLAIN)
    assert verdicts(EveryMachineServed(), tmp_path, LEVELS) == {"pass": 1}


def test_a_generic_wheel_that_the_matrix_skips_with_a_reason_is_not_asked_for(tmp_path: Path) -> None:
    label(tmp_path, "cu126", f"{LOWER}12.6")
    matrix = (
        f'[tool.variant-publish.matrix]\npython = ["cp311-cp311"]\nplatform = ["{LINUX}"]\n'
        "[tool.variant-publish.variants.cu126]\n[[tool.variant-publish.matrix.skip]]\n"
        'reason = "it does not run without a GPU"\nvariant = '
    )
    assert verdicts(EveryMachineServed(), tmp_path, matrix + '"generic"') == {"skip": 1}
    assert verdicts(EveryMachineServed(), tmp_path, matrix + '"generic"\npython = "cp312-cp312"') == {"fail": 1}
    older = matrix.replace(LINUX, "manylinux_2_34_x86_64") + '"generic"'  # which the wheel serves too
    assert verdicts(EveryMachineServed(), tmp_path, older) == {"skip": 1}
