"""`lock --universal`: one lock for every machine; each installs its own files of it, without any index."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.pylock import Pylock

from support.cli import Result, run
from support.environments import isolate, make_environment, publish, site
from support.place import Place
from support.uv import uv
from support.wheels import make_wheel
from variant_publish.formats.pylock import Lock
from variant_publish.install.uv import Universal

pytestmark = pytest.mark.slow

DIALECTS = ("plus", "pep825")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Make a release whose CUDA variants need a package that the generic wheel does not."""
    place = Place(tmp_path, isolate(monkeypatch, tmp_path))
    for name in ("bar-1.0", "bar-2.0", "cublas-12.1", "winonly-1.0"):
        requires = ["winonly; sys_platform == 'win32'"] if name.startswith("bar") else []
        publish(place.default, f"{name}-py3-none-any.whl", requires=requires)
    return place


def release(place: Place, dialect: str) -> None:
    config = place.folder / "pyproject.toml"
    place.release(dialect, requires=["bar<2"])
    text = config.read_text() + '[tool.variant-publish.variants.cu128.requires]\nadd = ["cublas>=12"]\n'
    config.write_text(text)
    for path in place.index.glob("*cu128.whl"):
        path.unlink()
    built = next((place.folder / "cu128").glob("*.whl"))
    assert run("retag", str(built), "--variant", "cu128", "--config", str(config), "-o", str(place.index)).code == 0


def lock(place: Place, *arguments: str, name: str = "pylock.toml") -> Result:
    return run("lock", "foo", "--index", str(place.index), "--universal", "-o", str(place.folder / name), *arguments)


def install(place: Place, folder: Path, *arguments: str) -> dict[str, str]:
    """Install the lock into a new environment and give what is there: name and version -> RECORD."""
    environment = make_environment(folder)
    done = run("install", "--lock", str(place.folder / "pylock.toml"), "--python", str(environment), *arguments)
    assert done.code == 0, done.stderr
    return {
        path.parent.name.removesuffix(".dist-info"): path.read_text() for path in site(environment).glob("*/RECORD")
    }


def test_what_uv_says_is_read_with_its_forks() -> None:
    lock = """
    lock-version = "1.0"
    requires-python = ">=3.9"
    [[packages]]
    name = "bar"
    version = "1.0"
    marker = "python_full_version < '3.10'"
    wheels = [{ url = "https://example.org/bar-1.0-py3-none-any.whl", hashes = { sha256 = "0000000000000000000000000000000000000000000000000000000000000000" } }]
    [[packages]]
    name = "bar"
    version = "2.0"
    marker = "python_full_version >= '3.10'"
    sdist = { url = "https://example.org/bar-2.0.tar.gz", hashes = { sha256 = "1111111111111111111111111111111111111111111111111111111111111111" } }
    """
    tree = (
        "bar==1.0 ; python_full_version < '3.10'\n    # via\n    #   -r requirements.in\n    #   Foo_Baz\n"
        "bar==2.0 ; python_full_version >= '3.10'\n    # via foo-baz\nfoo-baz[x]==1\n    # via -r requirements.in\n"
    )
    found = Universal.of(lock, tree)
    assert [(str(item.version), marker[-8:]) for item, marker in found.packages] == [
        ("1.0", "< '3.10'"), ("2.0", "= '3.10'"),
    ]  # fmt: skip
    assert (found.requires, found.requires_python) == ({"foo-baz": ("bar",)}, ">=3.9")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_machine_gets_its_own_files_of_one_lock(place: Place, dialect: str) -> None:
    release(place, dialect)
    result = lock(place)
    assert result.code == 0, result.stderr
    text = (place.folder / "pylock.toml").read_text("utf-8")
    assert Lock.parse(text).dumps() == text
    parsed = Pylock.from_dict(tomllib.loads(text))
    assert [str(package.name) for package in parsed.packages] == ["bar", "cublas", "foo", "winonly"]
    foo = Lock.parse(text).packages[2]
    assert [file.name for file in foo.files] == ["foo-1.0-py3-none-any.whl"]
    assert len(foo.variants) == 2
    assert ("variants-json" in text) == (dialect == "pep825")
    assert ("wheel-selector" in text) == (dialect == "plus")

    make_wheel(place.index, "foo-1.1-py3-none-any.whl")  # newer than the lock
    found = {}
    for cuda in ("none", "12.9", "13.0"):
        found[cuda] = install(place, place.folder / f"cuda-{cuda}", "--set", f"cuda={cuda}")
        module = (site(place.folder / f"cuda-{cuda}") / "foo.py").read_text()
        assert module == f"VARIANT = { ({'none': 'generic', '12.9': 'cu128', '13.0': 'cu130'}[cuda])!r}\n"
    assert set(found["none"]) == set(found["13.0"]) == {"foo-1.0", "bar-1.0"}
    assert set(found["12.9"]) == {"foo-1.0", "bar-1.0", "cublas-12.1"}


def test_the_same_machine_gets_the_same_files_elsewhere_and_later(place: Place) -> None:
    release(place, "pep825")
    assert lock(place).code == 0
    described = place.folder / "gpu.toml"
    assert run("host", "--set", "cuda=12.9", "--save", str(described)).code == 0
    here = install(place, place.folder / "here", "--host", str(described), "--with", "pip")
    for name in ("variants.json", "wheel-selector.toml"):
        for path in place.index.glob(f"*-{name}"):
            path.unlink()  # the lock holds what is chosen by
    shutil.rmtree(place.folder / "cache")
    there = install(place, place.folder / "there", "--host", str(described), "--with", "uv")
    assert set(here) == set(there)
    files = [
        {path.name: path.read_bytes() for path in site(place.folder / name).glob("*.py")} for name in ("here", "there")
    ]
    assert files[0] == files[1]
    generic = install(place, place.folder / "generic", "--host", str(described), "--generic")
    assert set(generic) == {"foo-1.0", "bar-1.0"}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_clients_of_today_install_the_generic_wheels_and_nothing_of_the_variants(
    place: Place, dialect: str
) -> None:
    release(place, dialect)
    assert lock(place).code == 0
    file = str(place.folder / "pylock.toml")
    pip = [sys.executable, "-m", "pip", "--python", str(place.environment), "install", "--no-index", "-r", file]
    subprocess.run(pip, check=True, capture_output=True)
    other = make_environment(place.folder / "other")
    done = uv("pip", "sync", "--python", other, "--preview-features", "pylock", file)
    assert done.returncode == 0, done.stderr
    for environment in (place.environment, other):
        assert (site(environment) / "foo.py").read_text() == "VARIANT = 'generic'\n"
        assert not list(site(environment).glob("cublas*"))
        assert list(site(environment).glob("bar-1.0*"))


def test_a_lock_of_an_index_on_a_server_names_what_the_server_has(place: Place) -> None:
    from support.http import serving

    release(place, "plus")
    extra = f"file:{place.folder}/www"
    config = ("--config", str(place.folder / "pyproject.toml"))
    assert run("upload", str(place.index), "--extra-index", extra, "--no-repository", *config).code == 0
    with serving(place.folder / "www") as address:
        result = run("lock", "foo", "--index", address, "--universal", "-o", str(place.folder / "pylock.toml"))
        assert result.code == 0, result.stderr
        foo = Lock.parse((place.folder / "pylock.toml").read_text("utf-8")).packages[2]
        assert [variant.file.url.partition("/foo/")[0] for variant in foo.variants] == [address] * 2
        assert foo.variants[0].requires == ("bar", "cublas")
        assert set(install(place, place.folder / "here", "--set", "cuda=12.9")) == {"foo-1.0", "bar-1.0", "cublas-12.1"}


def test_a_package_that_only_one_variant_needs_is_chosen_only_for_it(place: Place) -> None:
    release(place, "plus")
    for name in ("cublas-12.1-py3-none-any+cu128.whl", "cublas-12.1-py3-none-win_amd64.whl"):
        make_wheel(place.index, name)
    selector = (place.index / "foo-1.0-wheel-selector.toml").read_text()
    (place.index / "cublas-12.1-wheel-selector.toml").write_text(
        selector.replace('"cu130", ', "").replace(', ""]', "]")
    )
    assert lock(place).code == 0, lock(place).stderr
    # There is no wheel of cublas for a machine without a driver, and no need of one.
    assert set(install(place, place.folder / "none", "--set", "cuda=none")) == {"foo-1.0", "bar-1.0"}
    assert set(install(place, place.folder / "gpu", "--set", "cuda=12.9")) == {"foo-1.0", "bar-1.0", "cublas-12.1"}


def test_what_cannot_be_universal_is_refused_in_one_sentence(place: Place) -> None:
    release(place, "plus")
    for arguments, message in (
        (("--format", "requirements"), "markers know neither CPU levels nor drivers"),
        (("--set", "cuda=12.9"), "is for every machine"),
        (("--generic",), "is for every machine"),
        (("--with", "pip"), "pip resolves for one machine only"),
        (("foo+cu128",), "asks for one variant"),
    ):
        result = lock(place, *arguments)
        assert result.code == 2, result.stderr
        assert message in result.stderr
        assert "hint:" in result.stderr


def test_variants_that_need_different_versions_are_told_apart_by_uv(place: Place) -> None:
    release(place, "plus")
    config = place.folder / "pyproject.toml"
    config.write_text(config.read_text().replace("cublas>=12", "bar>=2"))
    for path in place.index.glob("*cu128.whl"):
        path.unlink()
    built = next((place.folder / "cu128").glob("*.whl"))
    assert run("retag", str(built), "--variant", "cu128", "--config", str(config), "-o", str(place.index)).code == 0
    result = lock(place)
    assert result.code == 1
    assert "bar" in result.stderr
    assert not (place.folder / "pylock.toml").exists()
