from __future__ import annotations

import platform
import sys

import pytest
from packaging.tags import Tag, sys_tags

from variant_publish.errors import UsageError
from variant_publish.providers import selector_functions
from variant_publish.providers.catalog import detected as detected_values
from variant_publish.providers.machine import Machine
from variant_publish.providers.platforms import compatible_platforms

FORCED = {"NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": "12.8", "NV_VARIANT_PROVIDER_FORCE_SM_ARCH": "9.0"}


def machine(**values: str) -> Machine:
    return Machine({"x86_64_version": "x86-64-v3", "aarch64_version": "none", "cuda": "none", **values}, (), "3.12.1")


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr("sysconfig.get_platform", lambda: "linux-x86_64")
    return machine(cuda="12.8", sm_arch="9.0")


def test_this_machine_has_the_tags_and_the_version_of_the_running_python() -> None:
    found = Machine.detect({})
    assert found.tags == tuple(sys_tags())
    assert found.python_version == platform.python_version()
    assert {"x86_64_version", "aarch64_version", "cuda"} <= set(found.values)


def test_the_overrides_of_the_provider_are_honoured() -> None:
    found = Machine.detect(FORCED)
    assert (found.values["cuda"], found.values["sm_arch"]) == ("12.8", "9.0")
    assert found.supported["nvidia"]["sm_arch"] == ("90_real", "90_virtual")


@pytest.mark.parametrize(("name", "other"), [("AMD64", "aarch64_version"), ("arm64", "x86_64_version")])
def test_the_other_architecture_has_no_level(monkeypatch: pytest.MonkeyPatch, name: str, other: str) -> None:
    monkeypatch.setattr(platform, "machine", lambda: name)
    assert detected_values({})[other] == "none"


def test_an_unknown_architecture_has_no_properties(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "sparc64")
    values = detected_values({})
    assert (values["x86_64_version"], values["aarch64_version"]) == ("none", "none")


def test_supported_properties_follow_from_the_values() -> None:
    assert machine().supported == {"x86_64": {"level": ("v3", "v2", "v1")}, "tpu": {"present": ("false",)}}
    assert list(machine(cuda="12.8").supported["nvidia"]) == ["cuda_version_lower_bound", "cuda_version_upper_bound"]
    assert machine(aarch64_version="8.1a").supported["aarch64"] == {"version": ("8.1a", "8a")}


def test_releases_of_dependencies_are_values_like_others() -> None:
    found = machine().described({"torch": "2.9.1", "mpi": "openmpi"})
    assert found.abi == {"torch": "2.9.1"}
    assert found.supported["abi_dependency"] == {"torch": ("2.9.1", "2.9", "2")}


def test_hardware_that_is_not_there_is_none_and_an_unknown_variable_nothing() -> None:
    assert (machine().value("gfx_arch"), machine().value("mpi")) == ("none", None)


def test_a_setting_replaces_what_was_detected() -> None:
    found = machine().described({"x86_64_version": "v2", "cuda": "12.4", "sm_arch": "8.6", "mpi": "openmpi"})
    assert found.values == {
        "x86_64_version": "x86-64-v2", "aarch64_version": "none", "cuda": "12.4", "sm_arch": "8.6", "mpi": "openmpi",
    }  # fmt: skip


def test_a_machine_without_cuda_has_no_device_either(here: Machine) -> None:
    found = here.described({"cuda": "none"})
    assert "sm_arch" not in found.values
    assert "nvidia" not in found.supported


@pytest.mark.parametrize(
    ("name", "value", "known"),
    [
        ("x86_64_version", "generic", "x86-64-v3"),
        ("aarch64_version", "7", "8.2a"),
        ("cuda", "new", "12.8"),
        ("sm_arch", "90", "9.0"),
    ],
)
def test_a_setting_that_cannot_be_names_what_is_known(name: str, value: str, known: str) -> None:
    with pytest.raises(UsageError, match=name) as error:
        machine().described({name: value})
    assert known in str(error.value.hint)


def test_another_python_has_its_own_tags(here: Machine) -> None:
    found = here.described({}, python="3.12", platform="manylinux_2_28_x86_64")
    assert found.python_version == "3.12.0"
    assert found.tags[0] == Tag("cp312", "cp312", "manylinux_2_28_x86_64")
    assert {
        Tag("cp312", "cp312", "manylinux2014_x86_64"), Tag("cp311", "abi3", "linux_x86_64"), Tag("py3", "none", "any"),
    } <= set(found.tags)  # fmt: skip
    assert not any(tag.abi == "cp311" for tag in found.tags)


def test_a_free_threaded_python_takes_no_abi3_wheels(here: Machine) -> None:
    found = here.described({}, python="3.14t", platform="manylinux_2_28_x86_64")
    assert found.tags[0] == Tag("cp314", "cp314t", "manylinux_2_28_x86_64")
    assert not any(tag.abi == "abi3" for tag in found.tags)


def test_a_platform_keeps_the_running_python() -> None:
    found = Machine.detect({}).described({}, platform="win_amd64")
    major, minor = sys.version_info[:2]
    assert found.python_version == platform.python_version()
    assert found.tags[0].interpreter == f"cp{major}{minor}"
    assert {tag.platform for tag in found.tags} == {"win_amd64", "any"}


def test_the_facts_of_this_machine_do_not_count_for_another_architecture(here: Machine) -> None:
    found = here.described({}, platform="manylinux_2_28_aarch64")
    assert found.values == {"x86_64_version": "none", "aarch64_version": "8a", "cuda": "none"}


def test_the_cpu_counts_and_the_gpu_does_not_for_another_system(here: Machine) -> None:
    found = here.described({}, platform="win_amd64")
    assert found.values == {"x86_64_version": "x86-64-v3", "aarch64_version": "none", "cuda": "none"}


def test_the_same_platform_keeps_everything(here: Machine) -> None:
    assert here.described({}, platform="manylinux_2_28_x86_64").values == here.values


def test_what_is_said_of_another_platform_counts(here: Machine) -> None:
    found = here.described({"cuda": "12.4"}, platform="manylinux_2_28_aarch64")
    assert found.values["cuda"] == "12.4"


def test_a_newer_glibc_takes_older_wheels_in_the_order_of_pip() -> None:
    found = compatible_platforms("manylinux_2_17_x86_64")
    assert found[:4] == [
        "manylinux_2_17_x86_64",
        "manylinux2014_x86_64",
        "manylinux_2_16_x86_64",
        "manylinux_2_15_x86_64",
    ]
    assert found[-3:] == ["manylinux_2_5_x86_64", "manylinux1_x86_64", "linux_x86_64"]
    assert compatible_platforms("manylinux2014_aarch64") == [
        "manylinux_2_17_aarch64", "manylinux2014_aarch64", "linux_aarch64",
    ]  # fmt: skip


def test_other_platforms_take_what_installers_let_them() -> None:
    assert compatible_platforms("musllinux_1_1_x86_64") == [
        "musllinux_1_1_x86_64",
        "musllinux_1_0_x86_64",
        "linux_x86_64",
    ]
    assert compatible_platforms("macosx_14_0_arm64")[:2] == ["macosx_14_0_arm64", "macosx_14_0_universal2"]
    assert compatible_platforms("win_amd64") == ["win_amd64"]


def test_what_is_no_platform_is_refused(here: Machine) -> None:
    with pytest.raises(UsageError, match="ubuntu"):
        here.described({}, platform="ubuntu")
    with pytest.raises(UsageError, match="Python 'three'"):
        here.described({}, python="three")


def test_the_entry_points_of_selector_files_give_strings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in FORCED.items():
        monkeypatch.setenv(name, value)
    assert selector_functions.cuda() == "12.8"
    values = Machine.detect({}).values
    assert selector_functions.x86_64_version() == values["x86_64_version"]
    assert selector_functions.aarch64_version() == values["aarch64_version"]


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        ("x86_64_version == 'x86-64-v3'", True),
        ("x86_64_version == 'v3'", True),
        ("x86_64_version >= 'x86-64-v2'", True),
        ("'x86-64-v4' <= x86_64_version", False),
        ("x86_64_version in 'x86-64-v3 x86-64-v4'", True),
        ("x86_64_version not in 'x86-64-v3 x86-64-v4'", False),
        ("'v3' in x86_64_version", True),
        ("cuda > '12.8'", True),
        ("cuda < '12.10'", False),
        ("aarch64_version < '9.0a'", False),
        ("blas != 'mkl'", True),
    ],
)
def test_markers_ask_for_the_variables_of_the_machine(marker: str, expected: bool) -> None:
    values = {"x86_64_version": "x86-64-v3", "aarch64_version": "none", "cuda": "12.10", "blas": "openblas"}
    requirement = Machine(values, (), "3.12.0").requirement(f"foo+v3>=1; {marker}")
    found = requirement.plain.marker
    assert requirement.tags == ("v3",)
    assert (found is None or found.evaluate()) == expected


@pytest.mark.parametrize("marker", ["cuda == 'new'", "cuda ~= '12'", "blas < 'mkl'", "hip == '6'"])
def test_a_marker_that_means_nothing_is_one_sentence(marker: str) -> None:
    machine = Machine({"cuda": "12.10", "blas": "openblas"}, (), "3.12.0")
    with pytest.raises(UsageError) as error:
        machine.requirement(f"foo; {marker}")
    assert error.value.hint
