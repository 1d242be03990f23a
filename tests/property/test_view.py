"""A plain installer that takes the best tag of a view takes the wheel that PEP 825 puts first."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace
from packaging.utils import canonicalize_name
from packaging.version import Version

from support.plain_client import best_wheel, interpreter_tags, plain_pick
from variant_publish.config.configuration import Config
from variant_publish.config.tables import Tables, VariantTable
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.formats.simple import IndexFile
from variant_publish.formats.variants_json import ABI_DEPENDENCY, Provider, VariantsMetadata
from variant_publish.model.variant import Properties, Property
from variant_publish.providers.machine import Machine
from variant_publish.publish.static_view import by_view, links_of
from variant_publish.release.release import Release
from variant_publish.release.selectors import SelectorFiles
from variant_publish.view import Selection, View, ViewFile, choose

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
    "blas": Provider.ranked({"lib": ("mkl", "openblas"), "threads": ("omp", "tbb")}),
    "abi": Provider(builtin=ABI_DEPENDENCY),
    "gpu": Provider(static_properties={"kind": ("new", "old")}),
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
        **{
            name: dict(provider.static_properties) for name, provider in PROVIDERS.items() if provider.static_properties
        },
        "abi": dict(sorted(prefixes.items())),
    }


everywhere = given(
    releases(), st.sampled_from([*MACHINES]), st.integers(9, 14), st.booleans(),
    st.sampled_from(["2.8.0", "2.9.1", "2.10.0", "3.0"]), st.sampled_from(["1.0", "10.1.5", "2.0"]),
)  # fmt: skip


@everywhere
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


def in_standard_terms(metadata: VariantsMetadata) -> VariantsMetadata:
    """Return the variants with the namespace of builds as the standard calls it, and without the null variant."""

    def named(name: str) -> str:
        return ABI_DEPENDENCY if name == "abi" else name

    return VariantsMetadata(
        tuple(map(named, metadata.namespaces)),
        {label: Properties(tuple(replace(item, namespace=named(item.namespace)) for item in properties.items))
         for label, properties in metadata.variants.items() if properties},
        {named(name): provider for name, provider in metadata.providers.items()},
    )  # fmt: skip


def only(metadata: VariantsMetadata, hardware: set[Property]) -> SelectorFiles:
    """Return the selector files as a machine reads them that has this hardware and no other."""
    providers = {ABI_DEPENDENCY: Provider(builtin=ABI_DEPENDENCY)}
    for name in {*metadata.namespaces} - {ABI_DEPENDENCY}:
        own = Properties(tuple(item for item in hardware if item.namespace == name)).grouped.get(name, {})
        values = {feature: tuple(found) for feature, found in own.items()}
        providers[name] = Provider.ranked(values or {"nothing": ("here",)})
    return SelectorFiles.of(VariantsMetadata(metadata.namespaces, metadata.variants, providers))


@everywhere
def test_a_static_view_is_what_a_machine_of_its_hardware_sees(
    release: tuple[list[IndexFile], VariantsMetadata], platform: str, minor: int, threaded: bool, torch: str, lib: str
) -> None:
    metadata = in_standard_terms(release[1])
    assume(len({*metadata.variants.values()}) == len(metadata.variants))
    files = [replace(file, yanked=None) for file in release[0] if "-null.whl" not in file.filename]
    named = {file.filename: (WheelName.parse(file.filename), file) for file in files}
    asks = {label: {item for item in one.items if item.namespace != ABI_DEPENDENCY}
            for label, one in metadata.variants.items()}  # fmt: skip
    variants = {label: VariantTable(properties=tuple(map(str, one.items))) for label, one in metadata.variants.items()}
    providers = {name: Provider(requires=("x",), plugin_api="x:x") for name in ("blas", "gpu")}
    config = Config(Tables(variants=variants, providers=providers), declared=True)
    empty = Release(canonicalize_name("foo"), Version("1.0"), (), config)
    threaded = threaded and minor >= 13
    here = machine(platform, minor, threaded=threaded, torch=torch, my_lib=lib)
    abi = {"torch": torch, "my-lib": lib}
    static = by_view(empty, named.values())
    assert len(static) == len({frozenset(asks[name.label]) for name, _ in named.values() if name.dialect is not None})
    for view, written in static.items():
        hardware = asks[WheelName.parse(next(iter(written.values()))[0].filename).label]
        plain = [file for name, file in named.values() if name.dialect is None]
        own = [file for name, file in named.values() if name.dialect is not None and asks[name.label] == hardware]
        seen = View.of([*own, *plain], {Version("1.0"): only(metadata, hardware)}, here)
        page = [as_listed(filename, *wheel) for filename, wheel in written.items()]
        there = [replace(file.source, filename=file.filename) for file in page]
        links = {*links_of(plain, Version("1.0"), view, there, None)}
        page += [as_listed(file.filename, file, ()) for file in plain if file.filename in links]
        expected = plain_pick(seen.files, here.tags, here.python_version, abi)
        picked = plain_pick(page, here.tags, here.python_version, abi)
        assert variant_of(picked) == variant_of(expected), (view, [file.filename for file in page])


def variant_of(file: ViewFile | None) -> str | None:
    """Return the label of a build; of two wheels of one build either will do."""
    return None if file is None else WheelName.parse(file.source.filename).label


def as_listed(filename: str, source: IndexFile, requires: tuple[str, ...]) -> ViewFile:
    built = tuple((text.partition("==")[0], text.partition("==")[2].removesuffix(".*")) for text in requires)
    name = WheelName.parse(filename)
    return ViewFile(filename, source, name.parsed_version, name, built)
