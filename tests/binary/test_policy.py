from __future__ import annotations

import pytest

from variant_publish.binary.policy import _policies

pytest.importorskip("auditwheel")


@pytest.mark.parametrize("libc", ["many", "musl"])
@pytest.mark.parametrize(
    "architecture", ["x86_64", "i686", "aarch64", "armv7l", "ppc64le", "s390x", "riscv64", "loongarch64"]
)
def test_policies_are_what_auditwheel_makes_of_its_data(libc: str, architecture: str) -> None:
    from auditwheel.architecture import Architecture
    from auditwheel.libc import Libc
    from auditwheel.policy import WheelPolicies

    for musl in ["musllinux_1_1", "musllinux_1_2"] if libc == "musl" else [None]:
        kind = Libc.MUSL if libc == "musl" else Libc.GLIBC
        found = _policies(libc, architecture, musl)
        if (musl, architecture) == ("musllinux_1_1", "loongarch64") or not found:
            with pytest.raises((AssertionError, KeyError)):
                WheelPolicies(libc=kind, arch=Architecture(architecture), musl_policy=musl)
            continue
        policies = WheelPolicies(libc=kind, arch=Architecture(architecture), musl_policy=musl)
        wanted = [one for one in policies if not one.name.startswith("linux_")]
        assert [(one.tag, one.versions, one.libraries) for one in found] == [
            (one.name, one.symbol_versions, one.whitelist) for one in wanted
        ]


def test_what_auditwheel_does_not_know_has_no_policy() -> None:
    assert _policies("many", "vax", None) == ()
    assert _policies("musl", "x86_64", "musllinux_1_97") == ()
