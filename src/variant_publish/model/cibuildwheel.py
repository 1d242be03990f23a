"""The cells that a project's `[tool.cibuildwheel]` table asks for, as far as it names them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from itertools import product
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from variant_publish.model.matrix import natural_key

_IMAGE = re.compile(r"(manylinux|musllinux)-(\w+)-image")
_IMAGE_VALUE = re.compile(r"(manylinux|musllinux)(20[0-9]{2}|_[0-9]+_[0-9]+)")
_SELECTOR = re.compile(r"cp3([0-9]+)(t?)-(.*)")
_CLASSIFIER = re.compile(r"Programming Language :: Python :: 3\.([0-9]+)")
_BRACES = re.compile(r"(.*?)\{([^{}]*)\}(.*)")

_LINUX = ("x86_64", "i686", "aarch64", "ppc64le", "s390x", "armv7l", "riscv64")
_WINDOWS = {"AMD64": "win_amd64", "x86": "win32", "ARM64": "win_arm64"}
_MACOS = {"x86_64": "10_13", "arm64": "11_0", "universal2": "10_13"}
"""The oldest macOS that cibuildwheel builds for, unless MACOSX_DEPLOYMENT_TARGET says another one."""
_GLIBC = "manylinux_2_28"
"""The image that cibuildwheel takes where none is named."""


def cibuildwheel_matrix(pyproject: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the pythons and platforms that a pyproject.toml names outright; patterns and "auto" name none.

    Pythons come from `build` less `skip`, else from the classifiers that `requires-python` allows; platforms from
    images, `archs` and selectors.
    """
    table = pyproject.get("tool", {}).get("cibuildwheel")
    if not isinstance(table, Mapping):
        return (), ()
    build = [part for text in _words(table.get("build", "")) for part in _expanded(text)]
    skip = [part for text in _words(table.get("skip", "")) for part in _expanded(text)]
    selectors = [match for text in build if (match := _SELECTOR.fullmatch(text))]
    minors = [f"3{match[1]}{match[2]}" for match in selectors] or list(_classified(pyproject.get("project", {})))
    minors = [minor for minor in minors if not any(fnmatchcase(f"cp{minor}-*", pattern) for pattern in skip)]
    pythons = {f"cp{minor.removesuffix('t')}-cp{minor}" for minor in minors}
    platforms = {*_linux(table), *_others(table), *_selected(table, (match[3] for match in selectors))}
    return tuple(sorted(pythons, key=natural_key)), tuple(sorted(platforms, key=natural_key))


def _linux(table: Mapping[str, Any]) -> Iterator[str]:
    """Return the platforms of images that are named, and of architectures that are."""
    named = set()
    for key, image in {**table, **_part(table, "linux")}.items():
        if (match := _IMAGE.fullmatch(str(key))) and (value := _IMAGE_VALUE.fullmatch(str(image))):
            named.add((match[1], match[2]))
            yield f"{value[0]}_{match[2]}"
    for arch in _archs(table, "linux"):
        if arch in _LINUX and ("manylinux", arch) not in named:
            yield f"{_GLIBC}_{arch}"


def _others(table: Mapping[str, Any]) -> Iterator[str]:
    target = _part(table, "macos").get("environment", table.get("environment", {}))
    oldest = target.get("MACOSX_DEPLOYMENT_TARGET") if isinstance(target, Mapping) else None
    for arch in _archs(table, "macos"):
        if arch in _MACOS:
            version = str(oldest).replace(".", "_") if oldest else _MACOS[arch]
            yield f"macosx_{version if '_' in version else f'{version}_0'}_{arch}"
    for arch in _archs(table, "windows"):
        if arch in _WINDOWS:
            yield _WINDOWS[arch]


def _selected(table: Mapping[str, Any], platforms: Iterable[str]) -> Iterator[str]:
    """Return the platforms that selectors name in full, like cp312-manylinux_x86_64."""
    named = [platform for platform in _linux(table) if platform.startswith("manylinux")]
    for platform in platforms:
        kind, _, arch = platform.partition("_")
        if kind == "manylinux" and arch in _LINUX and not any(one.endswith(f"_{arch}") for one in named):
            yield f"{_GLIBC}_{arch}"
        elif kind == "macosx" and arch in _MACOS and arch not in _archs(table, "macos"):
            yield f"macosx_{_MACOS[arch]}_{arch}"
        elif platform in _WINDOWS.values():
            yield platform


def _classified(project: Mapping[str, Any]) -> Iterator[str]:
    try:
        allowed = SpecifierSet(str(project.get("requires-python", "")))
    except InvalidSpecifier:
        allowed = SpecifierSet()
    for text in project.get("classifiers", ()):
        if (match := _CLASSIFIER.fullmatch(str(text))) and f"3.{match[1]}" in allowed:
            yield f"3{match[1]}"


def _archs(table: Mapping[str, Any], system: str) -> tuple[str, ...]:
    return tuple(_words(_part(table, system).get("archs", table.get("archs", ""))))


def _part(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = table.get(key, {})
    return found if isinstance(found, Mapping) else {}


def _words(value: Any) -> list[str]:
    """Return the words of an option, which cibuildwheel takes as a list or as one string; braces stay whole."""
    return re.split(r"[\s,]+(?![^{]*\})", value.strip()) if isinstance(value, str) else [str(item) for item in value]


def _expanded(selector: str) -> Iterator[str]:
    """Return what a selector with braces stands for: cp3{11,12}-* is two."""
    match = _BRACES.fullmatch(selector)
    if match is None:
        yield selector
        return
    for middle, rest in product(match[2].split(","), _expanded(match[3])):
        yield f"{match[1]}{middle}{rest}"
