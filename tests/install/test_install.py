"""`install` with the real pip and the real uv, into real environments."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.archives import contents
from support.cli import run
from support.environments import PLAIN, isolate, make_environment, publish, site
from support.http import serving
from support.place import Place
from support.uv import uv
from support.variants import ABI, VARIANTS, write_release
from support.wheels import make_wheel
from variant_publish.formats.installed import INSTALLED_FILE

pytestmark = pytest.mark.slow

CLIENTS = ("pip", "uv")
DIALECTS = ("plus", "pep825")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(tmp_path, isolate(monkeypatch, tmp_path))


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_variant_of_the_machine_is_installed_with_its_dependencies(place: Place, dialect: str, client: str) -> None:
    place.release(dialect, requires=["bar>=1"])
    publish(place.default, "bar-1.0-py3-none-any.whl")
    result = place.install("foo", "--with", client)
    assert result.code == 0, result.stderr
    assert (place.variant(), place.variant("bar")) == ("cu128", "generic")
    record = place.record()
    mark = "+" if dialect == "plus" else "-"
    wheel = place.index / PLAIN.replace(".whl", f"{mark}cu128.whl")
    assert (record.wheel, record.variant) == (wheel.name, "cu128")
    assert record.sha256 == hashlib.sha256(wheel.read_bytes()).hexdigest()
    rows = (site(place.environment) / "foo-1.0.dist-info" / "RECORD").read_text("utf-8")
    assert f"foo-1.0.dist-info/{INSTALLED_FILE},sha256=" in rows


@pytest.mark.parametrize("client", CLIENTS)
def test_a_variant_of_the_same_version_takes_the_place_of_another(place: Place, client: str) -> None:
    place.release()
    for cuda, variant in (("none", "generic"), ("12.9", "cu128"), ("13.0", "cu130"), ("11.8", "generic")):
        result = place.install("foo", "--with", client, "--format", "json", cuda=cuda)
        assert result.code == 0, result.stderr
        assert place.variant() == variant
        assert place.record().variant == variant
    again = json.loads(place.install("foo", "--with", client, "--format", "json", cuda="11.8").stdout)
    assert [item["action"] for item in again["chosen"]] == ["keep"]


def test_nothing_is_taken_from_elsewhere_alone(place: Place) -> None:
    place.release()
    publish(place.default, "bar-1.0-py3-none-any.whl")
    result = place.install("bar")
    assert (result.code, "neither bar nor anything that it requires is on " in result.stderr) == (1, True)
    assert not list(site(place.environment).glob("bar*"))
    make_wheel(place.index, "app-2.0-py3-none-any.whl", requires=["bar"])
    assert place.install("app").code == 0


@pytest.mark.parametrize("client", CLIENTS)
def test_a_dependency_that_has_variants_gets_one_too(place: Place, client: str) -> None:
    place.release()
    make_wheel(place.index, "app-2.0-py3-none-any.whl", requires=["middle"])
    publish(place.default, "middle-1.0-py3-none-any.whl", requires=["foo==1.0"])
    result = place.install("app", "--with", client)
    assert result.code == 0, result.stderr
    assert place.variant() == "cu128"
    if client == "pip":  # uv marks everything as requested
        requested = {path.parent.name for path in site(place.environment).glob("*/REQUESTED")}
        assert requested == {"app-2.0.dist-info"}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_download_is_checked_and_kept(place: Place, client: str) -> None:
    place.release()
    with serving(place.folder / "www") as address:
        config = place.folder / "pyproject.toml"
        config.write_text(
            config.read_text() + f'[tool.variant-publish.upload]\nextra-index = "file:{place.folder}/www"\n'
        )
        options = ("--split", "large-to-s3", "--no-repository", "--config", str(config))
        assert run("upload", str(place.index), *options).code == 0
        result = place.install("foo", "--with", client, "--dry-run", index=address)
        assert result.code == 0, result.stderr
        assert not list(site(place.environment).glob("foo*"))
        served = next((place.folder / "www").glob("**/*cu128.whl"))
        served.write_bytes(served.read_bytes()[:-1] + b"?")  # the cache has it: nothing is downloaded again
        assert place.install("foo", "--with", client, index=address).code == 0
        assert place.variant() == "cu128"
        served = next((place.folder / "www").glob("**/*cu130.whl"))
        served.write_bytes(served.read_bytes()[:-1] + b"?")
        broken = place.install("foo", "--with", client, cuda="13.0", index=address)
    assert broken.code == 1
    assert "SHA-256" in broken.stderr
    assert place.variant() == "cu128"


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_abi_pin_binds(place: Place, dialect: str, client: str) -> None:
    place.release(dialect, extra_info={"abi-requires.txt": b"num+pypi==2.0.0\n"}, requires=["num==2.0.0"])
    for version in ("2.0.0", "2.1.0"):
        publish(place.default, f"num-{version}-py3-none-any.whl", files={"num.py": b"VARIANT = 'pypi'\n"})
    result = place.install("foo", "--with", client)
    assert result.code == 0, result.stderr
    assert (place.variant("num"), place.record("num").tags) == ("pypi", ("pypi",))
    assert place.install("foo", "--with", client).code == 0

    # The same version, built here: refused, and left alone.
    local = make_wheel(place.folder / "local", "num-2.0.0-py3-none-any.whl", files={"num.py": b"VARIANT = 'local'\n"})
    other = make_environment(place.folder / "other")
    command = [sys.executable, "-m", "pip", "--python", str(other), "install", "--no-deps", "--quiet", str(local)]
    subprocess.run(command, check=True)
    refused = place.install("foo", "--with", client, "--python", str(other))
    assert refused.code == 1
    assert "num+pypi==2.0.0 is asked for" in refused.stderr
    assert "ABI" in refused.stderr
    assert not (site(other) / "foo.py").exists()


BACKEND = """
from shutil import copy
def build_wheel(folder, settings=None, metadata=None):
    return copy("numpy-2.0.0-py3-none-any.whl", folder).rpartition("/")[2]
"""
LOCAL = ["a folder", "a file", "an index"]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("origin", LOCAL)
def test_a_wheel_that_is_pinned_to_pypis_numpy_refuses_a_local_one(place: Place, origin: str, client: str) -> None:
    place.release(extra_info={"abi-requires.txt": b"numpy+pypi==2.0.0\n"}, requires=["numpy==2.0.0"])
    publish(place.default, "numpy-2.0.0-py3-none-any.whl", files={"numpy.py": b"VARIANT = 'pypi'\n"})
    built = place.folder / "built"
    local = make_wheel(built, "numpy-2.0.0-py3-none-any.whl", tags=["py3-none-linux_x86_64"])
    (built / "backend.py").write_text(BACKEND, encoding="utf-8")
    table = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    (built / "pyproject.toml").write_text(table, encoding="utf-8")
    what = {
        "a folder": [str(built)], "a file": [str(local)],
        "an index": ["--no-index", "--find-links", str(built), "numpy"],
    }[origin]  # fmt: skip
    command = [sys.executable, "-m", "pip", "--python", str(place.environment), "install", "--no-deps", "--quiet"]
    subprocess.run([*command, *what], check=True)
    refused = place.install("foo", "--with", client)
    assert refused.code == 1, refused.stdout
    message, hint = refused.stderr.strip().splitlines()[-2:]
    assert message.startswith("error: numpy+pypi==2.0.0 is asked for, and numpy 2.0.0 ")
    reason = {"a folder": "was built from file:", "a file": "which is not on the index", "an index": "built elsewhere"}
    assert reason[origin] in message
    assert hint.strip() == "hint: uninstall numpy and run the command again: it installs the build that is meant"
    assert (place.variant("numpy"), list(site(place.environment).glob("foo*"))) == ("generic", [])

    # What the hint says helps.
    remove = [sys.executable, "-m", "pip", "--python", str(place.environment), "uninstall", "--yes", "--quiet", "numpy"]
    subprocess.run(remove, check=True)
    assert place.install("foo", "--with", client).code == 0
    assert place.variant("numpy") == "pypi"


@pytest.mark.parametrize("client", CLIENTS)
def test_an_index_that_nobody_vouches_for_does_not_serve_a_pin(place: Place, client: str) -> None:
    place.release(extra_info={"abi-requires.txt": b"numpy+pypi==2.0.0\n"}, requires=["numpy==2.0.0"])
    make_wheel(place.index, "numpy-2.0.0-py3-none-any.whl")
    refused = place.install("foo", "--with", client)
    assert refused.code == 1, refused.stdout
    assert "numpy" in next(line for line in refused.stderr.splitlines() if line.startswith("error: "))
    assert not list(site(place.environment).glob("*.dist-info"))
    publish(place.default, "numpy-2.0.0-py3-none-any.whl", files={"numpy.py": b"VARIANT = 'pypi'\n"})
    assert place.install("foo", "--with", client).code == 0
    assert place.variant("numpy") == "pypi"


@pytest.mark.parametrize("client", CLIENTS)
def test_what_the_client_installed_from_the_index_satisfies_a_pin(place: Place, client: str) -> None:
    place.release(extra_info={"abi-requires.txt": b"num+pypi==2.0.0\n"})
    publish(place.default, "num-2.0.0-py3-none-any.whl")
    make_wheel(place.folder / "none", "bar-1.0-py3-none-any.whl", requires=["num"])
    assert place.install("bar", "--with", client, index=str(place.folder / "none")).code == 0
    result = place.install("foo", "--with", client, "--format", "json")
    assert result.code == 0, result.stderr
    assert [item["project"] for item in json.loads(result.stdout)["chosen"]] == ["foo"]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_local_build_on_an_index_does_not_satisfy_a_tag(place: Place, client: str) -> None:
    make_wheel(place.index, "num-2.0.0-py3-none-any.whl")
    refused = place.install("num+pypi==2.0.0", "--with", client)
    assert refused.code == 1
    assert "does not carry +pypi" in refused.stderr
    vouched = run("install", "num+pypi==2.0.0", "--index", f"pypi={place.index}", "--python", str(place.environment),
                  "--with", client)  # fmt: skip
    assert vouched.code == 0, vouched.stderr
    assert place.record("num").tags == ("pypi",)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_target_folder_gets_the_files(place: Place, client: str) -> None:
    place.release()
    target = place.folder / "target"
    for cuda, variant in (("12.9", "cu128"), ("13.0", "cu130")):
        result = place.install("foo", "--with", client, "--target", str(target), cuda=cuda)
        assert result.code == 0, result.stderr
        assert (target / "foo.py").read_text() == f"VARIANT = {variant!r}\n"
        assert (target / "foo-1.0.dist-info" / INSTALLED_FILE).exists()


@pytest.mark.parametrize("client", CLIENTS)
def test_what_the_client_refuses_is_one_sentence(place: Place, client: str) -> None:
    place.release(requires=["nowhere"])
    result = place.install("foo", "--with", client)
    assert result.code == 1
    assert f"{client} failed" in result.stderr
    assert "nowhere" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_plain_wheel_is_a_raw_copy(place: Place) -> None:
    place.release(extra_info={"abi-requires.txt": b""})
    assert place.install("foo").code == 0
    [plain] = (place.folder / "cache").glob("**/*.whl")
    assert plain.name == PLAIN
    assert contents(plain)["foo.py"] == b"VARIANT = 'cu128'\n"


def test_a_mistake_is_one_sentence(place: Place) -> None:
    place.release()
    for arguments, code, message in (
        (("foo", "--python", "/nowhere"), 2, "no Python"),
        (("foo==",), 2, "not valid"),
        (("foo==9",), 1, "has no wheel of foo==9 for this machine: none of that version"),
        (("-r", "/nowhere.txt"), 2, "/nowhere.txt cannot be read"),
    ):
        result = place.install(*arguments)
        assert result.code == code, result.stderr
        assert message in result.stderr
        assert "Traceback" not in result.stderr
    result = run("install", "foo", "--index", str(place.index), "--", "--index-url", "x")
    assert (result.code, "'--index-url' is not the client's to say here" in result.stderr) == (2, True)


@pytest.mark.parametrize("client", CLIENTS)
def test_markers_ask_for_selector_variables(place: Place, client: str) -> None:
    # They stand in +tag wheels, which only tools that know the variables read, and on the command line.
    place.release(
        requires=["bar; cuda >= '12.9'", "baz; cuda < '12.9' and os_name != ''", "num+pypi==2.0.0; cuda != 'none'"]
    )
    for path in place.index.glob("*any.whl"):
        path.unlink()
    for name in ("bar-1.0", "baz-1.0", "num-2.0.0"):
        publish(place.default, f"{name}-py3-none-any.whl")
    for cuda, name in (("12.8", "baz"), ("12.9", "bar"), ("12.8", "baz")):
        target = place.folder / f"target-{cuda}-{len(list(place.folder.iterdir()))}"
        done = place.install("foo; cuda != 'none'", "--with", client, "--target", str(target), cuda=cuda)
        assert done.code == 0, done.stderr
        assert {path.name.partition("-")[0] for path in target.glob("*.dist-info")} == {"foo", "num", name}
        assert (target / "foo-1.0.dist-info" / "abi-requires.txt").read_text() == "num+pypi==2.0.0\n"
    nothing = place.install("foo; cuda == 'none'", "bar", "--with", client, "--dry-run", "--format", "json")
    assert json.loads(nothing.stdout)["chosen"] == []


def test_a_lock_is_for_the_machine_that_it_was_made_for(place: Place) -> None:
    place.release(requires=["bar; cuda >= '12.9'"])
    publish(place.default, "bar-1.0-py3-none-any.whl")
    lock = str(place.folder / "pylock.toml")
    assert run("lock", "foo", "--index", str(place.index), "--set", "cuda=12.9", "-o", lock).code == 0
    refused = run("install", "--lock", lock, "--python", str(place.environment), "--set", "cuda=none")
    assert refused.code == 1
    assert "the lock is for another machine" in refused.stderr
    assert "cuda is none here, and it needs 12.8 or 12.9 or 13.0" in refused.stderr
    done = run("install", "--lock", lock, "--python", str(place.environment), "--set", "cuda=13.0")
    assert done.code == 0, done.stderr
    assert (site(place.environment) / "bar-1.0.dist-info").exists()
    assert "cuda" not in (site(place.environment) / "foo-1.0.dist-info" / "METADATA").read_text()


@pytest.mark.parametrize("client", CLIENTS)
def test_freeze_tells_name_and_version_and_no_path_of_the_cache(place: Place, client: str) -> None:
    place.release(requires=["bar"])
    publish(place.default, "bar-1.0-py3-none-any.whl")
    for cuda in ("12.9", "12.9", "13.0"):  # installed, kept, replaced
        assert place.install("foo", "--with", client, cuda=cuda).code == 0
        frozen = uv("pip", "freeze", "--python", place.environment).stdout
        assert frozen.split() == ["bar==1.0", "foo==1.0"]
        pip = [sys.executable, "-m", "pip", "--python", str(place.environment)]
        assert subprocess.run([*pip, "freeze"], check=True, capture_output=True, encoding="utf-8").stdout == frozen
        assert place.record().values == {"cuda": cuda}
    subprocess.run([*pip, "uninstall", "--quiet", "--yes", "foo"], check=True)
    assert not list(site(place.environment).glob("foo*"))


@pytest.mark.parametrize("client", CLIENTS)
def test_all_tags_of_a_demand_bind(place: Place, client: str) -> None:
    place.release("pep825")
    refused = place.install("foo+pypi+cu130", "--with", client, cuda="13.0")
    assert refused.code == 1
    assert "does not carry +pypi+cu130" in refused.stderr
    vouched = run("install", "foo+pypi+cu128", "--index", f"pypi={place.index}", "--set", "cuda=13.0", "--with", client,
                  "--python", str(place.environment))  # fmt: skip
    assert vouched.code == 0, vouched.stderr
    assert place.variant() == "cu128"


@pytest.mark.parametrize("client", CLIENTS)
def test_a_build_that_needs_a_build_of_a_dependency_gets_it(place: Place, client: str) -> None:
    place.release("plus", project="bar")
    make_wheel(place.index, "app-1.0-py3-none-any.whl", requires=["bar==1.0"],
               extra_info={"abi-requires.txt": b"bar+cu128==1.0\n"})  # fmt: skip
    result = place.install("app", "--with", client, cuda="13.0")
    assert result.code == 0, result.stderr
    assert place.variant("bar") == "cu128"


@pytest.mark.parametrize("client", CLIENTS)
def test_files_of_requirements_and_constraints_have_tags(place: Place, client: str) -> None:
    place.release("plus")
    for version in ("1.0", "2.0"):
        publish(place.default, f"bar-{version}-py3-none-any.whl")
    (place.folder / "more.txt").write_text("bar\n", encoding="utf-8")
    (place.folder / "in.txt").write_text("foo  # a comment\n-r more.txt\n", encoding="utf-8")
    (place.folder / "c.txt").write_text("foo+cu128\nbar<2\n", encoding="utf-8")
    files = ("-r", str(place.folder / "in.txt"), "-c", str(place.folder / "c.txt"))
    result = place.install(*files, "--with", client, cuda="13.0")
    assert result.code == 0, result.stderr
    assert place.variant() == "cu128"
    assert (site(place.environment) / "bar-1.0.dist-info").exists()
    upgraded = place.install("-U", "-r", files[1], "--with", client, cuda="13.0")
    assert upgraded.code == 0, upgraded.stderr
    assert place.variant() == "cu130"
    assert (site(place.environment) / "bar-2.0.dist-info").exists()


@pytest.mark.parametrize("client", CLIENTS)
def test_a_plain_package_gets_a_dependency_that_has_variants_only(place: Place, client: str) -> None:
    place.release("plus")
    (place.index / PLAIN).unlink()
    publish(place.default, "app-1.0-py3-none-any.whl", requires=["foo"])
    result = place.install("app", "--with", client)
    assert result.code == 0, result.stderr
    assert place.variant() == "cu128"


@pytest.mark.parametrize("client", CLIENTS)
def test_the_first_index_owns_a_project_and_says_so_where_nothing_fits(place: Place, client: str) -> None:
    make_wheel(place.index, "foo-1.0-cp27-cp27m-win32.whl")
    publish(place.default, "foo-9.0-py3-none-any.whl")
    publish(place.default, "app-1.0-py3-none-any.whl", requires=["foo"])
    for asked in ("foo", "app"):
        refused = place.install(asked, "--with", client)
        assert refused.code == 1, refused.stdout
        assert not list(site(place.environment).glob("foo*"))
    assert "platform tag win32 does not fit this machine" in place.install("foo", "--with", client).stderr


@pytest.mark.parametrize("client", CLIENTS)
def test_the_resolver_takes_the_build_for_what_is_asked_for(place: Place, client: str) -> None:
    write_release(place.index, {**VARIANTS, **ABI}, requires=["torch"])
    for version in ("2.8.0", "2.9.1", "2.10.0"):
        publish(place.default, f"torch-{version}-py3-none-any.whl")
    for torch, found, variant in (("2.8.0", "1.0+torch2.8", "torch2.8"), ("2.9.1", "1.0+torch2.9", "torch2.9"),
                                  ("2.10.0", "1.0", "generic")):  # fmt: skip
        target = place.folder / torch
        result = place.install("foo", f"torch=={torch}", "--with", client, "--target", str(target), cuda="none")
        assert result.code == 0, result.stderr
        assert (target / f"foo-{found}.dist-info" / INSTALLED_FILE).exists()
        assert variant in (target / "foo.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("client", CLIENTS)
def test_a_pre_release_is_taken_when_it_is_asked_for(place: Place, client: str) -> None:
    for version in ("1.0", "2.0rc1"):
        write_release(place.index, version=version)
    for options, found in (((), "1.0"), (("--pre", "-U"), "2.0rc1")):
        result = place.install("foo", *options, "--with", client)
        assert result.code == 0, result.stderr
        assert [path.name for path in site(place.environment).glob("foo-*")] == [f"foo-{found}.dist-info"]
        assert (place.record().version, place.record().variant) == (found, "cu128")


@pytest.mark.parametrize("client", CLIENTS)
def test_what_stands_after_two_dashes_is_the_clients(place: Place, client: str) -> None:
    place.release(requires=["bar", "gone"])
    publish(place.default, "bar-1.0-py3-none-any.whl")
    options = ("--with", client, "--python", str(place.environment), "--index", str(place.index), "--set", "cuda=12.9")
    assert run("install", "foo", *options).code == 1  # gone is nowhere
    result = run("install", "foo", *options, "--", "--no-deps")
    assert result.code == 0, result.stderr
    assert place.variant() == "cu128"
    assert not list(site(place.environment).glob("bar*"))
    refused = run("install", "foo", *options, "--", "--extra-index-url", "https://other.example.org/simple")
    assert refused.code == 2
    assert "'--extra-index-url' is not the client's to say here" in refused.stderr
