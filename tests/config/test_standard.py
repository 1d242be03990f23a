"""The standard `[variant]` table is a source of the configuration, and one that others read too."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from support.archives import contents
from support.cli import run
from support.uv import PREVIEW, uv
from support.wheels import make_wheel
from variant_publish.config.configuration import Config
from variant_publish.errors import UsageError

LINUX = "manylinux_2_17_x86_64"
BUILT = f"foo-1.0-py3-none-{LINUX}.whl"
STANDARD = """
[variant.default-priorities]
namespace = ["nvidia", "x86_64"]
[variant.providers.nvidia]
requires = ["nvidia-variant-provider"]
plugin-api = "nvidia_variant_provider.plugin:NvidiaVariantPlugin"
[variant.providers.x86_64]
requires = ["x86-64-variant-provider"]
[variant.variants.cu128]
nvidia.cuda_version_lower_bound = ["12.8"]
nvidia.sm_arch = ["90_real", "120_real"]
[variant.variants."v3.cu128"]
x86_64.level = ["v3"]
nvidia.cuda_version_lower_bound = ["12.8"]
"""
OURS = """
[tool.variant-publish]
dialects = ["plus", "pep825"]
priority = ["nvidia", "x86_64"]
# what the matrix is
matrix = { python = ["py3-none"], platform = ["manylinux_2_17_x86_64"] }
[tool.variant-publish.variants.gpu]
label = "cu128"
properties = ["nvidia :: cuda_version_lower_bound :: 12.8"]  # the driver
requires.add = ["nvidia-cublas-cu12"]
[tool.variant-publish.variants.v3]
properties = ["x86_64 :: level :: v3"]
[tool.variant-publish.providers.blas]
static-properties = { lib = ["mkl", "openblas"] }
"""


def variantlib_reads(path: Path) -> dict[str, list[str]]:
    from variantlib.pyproject_toml import VariantPyProjectToml

    found = VariantPyProjectToml.from_path(path)
    return {label: [item.to_str() for item in one.properties] for label, one in found.variants.items()}


def test_the_standard_table_alone_is_a_configuration() -> None:
    config = Config.parse(STANDARD)
    assert config.declared
    assert [str(dialect) for dialect in config.dialects] == ["pep825"]
    assert config.namespaces == ("nvidia", "x86_64")
    assert list(config.variants) == ["cu128", "v3.cu128"]
    assert str(config.variant("cu128").properties) == (
        "nvidia :: cuda_version_lower_bound :: 12.8, nvidia :: sm_arch :: 120_real, nvidia :: sm_arch :: 90_real"
    )
    assert config.variant("v3.cu128").tags == ("v3", "cu128")
    assert config.providers["nvidia"].plugin_api == "nvidia_variant_provider.plugin:NvidiaVariantPlugin"


def test_our_table_adds_what_the_standard_has_no_words_for() -> None:
    config = Config.parse(
        STANDARD + '[tool.variant-publish]\ndialects = ["plus"]\n[tool.variant-publish.variants.gpu]\nlabel = "cu128"\n'
        'tags = ["cu128"]\nrequires.add = ["cublas"]\n'
    )
    assert [str(dialect) for dialect in config.dialects] == ["plus"]
    assert list(config.variants) == ["gpu", "v3.cu128"]
    assert config.changes_of("gpu").requires.add == ("cublas",)
    assert config.variant("gpu").properties.namespaces == ("nvidia",)


@pytest.mark.parametrize(
    ("ours", "standard", "key"),
    [
        ('variants.cu128.properties = ["nvidia :: cuda_version_lower_bound :: 12.6"]', "variants.cu128", None),
        (
            'variants.gpu = { label = "cu128", properties = ["x86_64 :: level :: v3"] }',
            "variants.cu128",
            "variants.gpu",
        ),
        ('priority = ["x86_64", "nvidia"]', "default-priorities.namespace", "priority"),
        ('providers.x86_64.requires = ["another-provider"]', "providers.x86_64", "providers.x86_64"),
    ],
)
def test_what_both_say_differently_is_an_error_that_names_both_keys(ours: str, standard: str, key: str | None) -> None:
    with pytest.raises(UsageError) as error:
        Config.parse(f"{STANDARD}[tool.variant-publish]\n{ours}\n", "pyproject.toml")
    assert f"variant.{standard} and tool.variant-publish.{key or standard}" in error.value.message
    same = 'variants.cu128.properties = ["nvidia::sm_arch::90_real", "nvidia::sm_arch::120_real", "nvidia :: cuda_version_lower_bound :: 12.8"]'
    assert Config.parse(f"{STANDARD}[tool.variant-publish]\n{same}\n").variant("cu128")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("variant = 1", "variant is not a table"),
        ("[variant]\nvariant = {}", "variant.variant is not a known key (did you mean 'variants'?)"),
        (
            "[variant.variants.x]\na.b = ['1']",
            "variant.default-priorities.namespace lacks 'a', which variant.variants.x",
        ),
        ("[variant.variants.x]\n", "variant.variants.x has no properties"),
        ("[variant.variants.null]\na.b = ['1']", "variant.variants.null has properties"),
        ("[variant.variants.x]\na.b = '1'", "variant.variants.x.a.b is not a list of strings"),
        ("[variant.variants.x]\na = 1", "variant.variants.x.a is not a table"),
        ("[variant.variants.X]\na.b = ['1']", "variant.variants.X: variant label 'X' has characters"),
        ("[variant.variants.x]\na.b = ['A']", "variant.variants.x: property 'a :: b :: A' has the value 'A'"),
        ("[variant.default-priorities]\nnamespace = 'x'", "variant.default-priorities.namespace is not a list"),
        ("[variant.default-priorities]\nfeature.x = ['a']", "variant.default-priorities.feature is of an older draft"),
        ("[variant.providers.x]\nrequires = []", "variant.providers.x: a provider must have exactly one of"),
        ("[variant.providers.x]\nenable-if = 'a'", "variant.providers.x: variant metadata is not that of PEP"),
        (
            "[variant.providers.x]\nbuild-requires = ['a']",
            "variant.providers.x.build-requires names a plugin that only",
        ),
    ],
)
def test_a_mistake_is_one_sentence_with_the_dotted_key(text: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        Config.parse(text, "pyproject.toml")
    assert error.value.message.startswith(f"pyproject.toml: {message}")
    assert "\n" not in error.value.message


def test_a_plugin_of_builds_alone_needs_its_values_in_our_table() -> None:
    text = (
        '[variant.default-priorities]\nnamespace = ["blas"]\n[variant.providers.blas]\nbuild-requires = ["blas-provider"]\n'
        '[variant.variants.mkl]\nblas.lib = ["mkl"]\n'
        '[tool.variant-publish.providers.blas]\nstatic-properties = { lib = ["mkl", "openblas"] }\n'
    )
    assert tuple(Config.parse(text).providers["blas"].static_properties.items()) == (("lib", ("mkl", "openblas")),)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").write_text(f'[project]\nname = "foo"\nversion = "1.0"\n{STANDARD}', encoding="utf-8")
    make_wheel(tmp_path / "dist", BUILT, files={"foo.py": b"x = 1\n"})
    return tmp_path


def test_retag_check_and_metadata_work_from_it_alone(project: Path) -> None:
    for variant in ("cu128", "v3.cu128", "generic"):
        result = run("retag", "dist", "--variant", variant, "-o", "wheelhouse")
        assert result.code == 0, result.stderr
    names = sorted(path.name for path in Path("wheelhouse").glob("*.whl"))
    assert names == sorted([BUILT, BUILT.replace(".whl", "-cu128.whl"), BUILT.replace(".whl", "-v3.cu128.whl")])
    assert run("metadata", "wheelhouse").code == 0
    metadata = json.loads(Path("wheelhouse", "foo-1.0-variants.json").read_text(encoding="utf-8"))
    assert metadata["default-priorities"] == {"namespace": ["nvidia", "x86_64"]}
    assert metadata["variants"]["v3.cu128"] == {
        "nvidia": {"cuda_version_lower_bound": ["12.8"]}, "x86_64": {"level": ["v3"]},
    }  # fmt: skip
    checked = run("check", "wheelhouse", "--offline", "--select", "VP1", "--select", "VP6")
    assert checked.code == 0, checked.stdout


def test_init_writes_it_and_variantlib_reads_it(project: Path) -> None:
    Path("pyproject.toml").write_text('[project]\nname = "foo"\n', encoding="utf-8")
    result = run("init", "--variant", "cu128", "--variant", "x86_64_v3", "--yes")
    assert result.code == 0, result.stderr
    text = Path("pyproject.toml").read_text(encoding="utf-8")
    assert "properties" not in text
    assert variantlib_reads(Path("pyproject.toml")) == {
        "cu128": ["nvidia :: cuda_version_lower_bound :: 12.8"], "x86_64_v3": ["x86_64 :: level :: v3"],
    }  # fmt: skip
    assert list(Config.load().variants) == ["cu128", "x86_64_v3"]
    assert "nothing to do" in run("init", "--variant", "cu128", "--yes").stdout
    assert run("init", "--variant", "gfx942", "--yes").code == 0
    assert list(variantlib_reads(Path("pyproject.toml"))) == ["cu128", "x86_64_v3", "gfx942"]


@pytest.mark.parametrize("way", ["in place", "beside"])
def test_convert_moves_our_variants_into_it(project: Path, way: str) -> None:
    path = Path("pyproject.toml")
    path.write_text(OURS, encoding="utf-8")
    before = Config.load()
    result = run("convert", "pyproject.toml", *(["--in-place"] if way == "in place" else ["-o", "new"]))
    assert result.code == 0, result.stderr
    path = path if way == "in place" else Path("new", "pyproject.toml")
    after = Config.load(path)
    assert after.variants == before.variants
    assert (after.dialects, after.namespaces, after.providers) == (before.dialects, before.namespaces, before.providers)
    assert after.changes_of("gpu").requires.add == ("nvidia-cublas-cu12",)
    assert variantlib_reads(path) == {
        "cu128": ["nvidia :: cuda_version_lower_bound :: 12.8"], "v3": ["x86_64 :: level :: v3"],
    }  # fmt: skip
    text = path.read_text(encoding="utf-8")
    assert "# what the matrix is" in text
    ours = tomllib.loads(text)["tool"]["variant-publish"]
    assert ours["variants"] == {"gpu": {"label": "cu128", "requires": {"add": ["nvidia-cublas-cu12"]}}}
    assert not {"priority", "providers"} & ours.keys()


def test_convert_reads_a_project_of_an_older_draft(project: Path) -> None:
    older = '[variant.default-priorities]\nnamespace = ["nvidia"]\nfeature.nvidia = ["sm_arch"]\n[variant.providers.nvidia]\nrequires = ["nvidia-variant-provider"]\nenable-if = "x"\n'
    Path("pyproject.toml").write_text(older, encoding="utf-8")
    assert run("metadata", "dist").code == 2
    assert run("convert", "pyproject.toml", "-o", "new").code == 0


def test_variantlib_reads_what_the_wheels_carry(project: Path) -> None:
    from variantlib.variants_json import VariantsJson

    assert run("retag", "dist", "--variant", "cu128", "-o", "wheelhouse").code == 0
    wheel = Path("wheelhouse", BUILT.replace(".whl", "-cu128.whl"))
    found = VariantsJson(json.loads(contents(wheel)["foo-1.0.dist-info/variant.json"]))
    assert list(found.variants) == ["cu128"]
    assert found.namespace_priorities == ["nvidia", "x86_64"]


@pytest.mark.slow
@pytest.mark.parametrize(("driver", "chosen"), [("12.8", "cu128"), ("12.6", "generic")])
def test_the_real_uv_chooses_from_it(project: Path, driver: str, chosen: str) -> None:
    for variant in ("cu128", "generic"):
        make_wheel(project / variant, BUILT, files={"foo.py": f"variant = {variant!r}\n".encode()})
        assert run("retag", variant, "--variant", variant, "-o", "wheelhouse").code == 0
    assert run("metadata", "wheelhouse").code == 0
    assert run("upload", "wheelhouse", "--extra-index", "file:index", "--split", "large-to-s3").code == 0
    machine = {"NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": driver, "NV_VARIANT_PROVIDER_FORCE_SM_ARCH": "9.0"}
    result = uv("pip", "install", *PREVIEW, "--target", "there", "--index-url", Path("index").resolve().as_uri(), "foo",
                "--no-deps", env=machine)  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert Path("there", "foo.py").read_text(encoding="utf-8") == f"variant = {chosen!r}\n"
