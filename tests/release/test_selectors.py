from __future__ import annotations

from pathlib import Path

import pytest

from support.wheels import make_wheel
from variant_publish.config.configuration import Config
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.selector_toml import Selector, SelectorConflict, SelectorFile
from variant_publish.formats.variants_json import VariantConflict, VariantsMetadata
from variant_publish.model.variant import Properties, Variant
from variant_publish.progress import SilentReporter
from variant_publish.providers.catalog import KNOWN_PROVIDERS
from variant_publish.release.release import Release, load
from variant_publish.release.selectors import SelectorFiles, derive, of_release

CU126 = "nvidia :: cuda_version_lower_bound :: 12.6"
CU128 = "nvidia :: cuda_version_lower_bound :: 12.8"
BELOW_13 = "nvidia :: cuda_version_upper_bound :: 13"
V3, V4 = "x86_64 :: level :: v3", "x86_64 :: level :: v4"


class Warnings(SilentReporter):
    """Keep the warnings."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def warn(self, message: str) -> None:
        self.messages.append(message)


def variant(name: str, *properties: str, tags: tuple[str, ...] = ()) -> Variant:
    return Variant(name, tags or (name,), name, Properties.parse(properties))


def tags_of(file: SelectorFile, variable: str) -> dict[str, tuple[str, ...]]:
    return dict(file.selectors[variable].wheel_tags)


def metadata(label: str, *properties: str) -> VariantsMetadata:
    return VariantsMetadata(("nvidia",), {label: Properties.parse(properties)}, {"nvidia": KNOWN_PROVIDERS["nvidia"]})


def release(folder: Path, text: str) -> Release:
    return load([folder], Config.parse(text)).only()


def test_x86_64_levels_become_a_variable() -> None:
    file = derive([variant("v3", V3), variant("v4", V4)], ["x86_64"], {})
    assert file.variables == ("x86_64_version",)
    assert tags_of(file, "x86_64_version") == {
        "none": ("",), "x86-64": ("",), "x86-64-v2": ("",), "x86-64-v3": ("v3", ""), "x86-64-v4": ("v4", "v3", ""),
    }  # fmt: skip
    selector = file.selectors["x86_64_version"]
    assert selector.requires == ("variant-publish",)
    assert selector.function == ("variant_publish.providers.selector_functions:x86_64_version",)


def test_arm_versions_become_a_variable() -> None:
    found = tags_of(derive([variant("v82", "aarch64 :: version :: 8.2a")], ["aarch64"], {}), "aarch64_version")
    assert (found["none"], found["8.1a"], found["8.2a"], found["9.0a"]) == (("",), ("",), ("v82", ""), ("v82", ""))


def test_cuda_bounds_become_a_variable_with_the_highest_lower_bound_first() -> None:
    variants = [variant("cu126", CU126, BELOW_13), variant("cu128", CU128)]
    found = tags_of(derive(variants, ["nvidia"], {}), "cuda")
    assert list(found)[:2] == ["none", "11.0"]
    assert list(found)[-1] == "14.9"
    assert found["none"] == found["12.5"] == ("",)
    assert found["12.6"] == ("cu126", "")
    assert found["12.9"] == ("cu128", "cu126", "")
    assert found["13.0"] == ("cu128", "")


def test_without_a_generic_wheel_nothing_falls_back_to_it() -> None:
    found = tags_of(derive([variant("v3", V3)], ["x86_64"], {}, generic=False), "x86_64_version")
    assert (found["x86-64-v2"], found["x86-64-v3"]) == ((), ("v3",))


def test_a_wheel_with_a_tag_of_one_variable_only_is_reached_without_a_generic_wheel() -> None:
    variants = [variant("v3", V3), variant("cu128", CU128)]
    found = derive(variants, ["nvidia", "x86_64"], {}, generic=False)
    assert tags_of(found, "cuda")["12.8"] == ("cu128", "")
    assert tags_of(found, "x86_64_version")["x86-64-v3"] == ("v3", "")


def test_the_priority_is_the_order_of_the_variables_and_of_the_tags() -> None:
    both = variant("both", V3, CU128, tags=("cu128", "v3"))
    file = derive([both, variant("v3", V3)], ["nvidia", "x86_64"], {})
    assert file.variables == ("cuda", "x86_64_version")
    assert tags_of(file, "cuda")["12.8"] == ("cu128", "")


def test_a_given_selector_stands_for_itself_beside_derived_ones() -> None:
    given = {"cuda": Selector({"none": ("",), "12.8": ("cu128", "")})}
    file = derive([variant("v3", V3), variant("cu128", CU128)], ["x86_64", "nvidia"], given)
    assert file.variables == ("x86_64_version", "cuda")
    assert file.selectors["cuda"] == given["cuda"]


def test_given_selectors_alone_keep_their_order() -> None:
    given = {"mpi": Selector({"openmpi": ("ompi",)}), "cuda": Selector({"12.8": ("cu128",)})}
    file = derive([variant("cu128", CU128), variant("x", tags=("ompi",))], ["nvidia"], given)
    assert file.variables == ("mpi", "cuda")


def test_a_property_that_a_table_leaves_out_is_a_warning() -> None:
    reporter = Warnings()
    derive([variant("cu128", CU128, "nvidia :: sm_arch :: 90_real")], ["nvidia"], {}, reporter=reporter)
    assert len(reporter.messages) == 1
    assert "sm_arch" in reporter.messages[0]


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (variant("both", CU128, V3), "each tag needs one namespace"),
        (variant("bare"), "no properties"),
        (variant("mpi", "mpi :: abi :: openmpi"), "properties of 'mpi'"),
        (variant("v9", "x86_64 :: level :: v9"), "which no machine has"),
        (variant("avx", V3, "x86_64 :: avx512f :: on"), "which no known variable tells"),
        (variant("other", V4, tags=("v3",)), "stands for"),
    ],
)
def test_what_cannot_be_derived_is_to_be_given_in_full(broken: Variant, why: str) -> None:
    with pytest.raises(UsageError, match=why) as error:
        derive([variant("v3", V3), broken], ["nvidia", "x86_64", "mpi"], {})
    assert "[tool.variant-publish.selectors." in str(error.value.hint)


def test_a_device_and_a_dependency_become_variables() -> None:
    gpus = [variant("gfx942", "amd :: gfx_arch :: gfx942"), variant("rocm64", "amd :: rocm_version :: 6.4")]
    hopper = variant("sm", "nvidia :: sm_arch :: 90_real")
    torch = [variant(f"torch2_{n}", f"abi_dependency :: torch :: 2.{n}") for n in (9, 10)]
    file = derive([*gpus, hopper, *torch], ["amd", "nvidia", "abi_dependency"], {})
    assert file.variables == ("gfx_arch", "rocm", "sm_arch", "abi_torch")
    assert tags_of(file, "gfx_arch")["gfx942"] == ("gfx942", "")
    assert tags_of(file, "rocm")["6.4"] == ("rocm64", "")
    assert tags_of(file, "sm_arch")["9.0"] == ("sm", "")
    assert tags_of(file, "abi_torch") == {"none": ("",), "2.9": ("torch2_9", ""), "2.10": ("torch2_10", "")}


def test_well_known_words_need_no_declaration(tmp_path: Path) -> None:
    make_wheel(tmp_path, "foo-1.0-py3-none-any.whl")
    make_wheel(tmp_path, "foo-1.0-py3-none-any+x86_64_v3+cu128.whl")
    make_wheel(tmp_path, "foo-1.0-py3-none-any+cu130.whl")
    selector = of_release(release(tmp_path, "")).selector
    assert selector is not None
    assert selector.variables == ("x86_64_version", "cuda")
    assert tags_of(selector, "cuda")["13.0"] == ("cu130", "cu128", "")


def test_a_release_of_generic_wheels_has_no_selector_files(tmp_path: Path) -> None:
    make_wheel(tmp_path, "foo-1.0-py3-none-any.whl")
    assert of_release(release(tmp_path, "")) == SelectorFiles()


def test_the_metadata_of_labelled_wheels_is_united(tmp_path: Path) -> None:
    one, other = metadata("cu126", CU126), metadata("cu128", CU128)
    make_wheel(tmp_path, "foo-1.0-py3-none-any-cu126.whl", variant=one)
    make_wheel(tmp_path, "foo-1.0-py3-none-any-cu128.whl", variant=other)
    found = of_release(release(tmp_path, ""))
    assert found.variants is not None
    assert set(found.variants.variants) == {"cu126", "cu128"}
    assert found.selector is None


def test_a_labelled_wheel_without_metadata_is_named(tmp_path: Path) -> None:
    make_wheel(tmp_path, "foo-1.0-py3-none-any-cu126.whl")
    with pytest.raises(VariantPublishError, match=r"foo-1\.0-py3-none-any-cu126\.whl"):
        of_release(release(tmp_path, ""))


def test_wheels_that_contradict_each_other_are_of_a_named_release(tmp_path: Path) -> None:
    make_wheel(tmp_path, "foo-1.0-cp312-cp312-linux_x86_64-cu126.whl", variant=metadata("cu126", CU126))
    make_wheel(tmp_path, "foo-1.0-cp313-cp313-linux_x86_64-cu126.whl", variant=metadata("cu126", CU128))
    with pytest.raises(VariantConflict, match=r"foo 1\.0"):
        of_release(release(tmp_path, ""))


CONFIG = f"""
[tool.variant-publish.variants.cu126]
properties = ["{CU126}"]
[tool.variant-publish.variants.cu128]
properties = ["{CU128}"]
"""


def test_jobs_that_publish_parts_agree_on_the_selector_file(tmp_path: Path) -> None:
    make_wheel(tmp_path / "one", "foo-1.0-py3-none-any+cu126.whl")
    make_wheel(tmp_path / "other", "foo-1.0-py3-none-any+cu128.whl")
    one, other = (of_release(release(tmp_path / job, CONFIG)) for job in ("one", "other"))
    assert one == other == one.merged(other)
    assert one.selector is not None
    assert one.selector.selectors["cuda"].tags == ("cu126", "cu128")


def test_a_tag_that_no_variant_declares_is_named(tmp_path: Path) -> None:
    make_wheel(tmp_path, "foo-1.0-py3-none-any+fast.whl")
    with pytest.raises(UsageError, match=r"\+fast\.whl has the tag 'fast', which no variant declares"):
        of_release(release(tmp_path, CONFIG))


def test_a_matrix_that_skips_every_generic_wheel_has_no_fallback(tmp_path: Path) -> None:
    make_wheel(tmp_path, "foo-1.0-py3-none-any+cu126.whl")
    matrix = """
[tool.variant-publish.matrix]
python = ["py3-none"]
platform = ["any"]
skip = [{ variant = "generic", reason = "needs a GPU" }]
"""
    found = of_release(release(tmp_path, CONFIG + matrix))
    assert found.selector is not None
    assert found.selector.selectors["cuda"].wheel_tags["none"] == ()


def test_texts_are_named_for_the_release_and_parse_to_the_same() -> None:
    files = SelectorFiles.of(metadata("cu126", CU126), derive([variant("cu126", CU126)], ["nvidia"], {}))
    texts = files.texts("Python.Flint", "1.0")
    assert list(texts) == ["python_flint-1.0-variants.json", "python-flint-1.0-wheel-selector.toml"]
    assert SelectorFiles.parse(texts) == files
    assert SelectorFiles.parse({}) == SelectorFiles()


def test_a_text_that_cannot_be_parsed_is_named() -> None:
    with pytest.raises(VariantPublishError, match=r"foo-1\.0-variants\.json: "):
        SelectorFiles.parse({"foo-1.0-variants.json": "{"})


def test_parts_of_a_release_unite() -> None:
    one, other = SelectorFiles.of(metadata("cu126", CU126)), SelectorFiles.of(metadata("cu128", CU128))
    united = one.merged(other)
    assert united == other.merged(one)
    assert united.variants is not None
    assert list(united.variants.variants) == ["cu126", "cu128"]
    assert one.merged(SelectorFiles()) == one


def test_parts_that_contradict_each_other_do_not_unite() -> None:
    one = SelectorFiles.of(SelectorFile({"a": Selector({"x": ("t",)})}))
    other = SelectorFiles.of(SelectorFile({"b": Selector({"x": ("u",)})}))
    with pytest.raises(SelectorConflict):
        one.merged(other)
