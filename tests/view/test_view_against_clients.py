"""A thousand made-up releases: `select`, a plain installer on the view and the real uv with its preview agree."""

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from support.plain_client import plain_pick
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
from variant_publish.remote.listing import read_project
from variant_publish.view import Indexes, View, select
from variant_publish.view.from_index import SelectorReader

pytestmark = pytest.mark.slow

PROVIDERS = {
    "nvidia": KNOWN_PROVIDERS["nvidia"],
    "x86_64": KNOWN_PROVIDERS["x86_64"],
    "blas": Provider.ranked({"lib": ("mkl", "openblas"), "threads": ("omp", "tbb", "none")}),
    "extra": Provider(static_properties={"kind": ("a", "b")}, optional=True),
}
LOWER, UPPER = "nvidia :: cuda_version_lower_bound", "nvidia :: cuda_version_upper_bound"
POOL = (
    *(f"{LOWER} :: {value}" for value in ("11", "11.8", "12", "12.4", "12.8", "13.0", "15.3")),
    *(f"{UPPER} :: {value}" for value in ("11", "12.8", "12.9", "13", "15.20")),
    *(f"nvidia :: sm_arch :: {value}" for value in ("80_real", "90_real", "90_virtual", "100_real")),
    *(f"x86_64 :: level :: {value}" for value in ("v1", "v2", "v3", "v4")),
    *(f"blas :: lib :: {value}" for value in ("mkl", "openblas", "acc")),
    *(f"blas :: threads :: {value}" for value in ("omp", "tbb", "none")),
    "extra :: kind :: a",
)
MACHINES: tuple[dict[str, str], ...] = ({}, {FORCE_DRIVER: "12.8", FORCE_SM_ARCH: "9.0"}, {FORCE_DRIVER: "13.1", FORCE_SM_ARCH: "8.0"},
            {FORCE_DRIVER: "11.8"}, {FORCE_DRIVER: "12"})  # fmt: skip
HERE = f"cp3{sys.version_info[1]}"
TAGS = ("py3-none-any", "py2.py3-none-any", f"{HERE}-{HERE}-manylinux_2_17_x86_64", "cp38-abi3-manylinux_2_17_x86_64",
        "cp38-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64", f"{HERE}-none-any", "cp27-cp27m-win32")  # fmt: skip
PYTHONS = (*[None] * 8, ">=3.8", ">=3.9", ">=3.99", "<3.9", f"!=3.{sys.version_info[1]}.*")
VERSIONS = ("1.0", "1.1", "2.0a1", "2.0", "2.0.post1")


def has_upper_bound(files: Sequence[IndexFile]) -> bool:
    """Uv ignores upper bounds and != of Requires-Python."""
    return any(
        item.operator in ("<", "<=", "!=", "~=", "==")
        for file in files
        for item in SpecifierSet(file.requires_python or "")
    )


def has_mixed_pythons(files: Sequence[IndexFile]) -> bool:
    """Uv takes the Requires-Python of one wheel for the whole version."""
    found: dict[str, set[str | None]] = {}
    for file in files:
        found.setdefault(file.filename.split("-")[1], set()).add(file.requires_python)
    return any(len(pythons) > 1 for pythons in found.values())


def has_a_pre_release_beside_a_yanked_one(files: Sequence[IndexFile]) -> bool:
    """For uv a pre-release will do where every usable final release is yanked; pip takes nothing."""
    pre = any("a1-" in file.filename for file in files)
    return pre and any(file.yanked is not None and "a1-" not in file.filename for file in files)


DEVIATIONS = (has_upper_bound, has_mixed_pythons, has_a_pre_release_beside_a_yanked_one)
"""What is known of uv, and the releases on which it shows."""

COUNT, BATCH = 1000, 100


def write(index: Path, name: str, seed: int) -> list[IndexFile]:
    """Write a project's wheels, selector files and page."""
    dice = random.Random(seed)  # noqa: S311
    folder = index / name
    entries: dict[str, IndexFile] = {}
    for version in dice.sample(VERSIONS, dice.randint(1, 3)):
        variants = {f"{dice.choice('abc')}{number}": dice.sample(POOL, dice.randint(1, 4)) for number in range(dice.randint(1, 3))}  # fmt: skip
        if dice.random() < 0.3:
            variants["null"] = []
        spaces = tuple(dice.sample([*PROVIDERS], 4))
        parsed = {label: Properties.parse(lines) for label, lines in variants.items()}
        metadata = VariantsMetadata(spaces, parsed, {space: PROVIDERS[space] for space in spaces})
        requires = dice.choice(PYTHONS)
        labels = [*variants, *([""] if dice.random() < 0.7 else [])]
        for label in [*labels, *dice.choices(labels, k=2)]:
            build = dice.choice(("", "", "1-", "2a-"))
            wheel = f"{name}-{version}-{build}{dice.choice(TAGS)}{f'-{label}' if label else ''}.whl"
            if wheel in entries:
                continue
            make_wheel(folder, wheel, variant=metadata.only(label) if label else None,
                       files={f"{name}.py": f"WHEEL = {wheel!r}\n".encode()})  # fmt: skip
            yanked = "broken" if dice.random() < 0.1 else None
            own = requires if dice.random() < 0.95 else dice.choice(PYTHONS)
            entries[wheel] = IndexFile(wheel, wheel, "", requires_python=own, yanked=yanked)
        selector = f"{name}-{version}-variants.json"
        (folder / selector).write_text(metadata.dumps(), encoding="utf-8")
        entries[selector] = IndexFile(selector, selector, "")
    page = ProjectIndex(name, tuple(entries.values()))
    (folder / "index.json").write_text(page.dumps(), encoding="utf-8")
    (folder / "index.html").write_text(html(page.files), encoding="utf-8")
    return list(entries.values())


def html(files: Sequence[IndexFile]) -> str:
    def link(file: IndexFile) -> str:
        python = f' data-requires-python="{file.requires_python}"'.replace("<", "&lt;").replace(">", "&gt;")
        more = (python if file.requires_python else "") + (' data-yanked="broken"' if file.yanked is not None else "")
        return f'<a href="{file.url}"{more}>{file.filename}</a>\n'.replace('python="&lt;', 'python="&lt;')

    return f"<!DOCTYPE html><html><body>\n{''.join(map(link, files))}</body></html>\n"


def ours(index: Path, name: str, machine: Machine) -> str | None:
    """Return what `select` names, and hold a plain installer on the view against it."""
    found = select(name, Indexes((str(index),)), machine)
    files = read_project(str(index), name)
    view = View.of(files, SelectorReader().linked(name, files), machine)
    final = [file for file in view.files if not file.version.is_prerelease]
    has_final = plain_pick(final, machine.tags, machine.python_version) is not None
    fresh = [file for file in (final if has_final else view.files) if file.source.yanked is None]
    picked = plain_pick(fresh, machine.tags, machine.python_version)
    assert (picked and picked.source.filename) == found.selected, name
    return found.selected


def theirs(index: Path, names: list[str], target: Path, env: dict[str, str]) -> dict[str, str | None]:
    """Return what the real uv installs of each project; what it refuses is None."""
    found: dict[str, str | None] = {}
    left = list(names)
    while left:
        done = uv("pip", "install", "--target", target, "--python", sys.executable, *PREVIEW, "--default-index",
                  index.as_uri(), *left, env=env, cache=target.parent / "uv-cache")  # fmt: skip
        if done.returncode == 0:
            break
        said = set(re.findall(r"\bq[0-9]+\b", done.stderr)) & {*left}  # the culprit, and perhaps others
        assert said, done.stderr
        if len(names) == 1:
            return {names[0]: None}
        for name in said:
            found.update(theirs(index, [name], target.parent / f"target-{name}", env))
        left = [name for name in left if name not in said]
    for name in left:
        found[name] = (target / f"{name}.py").read_text(encoding="utf-8").split("'")[1]
    return found


@pytest.mark.parametrize("batch", range(COUNT // BATCH))
def test_three_answers_agree(tmp_path: Path, batch: int) -> None:
    index, env = tmp_path / "index", MACHINES[batch % len(MACHINES)]
    machine = Machine.detect(env)
    names = [f"q{number}" for number in range(batch * BATCH, (batch + 1) * BATCH)]
    listed = {name: write(index, name, int(name[1:])) for name in names}
    mine = {name: ours(index, name, machine) for name in names}
    other = theirs(index, names, tmp_path / "target", env)
    unknown = {}
    for name in names:
        one, two = mine[name], other[name]
        if one == two or (one and two and _same_variant(one, two)):
            continue
        wheels = [file for file in listed[name] if file.filename.endswith(".whl")]
        if not any(shows(wheels) for shows in DEVIATIONS):
            unknown[name] = (one, two, json.loads((index / name / "index.json").read_text(encoding="utf-8"))["files"])
    assert unknown == {}
    assert Indexes.parse([str(index)]).urls == (str(index),)


def _same_variant(one: str, two: str) -> bool:
    """Return whether two wheels are the same variant of the same version: tags and builds are the installer's taste."""
    first, second = WheelName.parse(one), WheelName.parse(two)
    return (first.variant, first.parsed_version) == (second.variant, second.parsed_version)
