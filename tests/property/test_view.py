"""A plain installer that takes the best tag of a view takes the wheel that PEP 825 puts first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name
from packaging.version import Version

from support.plain_client import best_wheel, interpreter_tags, plain_pick
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.formats.simple import IndexFile
from variant_publish.formats.variants_json import ABI_DEPENDENCY, Provider, VariantsMetadata
from variant_publish.model.variant import Properties
from variant_publish.providers.machine import Machine
from variant_publish.release.selectors import SelectorFiles
from variant_publish.view import Selection, View, choose

LINUX = ("manylinux_2_34_x86_64", "manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "linux_x86_64")
MACHINES = {
    "new": LINUX,
    "old": LINUX[2:],
    "musl": ("musllinux_1_2_x86_64", "musllinux_1_1_x86_64", "linux_x86_64"),
    "mac": ("macosx_14_0_arm64", "macosx_14_0_universal2", "macosx_11_0_arm64", "macosx_11_0_universal2"),
    "windows": ("win_amd64",),
}
PYTHONS = ("cp310-cp310", "cp312-cp312", "cp313-cp313t", "cp38-abi3", "cp312-abi3", "cp312-none", "py3-none",
           "py311-none", "py2.py3-none")  # fmt: skip
PLATFORMS = (*LINUX, "manylinux_2_17_x86_64.manylinux2014_x86_64", "manylinux_2_28_x86_64.musllinux_1_2_x86_64",
             "musllinux_1_1_x86_64", "macosx_11_0_universal2", "macosx_14_0_arm64", "win_amd64")  # fmt: skip
PROVIDERS = {
    "blas": Provider(static=(("lib", ("mkl", "openblas")), ("threads", ("omp", "tbb")))),
    "abi": Provider(builtin=ABI_DEPENDENCY),
    "gpu": Provider(static=(("kind", ("new", "old")),)),
}
POOL = ("blas :: lib :: mkl", "blas :: lib :: openblas", "blas :: lib :: acc", "blas :: threads :: tbb",
        "blas :: threads :: omp", "gpu :: kind :: new", "gpu :: kind :: old", "gpu :: kind :: other")  # fmt: skip
TORCH = ("abi :: torch :: 2.8", "abi :: torch :: 2.9", "abi :: torch :: 2.10")
LIBRARY = ("abi :: my_lib :: 1", "abi :: my_lib :: 10.1")


@st.composite
def variants_of(draw: st.DrawFn) -> Properties:
    """Draw hardware, and what the variant was built against; every build against my_lib is one against torch."""
    hardware = draw(st.lists(st.sampled_from(POOL), max_size=4))
    torch = draw(st.one_of(st.just([]), st.lists(st.sampled_from(TORCH), max_size=2, unique=True)))
    library = draw(st.lists(st.sampled_from(LIBRARY), max_size=1)) if torch else []
    return Properties.parse([*hardware, *torch, *library] or [POOL[0]])


@st.composite
def releases(draw: st.DrawFn) -> tuple[list[IndexFile], VariantsMetadata]:
    variants = {f"v{number}": draw(variants_of()) for number in range(draw(st.integers(1, 4)))}
    if draw(st.booleans()):
        variants["null"] = Properties()
    namespaces = draw(st.permutations([*PROVIDERS]))
    files = {}
    for _ in range(draw(st.integers(1, 9))):
        label = draw(st.sampled_from(["", *(f"-{label}" for label in variants)]))
        build = draw(st.sampled_from(["", "", "1-", "10-"]))
        python = draw(st.sampled_from(PYTHONS))
        pure = python.startswith("py") and draw(st.booleans())
        platform = "any" if pure else draw(st.sampled_from(PLATFORMS))
        name = f"foo-1.0-{build}{python}-{platform}{label}.whl"
        requires = draw(st.sampled_from([None, None, None, ">=3.11", ">=3.13"]))
        yanked = draw(st.sampled_from([None, None, None, "broken"]))
        files[name] = IndexFile(name, name, "0" * 64, requires_python=requires, yanked=yanked)
    return [*files.values()], VariantsMetadata(tuple(namespaces), variants, PROVIDERS)


def machine(platform: str, minor: int, *, threaded: bool = False, **abi: str) -> Machine:
    return Machine({}, interpreter_tags(minor, MACHINES[platform], threaded=threaded), f"3.{minor}.1", abi=abi)


def supported(**abi: str) -> dict[str, dict[str, tuple[str, ...]]]:
    prefixes = {}
    for name, version in abi.items():
        parts = version.split(".")
        prefixes[name] = tuple(".".join(parts[:count]) for count in range(min(3, len(parts)), 0, -1))
    return {
        **{name: dict(provider.static) for name, provider in PROVIDERS.items() if provider.static},
        "abi": dict(sorted(prefixes.items())),
    }


@given(
    releases(), st.sampled_from([*MACHINES]), st.integers(9, 14), st.booleans(),
    st.sampled_from(["2.8.0", "2.9.1", "2.10.0", "3.0"]), st.sampled_from(["1.0", "10.1.5", "2.0"]),
)  # fmt: skip
def test_a_plain_installer_takes_the_variant_that_comes_first(
    release: tuple[list[IndexFile], VariantsMetadata], platform: str, minor: int, threaded: bool, torch: str, lib: str
) -> None:
    files, metadata = release
    threaded = threaded and minor >= 13
    here = machine(platform, minor, threaded=threaded, torch=torch, my_lib=lib)
    view = View.of(files, {Version("1.0"): SelectorFiles.of(metadata)}, here)
    picked = plain_pick(view.files, here.tags, here.python_version, {"torch": torch, "my-lib": lib})
    expected = best_wheel(files, metadata, supported(torch=torch, my_lib=lib), here.tags, here.python_version)
    names = [file.filename for file in view.files]
    assert len({*names}) == len(names)
    if not expected:
        assert picked is None
        return
    assert picked is not None
    assert picked.name is not None
    assert picked.name.label == WheelName.parse(expected[0]).label, (expected, picked.filename, names)
    found: Selection = choose(files, {Version("1.0"): SelectorFiles.of(metadata)}, here)
    if picked.source.yanked is None:
        assert found.selected == picked.source.filename


@given(releases())
def test_hardware_never_leaks_into_versions(release: tuple[list[IndexFile], VariantsMetadata]) -> None:
    files, metadata = release
    here = machine("new", 12)
    view = View.of(files, {Version("1.0"): SelectorFiles.of(metadata)}, here)
    for file in view.files:
        local = file.version.local or ""
        assert not any(word in local for word in ("mkl", "blas", "tbb", "omp", "new", "old", "v0", "v1", "v2", "v3"))
        assert bool(local) == bool(file.requires) == file.is_rewritten
        assert {canonicalize_name(text.partition("=")[0]) for text in file.requires} <= {"torch", "my-lib"}
        assert file.source in files
