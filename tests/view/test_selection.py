from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from packaging.tags import compatible_tags, cpython_tags
from packaging.version import Version

from support.wheels import make_wheel
from variant_publish.dialects.base import Dialect
from variant_publish.dialects.pep825 import PEP825
from variant_publish.dialects.plus import PLUS
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.master import ProjectIndex
from variant_publish.formats.selector_toml import Selector, SelectorFile
from variant_publish.formats.simple import IndexFile
from variant_publish.formats.variants_json import Provider, VariantsMetadata
from variant_publish.model.variant import Properties
from variant_publish.providers.catalog import KNOWN_PROVIDERS
from variant_publish.providers.machine import Machine
from variant_publish.release.selectors import SelectorFiles
from variant_publish.view import Indexes, Selection, Wish, choose, select

PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "linux_x86_64")
TAGS = (*cpython_tags((3, 12), ["cp312"], PLATFORMS), *compatible_tags((3, 12), "cp312", PLATFORMS))
CUDA = {
    "cu126": {"nvidia": {"cuda_version_lower_bound": ["12.6"]}},
    "cu128": {"nvidia": {"cuda_version_lower_bound": ["12.8"], "sm_arch": ["90_real"]}},
}
TABLE = {
    "none": ("",), "12.6": ("cu126", ""), "12.8": ("cu128", "cu126", ""),
}  # fmt: skip
LEVELS = {"x86-64": ("",), "x86-64-v2": ("",), "x86-64-v3": ("v3", "")}


def machine(**values: str) -> Machine:
    found = {"x86_64_version": "x86-64-v3", "aarch64_version": "none", "cuda": "none", **values}
    return Machine(found, TAGS, "3.12.1")


def wheel(variant: str = "", version: str = "1.0", tag: str = "py3-none-any", **fields: str) -> IndexFile:
    name = f"foo-{version}-{tag}{variant}.whl"
    return IndexFile(name, f"https://example.org/{name}", "", **fields)  # type: ignore[arg-type]


def labels(
    variants: Mapping[str, Mapping[str, Mapping[str, list[str]]]], providers: Mapping[str, Provider] | None = None
) -> SelectorFiles:
    parsed = {label: Properties.from_table(table) for label, table in variants.items()}
    namespaces = tuple(sorted({name for properties in parsed.values() for name in properties.namespaces}))
    return SelectorFiles.of(
        VariantsMetadata(
            namespaces,
            parsed,
            providers if providers is not None else {name: KNOWN_PROVIDERS[name] for name in namespaces},
        )
    )


def tags(**tables: Mapping[str, tuple[str, ...]]) -> SelectorFiles:
    return SelectorFiles.of(SelectorFile({name: Selector(table) for name, table in tables.items()}))


def of(
    files: list[IndexFile],
    metadata: SelectorFiles | None = None,
    here: Machine | None = None,
    *,
    version: str | None = None,
    dialect: Dialect | None = None,
) -> Selection:
    return choose(
        files,
        {} if metadata is None else {Version("1.0"): metadata},
        here or machine(),
        version=None if version is None else SpecifierSet(version),
        dialect=dialect,
    )


def variants(selection: Selection) -> list[str]:
    return [candidate.variant for candidate in selection.candidates]


def reason(selection: Selection, filename: str) -> str:
    found = next(item for item in selection.candidates if item.filename == filename)
    assert not found.chosen
    return found.reason or ""


def test_labels_are_chosen_in_the_order_of_the_machine() -> None:
    files = [wheel(), wheel("-null"), wheel("-cu126"), wheel("-cu128")]
    found = of(files, labels({**CUDA, "null": {}}), machine(cuda="12.8", sm_arch="9.0"))
    assert found.selected == "foo-1.0-py3-none-any-cu128.whl"
    assert variants(found) == ["cu128", "cu126", "null", "generic"]
    assert [item.chosen for item in found.candidates] == [True, False, False, False]
    assert reason(found, "foo-1.0-py3-none-any.whl") == "a better variant fits: cu128"
    assert (found.version, found.dialect) == (Version("1.0"), PEP825)


def test_null_is_chosen_before_the_plain_wheel() -> None:
    found = of([wheel(), wheel("-null"), wheel("-cu126")], labels({**CUDA, "null": {}}))
    assert found.selected == "foo-1.0-py3-none-any-null.whl"


@pytest.mark.parametrize(
    ("here", "why"),
    [
        (machine(), "it needs an NVIDIA driver for CUDA 12.8 or newer; this machine has no NVIDIA driver"),
        (machine(cuda="12.4"), "it needs an NVIDIA driver for CUDA 12.8 or newer; this machine has CUDA 12.4"),
        (
            machine(cuda="12.8"),
            "it needs an NVIDIA GPU of architecture 90_real; this machine has no known compute capability",
        ),
        (
            machine(cuda="12.8", sm_arch="8.6"),
            "it needs an NVIDIA GPU of architecture 90_real; this machine has compute capability 8.6",
        ),
    ],
)
def test_a_label_that_the_machine_cannot_use_says_what_it_needs(here: Machine, why: str) -> None:
    found = of([wheel(), wheel("-cu128")], labels(CUDA), here)
    assert found.selected == "foo-1.0-py3-none-any.whl"
    assert reason(found, "foo-1.0-py3-none-any-cu128.whl") == why


def test_a_cpu_that_is_too_old_or_another_says_so() -> None:
    metadata = labels({"v4": {"x86_64": {"level": ["v4"]}}, "arm": {"aarch64": {"version": ["8.2a", "8a"]}}})
    found = of([wheel("-v4"), wheel("-arm")], metadata)
    assert (
        reason(found, "foo-1.0-py3-none-any-v4.whl") == "it needs a CPU of level x86-64-v4; this machine has x86-64-v3"
    )
    assert reason(found, "foo-1.0-py3-none-any-arm.whl") == (
        "it needs a CPU of ARMv8.2a or a CPU of ARMv8a; this machine has no aarch64 CPU"
    )


BLAS = {
    "mkl": {"blas": {"lib": ["mkl"]}},
    "openblas": {"blas": {"lib": ["openblas"]}},
    "acc": {"blas": {"lib": ["acc"]}},
}


def test_static_properties_come_from_the_file() -> None:
    provider = Provider(static_properties={"lib": ("openblas", "mkl")})
    found = of([wheel("-mkl"), wheel("-openblas"), wheel("-acc")], labels(BLAS, {"blas": provider}))
    assert variants(found) == ["openblas", "mkl", "acc"]
    assert found.candidates[-1].reason == "it needs blas :: lib :: acc; the provider of blas has no such value"


@pytest.mark.parametrize(
    ("provider", "why"),
    [
        (Provider(static_properties={"lib": ("mkl",)}, optional=True), "provider blas is optional, so it is off"),
        (Provider(requires=("blas-provider",)), "provider blas-provider of blas is one that installers do not have"),
        (Provider(requires=("x86-64-variant-provider",)), "is one that installers do not have"),
    ],
)
def test_a_provider_that_installers_cannot_ask_switches_its_labels_off(provider: Provider, why: str) -> None:
    found = of([wheel(), wheel("-mkl")], labels({"mkl": BLAS["mkl"]}, {"blas": provider}))
    assert found.selected == "foo-1.0-py3-none-any.whl"
    assert why in reason(found, "foo-1.0-py3-none-any-mkl.whl")


@pytest.mark.parametrize(
    ("provider", "known"),
    [
        (Provider(requires=("X86_64.variant-provider~=0.2",)), True),
        (Provider(requires=("x86-64-variant-provider",), plugin_api="x86_64_variant_provider"), True),
        (Provider(requires=("x86-64-variant-provider",), plugin_api="x86_64_variant_provider.plugin:P"), False),
        (Provider(requires=("x86-64-variant-provider>=0.3",)), False),
        (Provider(requires=("x86-64-variant-provider[fast]",)), False),
        (Provider(requires=("x86-64-variant-provider; python_version>'3'",)), False),
        (Provider(requires=("x86-64-variant-provider", "other")), False),
    ],
)
def test_a_known_provider_is_asked_if_its_own_version_is_allowed(provider: Provider, known: bool) -> None:
    found = of([wheel(), wheel("-v3")], labels({"v3": {"x86_64": {"level": ["v3"]}}}, {"x86_64": provider}))
    assert (found.candidates[0].variant == "v3") is known


def test_metadata_without_providers_admits_null_alone() -> None:
    found = of([wheel("-cu126"), wheel("-null")], labels({**CUDA, "null": {}}, {}), machine(cuda="12.8"))
    assert found.selected == "foo-1.0-py3-none-any-null.whl"
    assert "the release names no provider for nvidia" in reason(found, "foo-1.0-py3-none-any-cu126.whl")


def test_a_label_that_no_file_lists_is_not_chosen() -> None:
    found = of([wheel("-cu126"), wheel("-cu130"), wheel("-null")], labels(CUDA), machine(cuda="12.8"))
    assert "label 'cu130' is not in" in reason(found, "foo-1.0-py3-none-any-cu130.whl")
    assert "label 'null' is not in" in reason(found, "foo-1.0-py3-none-any-null.whl")
    found = of([wheel("-cu126"), wheel("-null"), wheel()])
    assert found.selected == "foo-1.0-py3-none-any.whl"
    assert reason(found, "foo-1.0-py3-none-any-cu126.whl") == "is a variant, and no selector file lists it"


def test_within_a_variant_the_better_platform_tag_and_the_later_build_win() -> None:
    files = [
        wheel("-cu126", tag="cp312-cp312-manylinux_2_17_x86_64"),
        wheel("-cu126", tag="2-cp312-cp312-manylinux_2_28_x86_64"),
        wheel("-cu126", tag="10-cp312-cp312-manylinux_2_28_x86_64"),
        wheel("-cu126", tag="cp312-cp312-manylinux_2_28_x86_64"),
        wheel(tag="cp312-cp312-manylinux_2_28_x86_64"),
    ]
    found = of(files, labels(CUDA), machine(cuda="12.6"))
    assert [item.filename for item in found.candidates] == [files[place].filename for place in (2, 1, 3, 0, 4)]
    assert reason(found, files[0].filename) == f"a better tag or build of the same variant fits: {files[2].filename}"


def test_a_variant_comes_before_a_better_platform_tag() -> None:
    files = [wheel("-cu126", tag="py3-none-any"), wheel(tag="cp312-cp312-manylinux_2_28_x86_64")]
    assert of(files, labels(CUDA), machine(cuda="12.6")).selected == files[0].filename


def test_extra_tags_are_chosen_by_the_table() -> None:
    files = [wheel(), wheel("+cu126"), wheel("+cu128")]
    found = of(files, tags(cuda=TABLE), machine(cuda="12.8"))
    assert variants(found) == ["cu128", "cu126", "generic"]
    assert found.dialect is PLUS
    found = of(files, tags(cuda=TABLE), machine(cuda="12.6"))
    assert found.selected == "foo-1.0-py3-none-any+cu126.whl"
    assert reason(found, "foo-1.0-py3-none-any+cu128.whl") == "cuda is 12.6 here: tag 'cu128' is not for it"


def test_the_first_variable_matters_most() -> None:
    files = [wheel(), wheel("+v3"), wheel("+cu126"), wheel("+v3+cu126"), wheel("+cu126+v3")]
    found = of(files, tags(x86_64_version=LEVELS, cuda=TABLE), machine(cuda="12.6"))
    assert variants(found) == ["v3+cu126", "v3", "cu126", "generic", "cu126+v3"]
    assert found.candidates[-1].reason == "its tags are not in the order of the selector variables"


def test_without_a_fallback_the_generic_wheel_is_not_chosen() -> None:
    table = {"none": (), "12.6": ("cu126",)}
    found = of([wheel(), wheel("+cu126")], tags(cuda=table))
    assert (found.selected, found.version) == (None, Version("1.0"))
    assert reason(found, "foo-1.0-py3-none-any.whl") == "cuda is none here: a wheel without a tag of it is no fallback"


def test_a_value_that_the_table_does_not_know_is_an_error() -> None:
    with pytest.raises(VariantPublishError, match=r"'cuda' is '13\.0' here") as error:
        of([wheel(), wheel("+cu126")], tags(cuda=TABLE), machine(cuda="13.0"))
    assert error.value.hint == "choose a known one: --set cuda=VALUE (known values: none, 12.6, 12.8)"


def test_no_driver_is_a_value_like_others() -> None:
    with pytest.raises(VariantPublishError, match="'cuda' is 'none' here"):
        of([wheel(), wheel("+cu126")], tags(cuda={"12.6": ("cu126", "")}))


def test_a_default_serves_the_values_that_the_table_does_not_know() -> None:
    files = SelectorFiles.of(SelectorFile({"cuda": Selector({"12.6": ("cu126",)}, default=("",))}))
    assert of([wheel(), wheel("+cu126")], files, machine(cuda="13.0")).selected == "foo-1.0-py3-none-any.whl"


def test_a_variable_of_the_project_must_be_set() -> None:
    metadata = tags(mpi={"openmpi": ("ompi", ""), "mpich": ("mpich", "")})
    with pytest.raises(VariantPublishError, match="'mpi' has no value") as error:
        of([wheel(), wheel("+ompi")], metadata)
    assert "--set mpi=VALUE" in str(error.value.hint)
    assert of([wheel(), wheel("+ompi")], metadata, machine(mpi="openmpi")).selected == "foo-1.0-py3-none-any+ompi.whl"


def test_another_architecture_takes_the_wheels_without_a_level() -> None:
    files = [wheel(), wheel("+v3")]
    found = of(files, tags(x86_64_version=LEVELS), machine(x86_64_version="none"))
    assert found.selected == "foo-1.0-py3-none-any.whl"


def test_a_tag_that_no_file_lists_is_not_chosen() -> None:
    found = of([wheel(), wheel("+cu130")], tags(cuda=TABLE))
    assert reason(found, "foo-1.0-py3-none-any+cu130.whl") == "tag 'cu130' is not in the release's selector file"
    found = of([wheel(), wheel("+cu130")])
    assert reason(found, "foo-1.0-py3-none-any+cu130.whl") == "is a variant, and no selector file lists it"


def test_a_release_in_both_dialects_is_read_in_one() -> None:
    files = [wheel(), wheel("-cu126"), wheel("+cu126")]
    metadata = SelectorFiles.of(labels(CUDA).variants, tags(cuda=TABLE).selector)
    found = of(files, metadata, machine(cuda="12.6"))
    assert (found.selected, found.dialect) == ("foo-1.0-py3-none-any-cu126.whl", PEP825)
    assert reason(found, "foo-1.0-py3-none-any+cu126.whl") == (
        "is in dialect plus; installers of dialect pep825 do not read it"
    )
    found = of(files, metadata, machine(cuda="12.6"), dialect=PLUS)
    assert found.selected == "foo-1.0-py3-none-any+cu126.whl"


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (wheel("-cu126", yanked="broken"), "yanked: broken"),
        (wheel("-cu126", yanked=""), "yanked: no reason is given"),
        (wheel("-cu126", requires_python=">=3.13"), "requires Python >=3.13, and this is 3.12.1"),
        (wheel("-cu126", tag="cp312-cp312-win_amd64"), "platform tag win_amd64 does not fit this machine"),
        (
            wheel("-cu126", tag="cp311-cp311-manylinux_2_28_x86_64"),
            "Python tag cp311-cp311 does not fit Python 3.12.1",
        ),
    ],
)
def test_a_wheel_that_fits_no_such_machine_says_why(file: IndexFile, why: str) -> None:
    found = of([wheel(), file], labels(CUDA), machine(cuda="12.6"))
    assert found.selected == "foo-1.0-py3-none-any.whl"
    assert reason(found, file.filename) == why


def test_a_yanked_wheel_is_chosen_where_its_version_is_pinned() -> None:
    files = [wheel(yanked="broken"), wheel(version="0.9")]
    assert of(files).version == Version("0.9")
    assert of(files, version="==1.0").version == Version("1.0")
    assert of(files, version="==1.*").selected is None


def test_an_unreadable_requires_python_hides_no_wheel() -> None:
    assert of([wheel(requires_python="what?")]).selected is not None


def test_the_newest_version_with_a_usable_wheel_wins() -> None:
    files = [wheel(version="0.9"), wheel(version="1.0"), wheel(version="2.0", tag="cp312-cp312-win_amd64")]
    found = of(files)
    assert found.selected == "foo-1.0-py3-none-any.whl"
    assert [item.filename for item in found.candidates] == [
        "foo-1.0-py3-none-any.whl", "foo-2.0-cp312-cp312-win_amd64.whl",
    ]  # fmt: skip
    assert of(files, version="<1").version == Version("0.9")


def test_where_nothing_fits_the_newest_version_is_told() -> None:
    files = [wheel(tag="cp312-cp312-win_amd64"), wheel(version="2.0", tag="cp312-cp312-win_amd64")]
    found = of(files)
    assert (found.selected, found.version, len(found.candidates)) == (None, Version("2.0"), 2)
    assert of([]) == Selection(None, None, None)


def test_a_prerelease_counts_only_where_it_is_asked_for_or_alone() -> None:
    files = [wheel(), wheel(version="2.0rc1")]
    assert of(files).version == Version("1.0")
    assert of(files, version=">=2.0rc1").version == Version("2.0rc1")
    assert of(files[1:]).version == Version("2.0rc1")


def test_other_files_are_no_candidates() -> None:
    files = [wheel(), wheel(), IndexFile("foo-1.0.tar.gz", "", ""), IndexFile("foo-1.0-variants.json", "", "")]
    assert len(of(files).candidates) == 1


def test_the_table_is_plain_json() -> None:
    found = of([wheel(), wheel("-cu126")], labels(CUDA))
    table = json.loads(json.dumps(found.table()))
    assert (table["selected"], table["version"], table["dialect"], table["project"]) == (
        "foo-1.0-py3-none-any.whl", "1.0", "pep825", "foo",
    )  # fmt: skip
    assert table["candidates"][0] == {
        "filename": "foo-1.0-py3-none-any.whl", "variant": "generic", "dialect": None, "chosen": True, "reason": None,
    }  # fmt: skip
    assert of([]).table()["selected"] is None


def flat(folder: Path, *names: str, files: SelectorFiles | None = None) -> str:
    for name in names:
        make_wheel(folder, name)
    for name, text in (files or SelectorFiles()).texts("foo", "1.0").items():
        (folder / name).write_text(text, "utf-8")
    return str(folder)


def test_the_first_index_that_has_the_project_is_read(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    one = flat(tmp_path / "one", "foo-1.0-py3-none-any.whl", "foo-1.0-py3-none-any-cu126.whl", files=labels(CUDA))
    other = flat(tmp_path / "other", "foo-2.0-py3-none-any.whl")
    found = select("Foo", Indexes((str(tmp_path / "empty"), one, other)), machine(cuda="12.6"))
    assert (found.project, found.selected) == ("foo", "foo-1.0-py3-none-any-cu126.whl")


def test_selector_files_of_other_versions_are_not_read(tmp_path: Path) -> None:
    index = flat(tmp_path, "foo-1.0-py3-none-any.whl", "foo-0.9-py3-none-any.whl")
    (tmp_path / "foo-0.9-variants.json").write_text("no JSON", "utf-8")
    assert select("foo", Indexes((index,)), machine()).version == Version("1.0")
    with pytest.raises(VariantPublishError, match=r"foo-0\.9-variants\.json"):
        select("foo", Indexes((index,)), machine(), version=SpecifierSet("<1"))


def test_a_selector_file_with_another_hash_is_refused(tmp_path: Path) -> None:
    text = labels(CUDA).texts("foo", "1.0")["foo-1.0-variants.json"]
    file = IndexFile("foo-1.0-variants.json", "foo-1.0-variants.json", hashlib.sha256(text.encode()).hexdigest())
    (tmp_path / "foo").mkdir()
    (tmp_path / "foo" / "index.json").write_text(ProjectIndex("foo", (wheel("-cu126"), file)).dumps(), "utf-8")
    (tmp_path / "foo" / "foo-1.0-variants.json").write_text(text, "utf-8")
    assert select("foo", Indexes((str(tmp_path),)), machine(cuda="12.6")).selected is not None
    (tmp_path / "foo" / "foo-1.0-variants.json").write_text(text + " ", "utf-8")
    with pytest.raises(VariantPublishError, match="SHA-256"):
        select("foo", Indexes((str(tmp_path),)), machine(cuda="12.6"))


def test_a_project_on_no_index_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(VariantPublishError, match="foo is not on"):
        select("foo", Indexes((str(tmp_path),)), machine())
    with pytest.raises(UsageError, match="no index"):
        select("foo", Indexes(()), machine())


LOCAL = wheel(version="1.0+cu128")


@pytest.mark.parametrize("cuda", ["none", "12.9"])
def test_a_local_version_beside_variants_is_not_looked_at(cuda: str) -> None:
    here = machine(cuda=cuda, nvidia_sm_arch="9.0")
    for files, metadata in (
        ([wheel(), wheel("-cu126"), LOCAL], labels(CUDA)),
        ([wheel(), wheel("+cu126"), LOCAL], tags(cuda=TABLE | {"12.9": ("cu126", "")})),
    ):
        found = of(files, metadata, here)
        assert found.selected == files[0 if cuda == "none" else 1].filename
        assert "ask for it as foo==1.0+cu128" in reason(found, LOCAL.filename)
        assert of(files, metadata, here, version="==1.0").selected == found.selected
        assert of(files, metadata, here, version="==1.0+cu128").selected == LOCAL.filename


def test_a_local_version_in_a_view_is_what_its_user_wants() -> None:
    assert of([wheel(tag="cp311-cp311-win_amd64"), LOCAL]).selected == LOCAL.filename
    both = [wheel(), LOCAL]
    assert of(both).selected == LOCAL.filename  # as pip and uv have it
    assert choose(both, {}, machine(), wish=Wish(generic=True)).selected == wheel().filename


def test_a_local_version_that_is_no_view_of_a_release_stays_a_version() -> None:
    nightly = [wheel(version="1.0+git5"), wheel("+cu126", version="1.0+git5")]
    assert of([wheel(), *nightly]).selected == nightly[0].filename


def test_a_yanked_wheel_is_selected_by_a_pin_and_by_nothing_else() -> None:
    files = [wheel(yanked="broken"), wheel("+cu126", yanked="")]
    for pin in ("==1.0", "===1.0"):
        assert of(files, version=pin).selected == files[0].filename
    assert of(files, version=">=1.0").selected is None
    assert of([*files, wheel(tag="py2.py3-none-any")], version="==1.0").selected == "foo-1.0-py2.py3-none-any.whl"


def test_a_python_that_is_not_out_yet_counts_as_the_version_that_it_will_be() -> None:
    early = Machine(machine().values, TAGS, "3.12.0rc1")
    assert of([wheel(requires_python=">=3.11")], here=early).selected is not None
    assert of([wheel(requires_python=">=3.13")], here=early).selected is None


def test_a_python_tag_is_told_where_one_of_several_platforms_fits() -> None:
    file = wheel(tag="cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64")
    assert reason(of([file]), file.filename) == "Python tag cp311-cp311 does not fit Python 3.12.1"


def test_what_no_selector_lists_is_told_before_what_this_python_cannot_use() -> None:
    lost = wheel("-cu126")
    refused = wheel(tag="cp312-cp312-manylinux_2_28_x86_64", requires_python=">=3.13")
    assert [item.filename for item in of([refused, lost]).candidates] == [lost.filename, refused.filename]


BUILDS = {"abi": Provider(builtin="abi_dependency")}


@pytest.mark.parametrize(
    ("built", "here", "why"),
    [
        ({"torch": ["2.9"]}, {"torch": "2.9.1"}, None),
        ({"torch": ["2.9"]}, {}, None),
        ({"torch": ["2.9"]}, {"numpy": "1.0"}, None),
        ({"torch": ["2.8", "2.9"]}, {"torch": "2.8.0"}, None),
        ({"torch": ["2.9"]}, {"torch": "2.10"}, "is built against torch 2.9, and torch is 2.10 here"),
        ({"torch": ["2.8", "2.9"]}, {"torch": "3.0"}, "is built against torch 2.8 or 2.9, and torch is 3.0 here"),
        (
            {"library": ["1", "2"], "torch": ["2.9"]},
            {"library": "1.5", "torch": "2.8"},
            "is built against torch 2.9, and torch is 2.8 here",
        ),
    ],
)
def test_a_build_fits_the_versions_of_its_dependencies(
    built: dict[str, list[str]], here: dict[str, str], why: str | None
) -> None:
    labelled = wheel("-built")
    found = of(
        [labelled], labels({"built": {"abi": built}}, BUILDS), Machine(machine().values, TAGS, "3.12.1", abi=here)
    )
    assert (found.selected is not None) is (why is None)
    if why is not None:
        assert reason(found, labelled.filename) == why
