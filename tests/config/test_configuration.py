from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from variant_publish.config.configuration import Config, parse_size
from variant_publish.dialects.local_version import LOCAL
from variant_publish.dialects.pep825 import PEP825
from variant_publish.dialects.plus import PLUS
from variant_publish.errors import UsageError

TEXT = """
[tool.variant-publish]
dialects = ["plus", "pep825"]
[tool.variant-publish.matrix]
python = ["cp311-cp311", "cp314-cp314t"]
platform = ["manylinux_2_28_x86_64", "win_amd64"]
skip = [{ python = "cp314-cp314t", platform = "win_amd64", reason = "no toolchain" }]
[tool.variant-publish.variants.cu128]
properties = ["nvidia :: cuda_version_lower_bound :: 12.8", "nvidia :: sm_arch :: 90_real"]
platform = ["manylinux_2_28_x86_64"]
requires = { add = ["nvidia-cublas-cu12>=12.8"], remove = ["nvidia-cublas-cu13"] }
rename = { name = "cupy-cuda12x", to = "cupy" }
[tool.variant-publish.abi]
requires = ["numpy+pypi==2.0.0"]
indexes = { pypi = "pypi" }
[tool.variant-publish.upload]
repository = "pypi"
extra-index = "s3://my-wheels/simple"
large = "1 GB"
"""


def test_the_whole_shape_becomes_values() -> None:
    config = Config.parse(TEXT)
    assert config.dialects == (PLUS, PEP825)
    assert config.variant("cu128").tags == ("cu128",)
    assert config.namespaces == ("nvidia",)
    assert config.providers["nvidia"].requires == ("nvidia-variant-provider",)
    assert config.matrix is not None
    assert len(config.matrix.cells()) == 3 + 2
    assert str(config.pins[0]) == "numpy+pypi==2.0.0"
    assert config.large == 10**9
    assert config.changes_of("cu128").rename is not None


def test_a_variant_says_what_its_build_is_asked_for() -> None:
    text = """
    [tool.variant-publish.build]
    frontend = "uv"
    arguments = ["--no-build-isolation"]
    [tool.variant-publish.generic]
    build = { env = { N = "1" } }
    [tool.variant-publish.variants.cu128]
    build = { config-settings = { a = "b", c = ["d", "e"] } }
    """
    config = Config.parse(text)
    assert config.tables.build.frontend == "uv"
    assert config.settings_of("generic").env == {"N": "1"}
    assert config.settings_of("cu128").config_settings == {"a": ("b",), "c": ("d", "e")}
    with pytest.raises(UsageError, match="did you mean 'cu128'"):
        config.settings_of("cu129")


def test_no_table_means_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = Config.load()
    assert (config.declared, config.dialects, config.matrix) == (False, (PLUS, PEP825), None)
    assert config.upload.extra_index == "file:dist-index"


def test_a_file_of_its_own_is_the_table_itself(tmp_path: Path) -> None:
    path = tmp_path / "variants.toml"
    path.write_text('dialects = ["pep825"]\n')
    assert Config.load(path).dialects == (PEP825,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.variant-publish]\ndialect = ['plus']", r"tool\.variant-publish\.dialect is not a known key \(did you mean 'dialects'"),
        ("[tool.variant-publish.matrix]\npythons = []", r"matrix\.pythons .*did you mean 'python'"),
        ("[tool.variant-publish.variants.a]\nlabels = 'x'", r"variants\.a\.labels .*did you mean 'label'"),
        ("[tool.variant-publish.variants.a.requires]\nadds = []", r"variants\.a\.requires\.adds .*did you mean 'add'"),
        ("[tool.variant-publish.upload]\nextra_index = 'x'", r"upload\.extra_index .*did you mean 'extra-index'"),
        ("[tool.variant-publish.matrix]\npython = ['a']\nplatform = ['b']\nskip = [{reson = ''}]", r"matrix\.skip\[0\]\.reson .*'reason'"),
        ("[tool.variant-publish.matrix]\npython = 'cp311'", r"matrix\.python is wrong"),
        ("[tool.variant-publish.family]\nmembers = ['a']", r"family\.members has one project"),
        ("[tool.variant-publish.family]\nmembers = ['a==1', 'b']", r"family\.members\[0\] 'a==1' is not the name"),
        ("[tool.variant-publish.family]\nmembers = ['a_b', 'A-b']", r"family\.members\[1\] names 'A-b' a second time"),
        ("[tool.variant-publish.family]\nskip = [{reason = ' '}]", r"family\.skip\[0\] has no reason"),
        ("[tool.variant-publish.family]\nmembers = ['foo', 'bar']\nskip = [{reason = 'x', project = 'fo'}]",
         r"family\.skip\[0\]\.project 'fo' is no member of the family.*'foo'"),
        ("[tool.variant-publish.matrix]\npython = ['a']\nplatform = ['b']\nzip = [{python = ['a'], gcc = []}]",
         r"variant-publish\.matrix\.zip\[0\]: its lists are not of one length"),
        ("[tool.variant-publish.matrix]\npython = ['a']\nplatform = ['b']\nzip = [{python = ['c'], gcc = ['1']}]",
         r"variant-publish\.matrix\.zip\[0\]\.python names 'c'"),
        ("[tool.variant-publish.matrix]\npython = ['a']\nplatform = ['b']\nzip = [{python = 'a', gcc = ['1']}]",
         r"matrix\.zip\[0\].* is wrong"),
        ("[tool.variant-publish]\ndialects = ['minus']", r"dialects.* is no dialect"),
        ("[tool.variant-publish.matrix]\npython = ['cp311-cp311']", "needs python and platform"),
        ("[tool.variant-publish.variants.a]\nproperties = ['x']", r"variants\.a: property 'x'"),
        ("[tool.variant-publish.variants.A]\n", r"variants\.A: "),
        ("[tool.variant-publish.variants.generic]\n", "generic"),
        ("[tool.variant-publish.variants.a]\nproperties = ['nvida :: a :: b']", "did you mean 'nvidia'"),
        ("[tool.variant-publish.upload]\nlarge = 'big'", "is not a size"),
        ("[tool.variant-publish.abi]\nrequires = ['numpy+']", "requirement"),
        ("[tool.variant-publish.matrix]\npython=['a']\nplatform=['win_amd64']\n[tool.variant-publish.variants.a]\nplatform=['win_amd']",
         r"variants\.a\.platform names 'win_amd'.*did you mean 'win_amd64'"),
        ("[tool.variant-publish.variants.a.build]\nenvs = {}", r"variants\.a\.build\.envs .*did you mean 'env'"),
        ("[tool.variant-publish.variants.a.build.env]\n'A B' = 'x'", r"variants\.a\.build: 'A B' is not a name"),
        ("[tool.variant-publish.variants.a.build.env]\nA = 1", r"build\.env.* is wrong"),
        ("[tool.variant-publish.generic.build.config-settings]\n'a=b' = 'x'", r"generic\.build: 'a=b' is not a name"),
        ("[tool.variant-publish.build]\nfrontend = 'pip'", r"build\.frontend is wrong"),
        ("not toml", "is not TOML"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_with_the_dotted_key(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as error:
        Config.parse(text, "pyproject.toml")
    assert error.value.message.startswith("pyproject.toml")
    assert "\n" not in str(error.value)


def test_an_unknown_variant_is_named_with_the_nearest_known_one() -> None:
    with pytest.raises(UsageError, match="did you mean 'cu128'"):
        Config.parse(TEXT).variant("cu129")


@pytest.mark.parametrize(("text", "size"), [("100 MB", 10**8), ("2GiB", 2 << 30), ("1.5 kB", 1500), ("12", 12)])
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text, "x") == size


def test_variants_with_one_local_version_are_told_where_local_versions_are_wanted() -> None:
    text = '[variants.a_b]\n[variants."x"]\nlabel = "a.b"\n'
    config = Config.parse(text, "x.toml")
    assert dict(config.known)[LOCAL] == {("a.b",)}
    assert config.variant_of(LOCAL, ("a.b",)) == config.variant("a_b")
    for wanted in ('dialects = ["local"]\n', ""):
        upload = "" if wanted else '[upload]\nviews = "file:views"\n'
        with pytest.raises(UsageError, match=r"both written 'a\.b' in dialect local"):
            Config.parse(wanted + text + upload, "x.toml")


@pytest.mark.parametrize("key", ["public-url", "views-url", "stage-url", "endpoint-url"])
@pytest.mark.parametrize(
    "url", ["https://me:s3cr3t@h/simple", "https://s3cr3t@h", "https://h/simple s3cr3t", "https://h/simple?token=s3cr3t",
            "https://h/simple#s3cr3t", "https://h/\ts3cr3t"],
)  # fmt: skip
def test_an_address_that_everybody_sees_has_no_secret(key: str, url: str) -> None:
    text = f"[tool.variant-publish.upload]\n{key} = {json.dumps(url)}\n"
    with pytest.raises(UsageError, match=rf"tool\.variant-publish\.upload\.{key} has a") as caught:
        Config.parse(text)
    assert "s3cr3t" not in str(caught.value)


def test_a_repository_may_have_a_password_and_a_folder_a_space() -> None:
    upload = Config.parse(
        '[tool.variant-publish.upload]\nrepository-url = "https://me:pw@h/legacy/"\nextra-index = "file:my index"\n'
    ).upload
    assert upload.extra_index == "file:my index"
    with pytest.raises(UsageError, match="repository-url has a space"):
        msgspec.structs.replace(upload, repository_url="https://h/legacy/ pw")


def test_the_name_of_a_variant_may_hold_a_dot_and_say_what_it_needs() -> None:
    config = Config.parse('[tool.variant-publish.variants."torch2.9"]\n[tool.variant-publish.variants.cu128]\n')
    assert config.variants["torch2.9"].tags == ("torch2_9",)
    assert config.variants["torch2.9"].label == "torch2.9"
    assert str(config.variants["cu128"].properties) == "nvidia :: cuda_version_lower_bound :: 12.8"


def test_a_bare_key_with_a_dot_is_answered_by_the_quoted_one() -> None:
    with pytest.raises(UsageError) as caught:
        Config.parse("[tool.variant-publish.variants]\ntorch2.9 = {}\n")
    assert '[tool.variant-publish.variants."torch2.9"]' in str(caught.value.hint)
