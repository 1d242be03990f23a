"""The rows of an sdist say what `select` says, for whatever machine."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from packaging.tags import Tag
from packaging.version import Version

from support.stub import load_backend, table_of
from variant_publish.config.configuration import Config
from variant_publish.errors import UsageError
from variant_publish.formats.simple import IndexFile
from variant_publish.providers import nvidia
from variant_publish.providers.abi_dependency import releases_of
from variant_publish.providers.machine import Machine
from variant_publish.stub.source import from_config, names_of
from variant_publish.view import choose

CONFIG = """
[tool.variant-publish]
priority = [{priority}]
{variants}
"""
CUDA = """
[tool.variant-publish.variants.cu12]
properties = ["nvidia :: cuda_version_lower_bound :: 12.0", "nvidia :: cuda_version_upper_bound :: 13.0"]
[tool.variant-publish.variants.cu128]
properties = ["nvidia :: cuda_version_lower_bound :: 12.8"]
[tool.variant-publish.variants.cu130]
properties = ["nvidia :: cuda_version_lower_bound :: 13.0"]
"""
CPU = """
[tool.variant-publish.variants.v2]
properties = ["x86_64 :: level :: v2"]
[tool.variant-publish.variants.v4]
properties = ["x86_64 :: level :: v4"]
[tool.variant-publish.variants.arm]
properties = ["aarch64 :: version :: 8.2a"]
"""
DEVICES = """
[tool.variant-publish.variants.hopper]
properties = ["nvidia :: cuda_version_lower_bound :: 12.4", "nvidia :: sm_arch :: 90_real"]
[tool.variant-publish.variants.wide]
properties = ["nvidia :: cuda_version_lower_bound :: 12.4", "nvidia :: sm_arch :: 80_real",
              "nvidia :: sm_arch :: 90_virtual", "nvidia :: sm_arch :: 120_real"]
[tool.variant-publish.variants.both]
properties = ["nvidia :: cuda_version_lower_bound :: 12.4", "x86_64 :: level :: v3"]
"""
OWN = """
[tool.variant-publish.variants.mkl]
[tool.variant-publish.variants.openblas]
[tool.variant-publish.selectors.blas]
wheel_tags = { mkl = ["mkl", "openblas"], openblas = ["openblas"], accelerate = [""] }
default = ["openblas", ""]
"""
BUILDS = """
[tool.variant-publish.variants.torch2_8]
properties = ["abi_dependency :: torch :: 2.8"]
[tool.variant-publish.variants.torch2_9]
properties = ["abi_dependency :: torch :: 2.9"]
[tool.variant-publish.variants.both]
properties = ["abi_dependency :: torch :: 2.9", "nvidia :: cuda_version_lower_bound :: 12.8"]
[tool.variant-publish.variants.cu126]
properties = ["nvidia :: cuda_version_lower_bound :: 12.6"]
"""
PRIORITIES = (["nvidia", "x86_64", "aarch64"], ["x86_64", "aarch64", "nvidia"])

cases = [
    (variants, [name for name in priority if f'"{name} ::' in variants])
    for variants in (CUDA, CPU, DEVICES, CUDA + CPU, DEVICES + CPU)
    for priority in PRIORITIES
]


def config(variants: str, priority: list[str], more: str = "") -> Config:
    quoted = ", ".join(f'"{name}"' for name in priority)
    return Config.parse(CONFIG.format(priority=quoted, variants=variants) + more)


def machines() -> list[dict[str, str]]:
    cuda = ("none", "11.4", "11.20", "12.0", "12.3", "12.4", "12.8", "12.12", "13.0", "13.4", "14.9", "15.20", "16.3")
    levels = ("none", "x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4")
    arms = ("none", "8a", "8.1a", "8.2a", "9.0a")
    devices = ("none", "5.2", "8.0", "8.9", "9.0", "10.0", "12.0", "12.1", "35.0")
    every = list(itertools.product(cuda, levels, arms, devices))
    return [
        dict(zip(("cuda", "x86_64_version", "aarch64_version", "sm_arch"), values, strict=True))
        for values in random.Random(7).sample(every, 100)  # noqa: S311
    ]


def order_of_select(config: Config, values: dict[str, str]) -> list[str]:
    """Take the best wheel away again and again: that is the order."""
    source = from_config("foo", Version("1.0"), config)
    files = [IndexFile(str(name), f"https://example.org/{name}", "") for name in names_of(source, config)]
    known = {name: value for name, value in values.items() if name != "sm_arch" or value != "none"}
    machine = Machine(known, (Tag("py3", "none", "any"),), "3.12.0", abi=releases_of(values))
    found = []
    while files:
        chosen = choose(files, {source.version: source.files}, machine)
        if chosen.selected is None:
            break
        found.append(next(item.variant for item in chosen.candidates if item.chosen))
        files = [file for file in files if file.filename != chosen.selected]
    return found


def order_of_stub(backend: Any, data: dict[str, Any], values: dict[str, str]) -> list[str]:
    machine = backend.Machine(data, {name: value for name, value in values.items() if name in data["variables"]})
    found: list[str] = backend._variants(data, machine)
    return found


@pytest.mark.parametrize(("variants", "priority"), cases)
def test_the_order_of_the_rows_is_that_of_select(variants: str, priority: list[str]) -> None:
    declared, backend = config(variants, priority), load_backend()
    data = table_of(declared)
    for values in machines():
        assert order_of_stub(backend, data, values) == order_of_select(declared, values), values


@pytest.mark.parametrize("priority", [["nvidia", "abi_dependency"], ["abi_dependency", "nvidia"]])
def test_builds_for_a_dependency_are_in_the_order_of_select(priority: list[str]) -> None:
    declared, backend = config(BUILDS, priority), load_backend()
    data = table_of(declared)
    for torch, cuda in itertools.product(("2.7.1", "2.8", "2.9.1", "2.90", "none"), ("none", "12.6", "12.9", "13.0")):
        values = {"abi_torch": torch, "cuda": cuda}
        assert order_of_stub(backend, data, values) == order_of_select(declared, values), values


def test_a_selector_of_the_project_is_evaluated_and_its_default_too() -> None:
    declared, backend = config(OWN, []), load_backend()
    data = table_of(declared)
    assert data["variables"] == ["blas"]
    for value in ("mkl", "openblas", "accelerate", "blis"):
        assert order_of_stub(backend, data, {"blas": value}) == order_of_select(declared, {"blas": value})
    with pytest.raises(backend.NoWheel, match="blas is not known here"):
        order_of_stub(backend, data, {})


def test_a_value_that_the_table_does_not_know_has_no_row() -> None:
    backend = load_backend()
    data = table_of(config(OWN.replace('default = ["openblas", ""]', ""), []))
    with pytest.raises(backend.NoWheel, match="does not know blas = blis"):
        order_of_stub(backend, data, {"blas": "blis"})


def test_what_does_not_matter_is_not_asked_for() -> None:
    rows = table_of(config(CPU.partition("[tool.variant-publish.variants.arm]")[0], ["x86_64"]))["rows"]
    assert [list(row["when"]) for row in rows] == [["x86_64_version"]] * 4
    wide = table_of(config(DEVICES, ["nvidia", "x86_64"]))["rows"]
    assert {"variants": ["generic"], "when": {"cuda": {"in": ["none"]}}} in wide
    assert len(wide) <= 50


def test_a_driver_newer_than_anything_known_is_taken_for_the_newest_known_one() -> None:
    backend, declared = load_backend(), config(CUDA, ["nvidia"])
    assert order_of_stub(backend, table_of(declared), {"cuda": "99.1"})[0] == "cu130"
    assert nvidia.known_versions()[-1] == "15.20"


def test_without_variants_there_is_nothing_to_choose() -> None:
    with pytest.raises(UsageError, match="declares no variants"):
        from_config("foo", Version("1.0"), Config.parse(""))
