from __future__ import annotations

from pathlib import Path

import pytest

from variant_publish.providers.amd import Amd
from variant_publish.providers.machine import supported_by


def machine(folder: Path, *targets: int, rocm: str | None = "6.4.1-91\n") -> Amd:
    for number, target in enumerate(targets):
        node = folder / "nodes" / str(number)
        node.mkdir(parents=True)
        (node / "properties").write_text(f"cpu_cores_count 0\ngfx_target_version {target}\nvendor_id 4098\n")
    if rocm is not None:
        (folder / "version").write_text(rocm)
    return Amd.detect(folder / "nodes", folder / "version")


@pytest.mark.parametrize(
    ("target", "name"), [(90402, "gfx942"), (90010, "gfx90a"), (110000, "gfx1100"), (120001, "gfx1201")]
)
def test_the_kernel_tells_the_architecture(tmp_path: Path, target: int, name: str) -> None:
    found = machine(tmp_path, 0, target)
    assert found == Amd(name, "6.4")
    assert found.features() == {"gfx_arch": (name,), "rocm_version": ("6.4",)}


def test_without_a_gpu_there_is_nothing(tmp_path: Path) -> None:
    assert machine(tmp_path, 0) == Amd()
    assert Amd.detect(tmp_path / "nowhere", tmp_path / "nowhere").features() == {}


def test_without_rocm_the_architecture_is_known(tmp_path: Path) -> None:
    assert machine(tmp_path, 90402, rocm=None) == Amd("gfx942", None)


def test_the_values_become_properties() -> None:
    assert supported_by({"gfx_arch": "gfx942"}) == {"amd": {"gfx_arch": ("gfx942",)}}
