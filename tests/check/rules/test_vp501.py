from __future__ import annotations

from pathlib import Path

import pytest

from support.binaries import elf
from support.checks import LINUX, PLAIN, failures, verdicts
from support.code import NEW_LIBC, OLD_LIBC
from support.wheels import make_wheel
from variant_publish.binary import policy
from variant_publish.check.rules.system_libraries import PolicyFits


@pytest.fixture(autouse=True)
def policies() -> None:
    pytest.importorskip("auditwheel")


def test_versions_that_the_tag_promises_pass(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": OLD_LIBC})
    make_wheel(tmp_path, PLAIN.replace("2_28", "2_34"), files={"foo/a.so": NEW_LIBC})
    make_wheel(tmp_path, PLAIN.replace("manylinux_2_28", "musllinux_1_2"), files={"foo/a.so": elf(needed=["libc.so"])})
    assert verdicts(PolicyFits(), tmp_path) == {"pass": 3}


def test_newer_versions_fail(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": NEW_LIBC})
    assert failures(PolicyFits(), tmp_path) == [f"foo/a.so needs GLIBC_2.34, which {LINUX} does not promise"]
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": NEW_LIBC, "foo/b.so": NEW_LIBC})
    assert failures(PolicyFits(), tmp_path) == [f"foo/a.so, foo/b.so need GLIBC_2.34, which {LINUX} does not promise"]


def test_tags_without_a_promise_and_wheels_without_binaries_are_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN.replace("manylinux_2_28", "linux"), files={"foo/a.so": NEW_LIBC})
    make_wheel(tmp_path, PLAIN)
    assert verdicts(PolicyFits(), tmp_path) == {"skip": 2}


def test_a_tag_without_a_policy_is_unknown(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN.replace("2_28", "2_97"), files={"foo/a.so": NEW_LIBC})
    assert verdicts(PolicyFits(), tmp_path) == {"unknown": 1}


def test_without_auditwheel_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "find_spec", lambda _: None)
    for cached in (policy._data, policy._policies, policy.policy_of):
        cached.cache_clear()
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": NEW_LIBC})
    assert verdicts(PolicyFits(), tmp_path) == {"unknown": 1}
    for cached in (policy._data, policy._policies, policy.policy_of):
        cached.cache_clear()
