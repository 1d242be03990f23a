from __future__ import annotations

from pathlib import Path

import pytest

from variant_publish.providers.amd import Amd
from variant_publish.providers.catalog import supported_by


def machine(folder: Path, *targets: int | tuple[int, int], rocm: str | None = "6.4.1-91\n") -> dict[str, str]:
    """Write the kernel's topology, a target or a target with its units for each node; return the environment."""
    for number, node in enumerate(targets):
        target, units = node if isinstance(node, tuple) else (node, 100)
        place = folder / "sys/class/kfd/kfd/topology/nodes" / str(number)
        place.mkdir(parents=True)
        (place / "properties").write_text(
            f"cpu_cores_count 0\nsimd_count {units}\ngfx_target_version {target}\nvendor_id 4098\n"
        )
    if rocm is not None:
        (folder / "rocm/.info").mkdir(parents=True)
        (folder / "rocm/.info/version").write_text(rocm)
    return {"VARIANT_PUBLISH_SYSFS": str(folder / "sys"), "ROCM_PATH": str(folder / "rocm")}


@pytest.mark.parametrize(
    ("target", "name"), [(90402, "gfx942"), (90010, "gfx90a"), (110000, "gfx1100"), (120001, "gfx1201")]
)
def test_the_kernel_tells_the_architecture(tmp_path: Path, target: int, name: str) -> None:
    found = Amd().detect(machine(tmp_path, 0, target))
    assert found == {"gfx_arch": name, "rocm": "6.4"}
    assert Amd().supported(found) == {"gfx_arch": (name,), "rocm_version": ("6.4",)}


def test_the_largest_gpu_counts_and_not_the_graphics_of_the_cpu(tmp_path: Path) -> None:
    environ = machine(tmp_path, (0, 0), (90402, 1216), (100306, 4))
    assert Amd().detect(environ)["gfx_arch"] == "gfx942"


def test_without_a_gpu_there_is_nothing(tmp_path: Path) -> None:
    assert Amd().detect(machine(tmp_path, 0)) == {}
    assert Amd().detect({"VARIANT_PUBLISH_SYSFS": str(tmp_path / "nowhere")}) == {}
    assert Amd().supported({}) == {}


def test_without_rocm_the_architecture_is_known(tmp_path: Path) -> None:
    assert Amd().detect(machine(tmp_path, 90402, rocm=None)) == {"gfx_arch": "gfx942"}


def test_the_variables_of_the_provider_override_the_kernel(tmp_path: Path) -> None:
    forced = {"AMD_VARIANT_PROVIDER_GFX_ARCH": "gfx1100, gfx942", "AMD_VARIANT_PROVIDER_ROCM_VERSION": "7.0.0"}
    assert Amd().detect({**machine(tmp_path, 90402), **forced}) == {"gfx_arch": "gfx1100", "rocm": "7.0"}


def test_the_values_become_properties() -> None:
    assert supported_by({"gfx_arch": "gfx942"})["amd"] == {"gfx_arch": ("gfx942",)}


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("gfx942", "amd :: gfx_arch :: gfx942"),
        ("gfx90a", "amd :: gfx_arch :: gfx90a"),
        ("gfx1100", "amd :: gfx_arch :: gfx1100"),
        ("rocm64", "amd :: rocm_version :: 6.4"),
        ("rocm6_4", "amd :: rocm_version :: 6.4"),
        ("rocm7.0", "amd :: rocm_version :: 7.0"),
        ("rocm714", "amd :: rocm_version :: 7.14"),
    ],
)
def test_a_word_stands_for_a_property(word: str, line: str) -> None:
    assert [str(item) for item in Amd().properties_of(word)] == [line]


@pytest.mark.parametrize("word", ["gfx", "gfx9", "rocm", "amd", "radeon"])
def test_other_words_say_nothing(word: str) -> None:
    assert Amd().properties_of(word) == ()
