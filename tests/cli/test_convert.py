from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.archives import contents, raw_members
from support.cli import Result, run
from support.uv import PREVIEW, uv
from support.wheels import make_wheel
from variant_publish.archive.wheel import WholeWheel
from variant_publish.config.configuration import Config
from variant_publish.model.variant import Properties

NAME = "foo-1.0-py3-none-any"
SCHEMA = "https://variants-schema.wheelnext.dev/v0.0.3.json"
NVIDIA = {"requires": ["nvidia-variant-provider>=0.0.2,<1.0.0"], "enable-if": "platform_system == 'Linux'",
          "plugin-api": "nvidia_variant_provider.plugin:NvidiaVariantPlugin"}  # fmt: skip
VARIANTS: dict[str, Any] = {
    "00000000": {},
    "cuda12.8": {"nvidia": {"cuda_version_lower_bound": ["12.8"]}, "order": {"of": ["2"]}},
    "cuda13.0": {"nvidia": {"cuda_version_lower_bound": ["13.0"]}, "order": {"of": ["1"]}},
}
REQUIRES = [
    "numpy",
    "triton==3.4.0; platform_system == \"Linux\" and 'nvidia' in variant_namespaces",
    "cublas==12; variant_label == 'cuda12.8'",
]


def old_json(*labels: str) -> bytes:
    return json.dumps({
        "$schema": SCHEMA,
        "default-priorities": {"namespace": ["nvidia", "order"]},
        "providers": {"nvidia": NVIDIA, "order": {"install-time": False, "requires": []}},
        "static-properties": {"order": {"of": ["1", "2"]}},
        "variants": {label: VARIANTS[label] for label in labels},
    }).encode()  # fmt: skip


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Give a folder as variantlib left it: three labels, the plain wheel, the index file."""
    for label in VARIANTS:
        make_wheel(tmp_path / "old", f"{NAME}-{label}.whl", requires=REQUIRES, files={"foo.py": b"x = 1\n" * 99},
                   extra_info={"variant.json": old_json(label)})  # fmt: skip
    make_wheel(tmp_path / "old", f"{NAME}.whl", requires=REQUIRES)
    (tmp_path / "old" / "foo-1.0-variants.json").write_bytes(old_json(*VARIANTS))
    return tmp_path / "old"


def convert(old: Path, *arguments: str) -> Result:
    return run("convert", str(old), *arguments, "-o", str(old.parent / "new"))


def test_a_release_of_variantlib_becomes_one_of_today(old: Path) -> None:
    assert run("check", str(old)).code == 1
    result = convert(old)
    assert result.code == 0, result.stderr
    new = old.parent / "new"
    assert {path.name for path in new.iterdir()} == {
        f"{NAME}.whl", f"{NAME}-null.whl", f"{NAME}-cuda12.8.whl", f"{NAME}-cuda13.0.whl", "foo-1.0-variants.json"
    }  # fmt: skip
    check = run("check", str(new), "--for", "uv", "--offline")
    assert check.code == 0, check.stdout
    assert run("metadata", str(new), "--check").code == 0  # what the index file says is what the wheels say


@pytest.mark.slow
def test_uv_refuses_the_old_release_and_chooses_from_the_new_one(old: Path, tmp_path: Path) -> None:
    for path in old.glob("*.whl"):  # what it requires is not here
        path.unlink()
    for label in VARIANTS:
        make_wheel(old, f"{NAME}-{label}.whl", files={"foo.py": f"VARIANT = {label!r}\n".encode()},
                   extra_info={"variant.json": old_json(label)})  # fmt: skip
    convert(old)
    index = (tmp_path / "index").as_uri()
    assert run("upload", str(tmp_path / "new"), "--extra-index", index, "--no-repository").code == 0
    (tmp_path / "old-index").mkdir()
    for path in old.iterdir():
        (tmp_path / "old-index" / path.name).write_bytes(path.read_bytes())
    gpu = {"NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": "12.9", "NV_VARIANT_PROVIDER_FORCE_SM_ARCH": "9.0"}
    linux = ("--python-platform", "x86_64-manylinux_2_28", "--python-version", "3.12")
    install = ("pip", "install", "--target", tmp_path / "target", *PREVIEW, *linux, "foo")
    refused = uv(*install, "--no-index", "--find-links", tmp_path / "old-index", env=gpu)
    assert "Unknown variant metadata schema" in refused.stderr
    done = uv(*install, "--default-index", index, env=gpu)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "target" / "foo.py").read_text() == "VARIANT = 'cuda12.8'\n"


def test_the_payload_is_copied_raw(old: Path) -> None:
    convert(old)
    before, after = (raw_members(old.parent / folder / f"{NAME}-cuda12.8.whl") for folder in ("old", "new"))
    assert after["foo.py"] == before["foo.py"]
    assert {name for name in before if before[name] != after[name]} == {
        f"foo-1.0.dist-info/{file}" for file in ("METADATA", "RECORD", "variant.json")
    }


def test_variant_markers_become_plain_requirements_of_each_wheel(old: Path) -> None:
    convert(old)
    new = old.parent / "new"
    requires = {path.name: WholeWheel.read(path).metadata.requires_dist for path in new.glob("*.whl")}
    triton = 'triton==3.4.0; platform_system == "Linux"'
    assert requires[f"{NAME}-cuda12.8.whl"] == ("numpy", triton, "cublas==12")
    assert requires[f"{NAME}-cuda13.0.whl"] == ("numpy", triton)
    assert requires[f"{NAME}-null.whl"] == requires[f"{NAME}.whl"] == ("numpy",)


def test_what_cannot_be_kept_is_told(old: Path) -> None:
    stderr = convert(old).stderr
    assert "enable-if is left out" in stderr
    assert "nvidia-variant-provider>=0.0.2,<1.0.0 became nvidia-variant-provider" in stderr


def test_a_second_run_changes_nothing_and_the_result_converts_to_itself(old: Path) -> None:
    convert(old)
    new = old.parent / "new"
    first = {path.name: path.read_bytes() for path in new.iterdir()}
    assert convert(old).stdout.count("unchanged") == 4
    assert run("convert", str(new), "--in-place").code == 0
    assert {path.name: path.read_bytes() for path in new.iterdir()} == first


def test_in_place_and_after_a_cut_the_same_command_finishes(old: Path) -> None:
    convert(old)
    done = old.parent / "new" / f"{NAME}-cuda12.8.whl"
    (old / done.name).write_bytes(done.read_bytes())  # as if it had been killed behind the first wheel
    assert run("convert", str(old), "--in-place").code == 0
    for path in (old.parent / "new").iterdir():
        assert (old / path.name).read_bytes() == path.read_bytes(), path.name
    assert not (old / f"{NAME}-00000000.whl").exists()


def test_labels_can_be_renamed(old: Path) -> None:
    assert convert(old, "--label", "cuda12.8=cu128").code == 0
    wheel = WholeWheel.read(old.parent / "new" / f"{NAME}-cu128.whl")
    assert wheel.variant_json is not None
    assert wheel.variant_json.variants == {"cu128": Properties.from_table(VARIANTS["cuda12.8"])}
    assert "cublas==12" not in wheel.metadata.requires_dist  # the marker named the old label


def test_an_index_file_alone_and_a_wheel_that_only_the_index_file_explains(old: Path, tmp_path: Path) -> None:
    index = old / "foo-1.0-variants.json"
    assert run("convert", str(index), "-o", str(tmp_path / "one")).code == 0
    bare = make_wheel(tmp_path / "bare", f"{NAME}-cuda12.8.whl")
    alone = run("convert", str(bare), "-o", str(tmp_path / "two"))
    assert alone.code == 1
    assert "nothing says what it means" in alone.stderr
    assert run("convert", str(bare), str(index), "-o", str(tmp_path / "two")).code == 0
    assert WholeWheel.read(tmp_path / "two" / bare.name).variant_json is not None


def test_the_configuration_of_ones_own_providers_counts(old: Path, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('[providers.nvidia]\nrequires = ["my-provider"]\n')
    assert convert(old, "--config", str(tmp_path / "own.toml")).code == 0
    assert b"my-provider" in contents(tmp_path / "new" / f"{NAME}-null.whl")["foo-1.0.dist-info/variant.json"]


REPACK = """
[metadata_configs.torch]
normalize_version = true
deps_remove_list = ["nvidia-cublas-cu12"]
deps_add_list = ["triton==3; 'nvidia' in variant_namespaces", "cublas==12; variant_label == 'cuda12.8'"]
[metadata_configs.torchvision]
rename_package_to = "torchvision"
[variant_configs.cu128]
variant_label = "cuda12.8"
properties = [
  { namespace = "nvidia", feature = "cuda_version_lower_bound", value = "12.8" },
  { namespace = "priority", feature = "order", value = "1" },
]
[variant_configs."cu13.0"]
properties = [{ namespace = "nvidia", feature = "cuda_version_lower_bound", value = "13.0" }]
[variant_configs.cpu]
properties = []
"""
VARIANTLIB = """
[project]
name = "torch"
[variant.default-priorities]
namespace = ["nvidia", "priority"]
[variant.providers.nvidia]
requires = ["nvidia-variant-provider>=0.0.2,<1.0.0"]
plugin-api = "nvidia_variant_provider.plugin:NvidiaVariantPlugin"
enable-if = "platform_system == 'Linux'"
[variant.providers.priority]
install-time = false
requires = []
[variant.static-properties.priority]
order = ["1", "2"]
"""


@pytest.fixture
def configurations(tmp_path: Path) -> list[str]:
    (tmp_path / "torch_variant_config.toml").write_text(REPACK)
    (tmp_path / "pyproject.toml").write_text(VARIANTLIB)
    return [str(tmp_path / "pyproject.toml"), str(tmp_path / "torch_variant_config.toml")]


def test_a_configuration_of_variant_repack_becomes_ours_and_retags(configurations: list[str], tmp_path: Path) -> None:
    result = run("convert", *configurations, "--metadata-config", "torch", "-o", str(tmp_path / "new"))
    assert result.code == 0, result.stderr
    config = tmp_path / "new" / "variant-publish.toml"
    loaded = Config.load(config)
    assert loaded.namespaces == ("nvidia", "priority")
    assert tuple(loaded.providers["priority"].static_properties.items()) == (("order", ("1", "2")),)
    assert {name: variant.label for name, variant in loaded.variants.items()} == {
        "cu128": "cuda12.8", "cu13.0": "cu13.0", "cpu": "null"
    }  # fmt: skip
    wheel = make_wheel(tmp_path, "torch-2.8.0+cu128-py3-none-any.whl", requires=["nvidia-cublas-cu12==1", "numpy"])
    done = run("retag", str(wheel), "--variant", "cu128", "--config", str(config), "-o", str(tmp_path / "out"))
    assert done.code == 0, done.stderr
    new = WholeWheel.read(tmp_path / "out" / "torch-2.8.0-py3-none-any-cuda12.8.whl")
    assert new.metadata.version == "2.8.0"
    assert new.metadata.requires_dist == ("numpy", "triton==3", "cublas==12")


def test_what_the_configuration_cannot_say_is_told(configurations: list[str], tmp_path: Path) -> None:
    result = run("convert", *configurations, "--metadata-config", "torchvision", "-o", str(tmp_path / "new"))
    assert result.code == 0
    assert 'add rename = { name = "OLD", to = "torchvision" }' in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["{old}"], 2, "say where the results go"),
        (["{old}", "--in-place", "-o", "{new}"], 2, "say where the results go"),
        (["{old}/nope.whl", "-o", "{new}"], 2, "does not exist"),
        (["{old}", "--label", "cu128", "-o", "{new}"], 2, "is not OLD=NEW"),
        (["{old}", "--label", "cuda12.8=CU", "-o", "{new}"], 2, "label 'CU'"),
        (["{old}", "--label", "cuda12.8=cuda13.0", "-o", "{new}"], 1, "two variants would be labelled"),
        (["{folder}/notes.txt", "-o", "{new}"], 2, "none of the files that convert knows"),
        (["{folder}/foo-variants.json", "-o", "{new}"], 2, "is not named like an index file"),
        (["{folder}/bad.toml", "-o", "{new}"], 2, "bad.toml is not TOML"),
        (["{folder}/empty.toml", "-o", "{new}"], 2, "there is nothing to convert"),
        (["{folder}/empty.toml", "--in-place"], 2, "empty.toml"),
        (["{folder}/pyproject.toml", "--in-place"], 2, "not converted in place"),
        (["{folder}/torch_variant_config.toml", "-o", "{new}"], 2, "say which one"),
        (["{folder}/torch_variant_config.toml", "--metadata-config", "x", "-o", "{new}"], 2, "[metadata_configs.x]"),
        (
            ["{folder}/torch_variant_config.toml", "--metadata-config", "torch", "-o", "{new}"],
            1,
            "torch_variant_config.toml: namespace 'priority' has no provider",
        ),
        (["{folder}/odd.toml", "-o", "{new}"], 2, "lacks a key or has one of a wrong type"),
    ],
)
@pytest.mark.usefixtures("configurations")
def test_a_mistake_is_one_sentence_with_a_remedy(
    old: Path, tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    for name, text in {
        "notes.txt": "", "foo-variants.json": "{}", "bad.toml": "=", "empty.toml": "", "odd.toml": "variant_configs.x = 1"
    }.items():  # fmt: skip
        (tmp_path / name).write_text(text)
    before = {path.name: path.read_bytes() for path in old.iterdir()}
    result = run("convert", *(item.format(old=old, new=tmp_path / "new", folder=tmp_path) for item in arguments))
    assert result.code == code, result.stderr
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "new").exists()
    assert {path.name: path.read_bytes() for path in old.iterdir()} == before


def test_a_wheel_that_cannot_be_read_stops_all_before_anything_is_written(old: Path) -> None:
    (old / f"{NAME}-cuda12.8.whl").write_bytes(b"nonsense")
    result = convert(old)
    assert result.code == 1
    assert "not a ZIP archive" in result.stderr
    assert not (old.parent / "new").exists()


def test_a_configuration_without_anything_left_to_move_stays_and_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text("[tool.variant-publish.variants.cu128]\n", encoding="utf-8")
    assert run("convert", str(path), "--in-place").stdout.strip() == str(path)
    moved = path.read_text(encoding="utf-8")
    assert "variants.cu128.nvidia = {" in moved  # a word that says its property is said in the standard table, too
    again = run("convert", str(path), "--in-place")
    assert (again.code, again.stdout) == (0, "nothing to do: everything is in today's form already\n")
    assert path.read_text(encoding="utf-8") == moved
