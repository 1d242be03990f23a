"""What an sdist holds: valid metadata that says what is dynamic, the same bytes each time, and wheels as retag makes them."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from packaging.metadata import Metadata as Checked
from packaging.utils import parse_sdist_filename

from support.archives import contents
from support.cli import run
from support.environments import CONFIG, PLAIN
from support.stub import load_backend
from support.wheels import make_wheel
from variant_publish import api
from variant_publish.config.configuration import Config
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.installed import INSTALLED_FILE, InstalledVariant

URL = "https://wheels.example.org/simple"
REQUIRES = """
[tool.variant-publish.variants.cu128.rename]
name = "foo-cuda12x"
to = "foo"
[tool.variant-publish.stub]
mode = "requires"
requires = { cu130 = "foo-cuda13x>=1,<2", generic = "foo-cpu" }
"""
PROJECT = """
[project]
name = "Foo.Bar"
version = "2.0"
description = "A test"
readme = "README.md"
urls = { Home = "https://example.org" }
optional-dependencies = { fast = ["numpy"] }
"""


def wheelhouse(folder: Path, dialect: str = "plus", **by_variant: Mapping[str, Any]) -> Path:
    """Write a release with one wheel for each variant; `by_variant` is what make_wheel gets for one."""
    (folder / "pyproject.toml").write_text(CONFIG.format(dialect=dialect))
    for variant in ("generic", "cu128", "cu130"):
        built = make_wheel(folder / variant, PLAIN, **by_variant.get(variant, {}))
        how = ("--generic",) if variant == "generic" else ("--variant", variant)
        config = ("--config", str(folder / "pyproject.toml"), "-o", str(folder / "wheelhouse"))
        assert run("retag", str(built), *how, *config).code == 0
    assert run("metadata", str(folder / "wheelhouse"), "--config", str(folder / "pyproject.toml")).code == 0
    return folder / "wheelhouse"


def stub(folder: Path, release: str, config: Config | None = None, **options: Any) -> dict[str, bytes]:
    """Write an sdist and give its files by their path below the top folder."""
    written = api.stub(api.StubSource(release, public_url=URL, **options), config or Config.parse(""), folder / "dist")
    found = {}
    with tarfile.open(written.path) as archive:
        for member in archive:
            stream = archive.extractfile(member)
            assert stream is not None
            found[member.name.partition("/")[2]] = stream.read()
    return found


def test_what_all_wheels_have_alike_is_static_and_the_rest_dynamic(tmp_path: Path) -> None:
    common = ["Summary: A test", "Requires-Python: >=3.9", "License-File: LICENSE", "Classifier: Topic :: Utilities"]
    folder = wheelhouse(
        tmp_path, generic={"headers": common}, cu128={"headers": common, "requires": ["nvidia-cublas-cu12"]},
        cu130={"headers": common},
    )  # fmt: skip
    info = Checked.from_email(stub(tmp_path, str(folder))["PKG-INFO"], validate=True)
    assert (info.name, str(info.version), info.metadata_version) == ("foo", "1.0", "2.2")
    assert info.dynamic == ["requires-dist"]
    assert (info.summary, str(info.requires_python), info.requires_dist) == ("A test", ">=3.9", None)
    assert info.license_files is None


def test_equal_requirements_are_static(tmp_path: Path) -> None:
    alike = {"requires": ["bar>=1"]}
    folder = wheelhouse(tmp_path, generic=alike, cu128=alike, cu130=alike)
    info = Checked.from_email(stub(tmp_path, str(folder))["PKG-INFO"], validate=True)
    assert (info.dynamic, list(map(str, info.requires_dist or ()))) == (None, ["bar>=1"])


def test_the_same_release_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = wheelhouse(tmp_path)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    one, other = (
        api.stub(api.StubSource(str(folder), public_url=URL), Config.parse(""), tmp_path / name).path
        for name in ("one", "other")
    )
    assert one.read_bytes() == other.read_bytes()
    assert parse_sdist_filename(one.name)[0] == "foo"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    later = api.stub(api.StubSource(str(folder), public_url=URL), Config.parse(""), tmp_path / "later").path
    with tarfile.open(later) as archive:
        assert {member.mtime for member in archive} == {1700000000}
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "now")
    with pytest.raises(UsageError, match="is not a number of seconds"):
        api.stub(api.StubSource(str(folder), public_url=URL), Config.parse(""), tmp_path / "now")


@pytest.mark.parametrize("dialect", ["plus", "pep825"])
def test_the_backend_makes_the_plain_wheel_that_retag_makes(tmp_path: Path, dialect: str) -> None:
    pins = {"extra_info": {"abi-requires.txt": b"num+pypi==2.0.0\n", "entry_points.txt": b"[x]\n"},
            "requires": ["num==2.0.0"]}  # fmt: skip
    folder = wheelhouse(tmp_path, dialect, cu128=pins)
    files = stub(tmp_path, str(folder))
    release = json.loads(files["release.json"])
    wheel = next(item for item in release["wheels"] if item["variant"] == "cu128")
    info = {file: release["texts"][key].encode() for file, key in wheel["info"].items()}
    assert b"Requires-Dist: num==2.0.0\n" in info["METADATA"]
    assert info["abi-requires.txt"] == b"num+pypi==2.0.0\n"
    assert "variant.json" not in info
    load_backend().make_plain(folder / wheel["filename"], tmp_path / PLAIN, wheel, info)
    assert run("retag", str(folder / wheel["filename"]), "--remove", "-o", str(tmp_path / "plain")).code == 0
    made, wanted = contents(tmp_path / PLAIN), contents(tmp_path / "plain" / PLAIN)
    record = InstalledVariant.parse(made.pop(f"foo-1.0.dist-info/{INSTALLED_FILE}"))
    assert (record.variant, record.sha256) == ("cu128", wheel["sha256"])
    rows = [set(item.pop("foo-1.0.dist-info/RECORD").splitlines()) for item in (made, wanted)]
    assert made == wanted
    assert [row.partition(b",")[0].decode() for row in rows[0] - rows[1]] == [f"foo-1.0.dist-info/{INSTALLED_FILE}"]
    assert rows[1] < rows[0]


def test_links_are_those_of_the_public_index_with_hashes(tmp_path: Path) -> None:
    release = json.loads(stub(tmp_path, str(wheelhouse(tmp_path)))["release.json"])
    urls = {wheel["variant"]: wheel["url"] for wheel in release["wheels"]}
    assert urls["cu128"] == f"{URL}/foo/foo-1.0-py3-none-any%2Bcu128.whl"
    assert all(len(wheel["sha256"]) == 64 and wheel["size"] for wheel in release["wheels"])


def test_embedded_generic_wheels_need_no_index(tmp_path: Path) -> None:
    config = Config.parse("").with_stub(embed_generic=True, fallback="generic")
    files = stub(tmp_path, str(wheelhouse(tmp_path)), config)
    assert files[f"wheels/{PLAIN}"] == (tmp_path / "wheelhouse" / PLAIN).read_bytes()
    assert "embedded" not in next(
        item for item in json.loads(files["release.json"])["wheels"] if item["variant"] == "cu128"
    )


def test_projects_of_variants_come_from_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT + CONFIG.format(dialect="plus") + REQUIRES)
    (tmp_path / "README.md").write_text("# Foo\n")
    config = Config.load(tmp_path / "pyproject.toml")
    written = api.stub(api.StubSource(pyproject=tmp_path / "pyproject.toml"), config, tmp_path)
    assert written.path.name == "foo_bar-2.0.tar.gz"
    with tarfile.open(written.path) as archive:
        info, release = (archive.extractfile(f"foo_bar-2.0/{name}").read()  # type: ignore[union-attr]
                         for name in ("PKG-INFO", "release.json"))  # fmt: skip
    assert json.loads(release)["requires"] == {
        "cu128": ["foo-cuda12x==2.0", "foo-cuda12x[fast]==2.0; extra == 'fast'"],
        "cu130": ["foo-cuda13x<2,>=1", "foo-cuda13x[fast]<2,>=1; extra == 'fast'"],
        "generic": ["foo-cpu==2.0", "foo-cpu[fast]==2.0; extra == 'fast'"],
    }
    checked = Checked.from_email(info, validate=True)
    assert (checked.dynamic, checked.summary, checked.provides_extra) == (["requires-dist"], "A test", ["fast"])
    assert checked.description == "# Foo\n"


@pytest.mark.parametrize(
    ("arguments", "more", "message"),
    [
        ((), "", "nothing says which release is meant"),
        (("foo",), "", "neither a folder nor NAME==VERSION"),
        (("foo==1.0",), "", "nothing says where the wheels are"),
        (("foo>=1",), "", "neither a folder nor NAME==VERSION"),
        (("wheelhouse",), "", "nothing says where users will find"),
        (("foo==9", "--index", "wheelhouse"), "", "no wheel of foo 9"),
        (("foo==1.0", "--mode", "requires"), "", "no project is named for variant 'cu128'"),
        (("foo==1.0", "--mode", "requires"), '[tool.variant-publish.stub]\nrequires = { cu12 = "x" }\n', "'cu12'"),
        (("foo==1.0", "--mode", "requires"), '[tool.variant-publish.stub]\nrequires = { cu128 = "x y" }\n',
         "is not a requirement"),
        (("wheelhouse",), '[tool.variant-publish.stub]\nfallback = "plain"\n', "stub.fallback is wrong"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], more: str, message: str
) -> None:
    wheelhouse(tmp_path)
    (tmp_path / "pyproject.toml").write_text(CONFIG.format(dialect="plus") + more)
    monkeypatch.chdir(tmp_path)
    result = run("stub", *arguments)
    assert result.code in (1, 2)
    assert message in result.stderr
    assert "hint:" in result.stderr
    assert not (tmp_path / "dist").exists()


def test_variants_that_nobody_describes_are_refused(tmp_path: Path) -> None:
    folder = wheelhouse(tmp_path)
    (folder / "foo-1.0-wheel-selector.toml").unlink()
    with pytest.raises(VariantPublishError, match="no file that says whom they are for"):
        stub(tmp_path, str(folder))


def test_a_fallback_needs_a_generic_wheel(tmp_path: Path) -> None:
    folder = wheelhouse(tmp_path)
    (folder / PLAIN).unlink()
    with pytest.raises(UsageError, match="has no generic wheel to fall back to"):
        stub(tmp_path, str(folder), Config.parse("").with_stub(fallback="generic"))
