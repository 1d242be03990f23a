from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support.uv import PREVIEW, uv
from support.wheels import make_wheel
from variant_publish.formats.variants_json import VariantsMetadata
from variant_publish.model.variant import Properties
from variant_publish.providers.catalog import KNOWN_PROVIDERS
from variant_publish.providers.tpu import Tpu


def tree(folder: Path, *devices: tuple[str, str]) -> dict[str, str]:
    for number, (vendor, device) in enumerate(devices):
        place = folder / "bus/pci/devices" / f"0000:00:0{number}.0"
        place.mkdir(parents=True)
        (place / "vendor").write_text(f"{vendor}\n")
        (place / "device").write_text(f"{device}\n")
    return {"VARIANT_PUBLISH_SYSFS": str(folder)}


def test_a_pci_device_of_google_is_a_tpu(tmp_path: Path) -> None:
    found = Tpu().detect(tree(tmp_path, ("0x8086", "0x0062"), ("0x1ae0", "0x0063")))
    assert found == {"tpu": "true"}
    assert Tpu().supported(found) == {"present": ("true",)}


def test_other_devices_of_google_are_none(tmp_path: Path) -> None:
    assert Tpu().detect(tree(tmp_path, ("0x1ae0", "0x0042"))) == {}
    assert Tpu().supported({}) == {"present": ("false",)}


def test_the_variable_of_the_provider_overrides_the_kernel(tmp_path: Path) -> None:
    here = tree(tmp_path, ("0x1ae0", "0x0063"))
    assert Tpu().detect({**here, "TPU_VARIANT_PROVIDER_FORCE_PRESENT": "0"}) == {"tpu": "none"}
    assert Tpu().detect({"TPU_VARIANT_PROVIDER_FORCE_PRESENT": "1"}) == {"tpu": "true"}


@pytest.mark.slow
@pytest.mark.parametrize(("present", "variant"), [("1", "tpu"), ("0", "notpu")])
def test_uv_reads_the_provider_as_it_is_listed(tmp_path: Path, present: str, variant: str) -> None:
    lines = {"tpu": ["tpu :: present :: true"], "notpu": ["tpu :: present :: false"]}
    labels = {label: Properties.parse(own) for label, own in lines.items()}
    metadata = VariantsMetadata(("tpu",), labels, {"tpu": KNOWN_PROVIDERS["tpu"]})
    for label in labels:
        make_wheel(tmp_path / "wheels", f"foo-1.0-py3-none-any-{label}.whl", variant=metadata.only(label))
    (tmp_path / "wheels/foo-1.0-variants.json").write_text(metadata.dumps(), "utf-8")
    links = ("--no-index", "--find-links", tmp_path / "wheels")
    target = ("--target", tmp_path / "target", "--python", sys.executable)
    done = uv("pip", "install", *target, *PREVIEW, *links, "foo", env={"TPU_VARIANT_PROVIDER_FORCE_PRESENT": present})
    assert done.returncode == 0, done.stderr
    assert f"'{variant}'" in (tmp_path / "target/foo.py").read_text("utf-8")
