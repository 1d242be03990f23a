"""The same release, the same machine: what the real uv installs is what we say it installs."""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from support.uv import PREVIEW, uv
from support.wheels import make_wheel
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.formats.master import ProjectIndex
from variant_publish.formats.simple import IndexFile
from variant_publish.formats.variants_json import Provider, VariantsMetadata
from variant_publish.model.variant import Properties
from variant_publish.providers.catalog import KNOWN_PROVIDERS
from variant_publish.providers.machine import Machine
from variant_publish.providers.nvidia import FORCE_DRIVER, FORCE_SM_ARCH
from variant_publish.view import select

pytestmark = pytest.mark.slow

BLAS = Provider(static=(("lib", ("mkl", "openblas")), ("threads", ("omp", "tbb", "none"))))
PROVIDERS = {"nvidia": KNOWN_PROVIDERS["nvidia"], "x86_64": KNOWN_PROVIDERS["x86_64"], "blas": BLAS}
LOWER, UPPER = "nvidia :: cuda_version_lower_bound", "nvidia :: cuda_version_upper_bound"
POOL = (
    *(f"{LOWER} :: {value}" for value in ("11", "11.8", "12", "12.0", "12.4", "12.8", "13.0", "10.2", "15.3")),
    *(f"{UPPER} :: {value}" for value in ("11", "12", "12.8", "12.9", "13", "14", "15.20")),
    *(
        f"nvidia :: sm_arch :: {value}"
        for value in ("50_real", "80_real", "86_real", "90_real", "90_virtual", "100_real")
    ),
    *(f"x86_64 :: level :: {value}" for value in ("v1", "v2", "v3", "v4")),
    *(f"blas :: lib :: {value}" for value in ("mkl", "openblas", "acc")),
    *(f"blas :: threads :: {value}" for value in ("omp", "tbb", "none")),
)
DRIVERS = (None, "11.0", "11.8", "12", "12.4", "12.8", "13.1", "15.20", "10.2", "16.0")
CAPABILITIES = (None, "4.9", "5.0", "8.0", "8.6", "9.0", "12.0")


def release(seed: int) -> tuple[dict[str, list[str]], list[str], dict[str, str], bool]:
    """Make up variants, priorities, a machine, and whether there is a plain wheel."""
    dice = random.Random(seed)  # noqa: S311
    variants = {
        f"{dice.choice('abcdef')}{number}": dice.sample(POOL, dice.randint(1, 4))
        for number in range(dice.randint(2, 4))
    }
    if dice.random() < 0.3:
        variants["null"] = []
    forced = {FORCE_DRIVER: dice.choice(DRIVERS), FORCE_SM_ARCH: dice.choice(CAPABILITIES)}
    machine = {name: value for name, value in forced.items() if value is not None}
    return variants, dice.sample(list(PROVIDERS), 3), machine, dice.random() < 0.7


def write(folder: Path, variants: Mapping[str, Sequence[str]], namespaces: Sequence[str], *, plain: bool) -> None:
    metadata = VariantsMetadata(
        tuple(namespaces),
        {label: Properties.parse(lines) for label, lines in variants.items()},
        {namespace: PROVIDERS[namespace] for namespace in namespaces},
    )
    for label in variants:
        make_wheel(folder, f"foo-1.0-py3-none-any-{label}.whl", variant=metadata.only(label))
    if plain:
        make_wheel(folder, "foo-1.0-py3-none-any.whl")
    (folder / "foo-1.0-variants.json").write_text(metadata.dumps(), "utf-8")


def installed(target: Path, *index: str | Path, env: Mapping[str, str], cache: Path) -> str | None:
    """Give the variant of what uv installs, which every wheel of `make_wheel` tells; None where it finds nothing."""
    done = uv(
        "pip", "install", "--target", target, "--python", sys.executable, *PREVIEW, *index, "foo", env=env, cache=cache
    )  # fmt: skip
    if done.returncode:
        assert "no wheels" in done.stderr or "unsupported wheel variants" in done.stderr, done.stderr
        return None
    return (target / "foo.py").read_text("utf-8").split("'")[1]


def ours(index: Path, env: Mapping[str, str]) -> str | None:
    selected = select("foo", [str(index)], Machine.detect(env)).selected
    return None if selected is None else WheelName.parse(selected).variant


@pytest.mark.parametrize("seed", range(24))
def test_uv_chooses_the_same_wheel_of_a_folder(tmp_path: Path, seed: int) -> None:
    variants, namespaces, env, plain = release(seed)
    write(tmp_path / "wheels", variants, namespaces, plain=plain)
    links = ("--no-index", "--find-links", tmp_path / "wheels")
    theirs = installed(tmp_path / "target", *links, env=env, cache=tmp_path / "cache")
    assert theirs == ours(tmp_path / "wheels", env), (variants, namespaces, env)


def test_uv_chooses_the_same_wheel_of_an_index(tmp_path: Path) -> None:
    folder = tmp_path / "index" / "foo"
    variants = {"cu126": [f"{LOWER} :: 12.6"], "cu128": [f"{LOWER} :: 12.8"], "v3": ["x86_64 :: level :: v3"]}
    write(folder, variants, ["nvidia", "x86_64"], plain=True)
    names = sorted(path.name for path in folder.iterdir())
    links = "".join(f'<a href="{name}">{name}</a>\n' for name in names)
    (folder / "index.html").write_text(f"<!DOCTYPE html><html><body>\n{links}</body></html>\n", "utf-8")
    master = ProjectIndex("foo", tuple(IndexFile(name, name, "") for name in names))
    (folder / "index.json").write_text(master.dumps(), "utf-8")
    index = ("--default-index", folder.parent.as_uri())
    for driver, variant in (("12.6", "cu126"), ("12.9", "cu128"), ("11.8", "v3")):
        env = {FORCE_DRIVER: driver}
        theirs = installed(tmp_path / driver, *index, env=env, cache=tmp_path / "cache")
        assert theirs == ours(folder.parent, env)
        if driver != "11.8":  # the CPU is the one of this machine
            assert theirs == variant
