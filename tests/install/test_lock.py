"""`lock` for one machine, `install --lock` on another; and what the real pip and uv make of the files."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.pylock import Pylock

from support.cli import Result, run
from support.environments import isolate, make_environment, publish, site
from support.place import Place
from support.uv import PREVIEW, uv
from support.wheels import make_wheel
from variant_publish.formats.pylock import Lock

pytestmark = pytest.mark.slow

CLIENTS = ("pip", "uv")
DIALECTS = ("plus", "pep825")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    place = Place(tmp_path, isolate(monkeypatch, tmp_path))
    publish(place.default, "bar-1.0-py3-none-any.whl")
    publish(place.default, "bar-2.0-py3-none-any.whl")
    return place


def lock(place: Place, *arguments: str, cuda: str = "12.9", name: str = "pylock.toml") -> Result:
    output = ("-o", str(place.folder / name))
    return run("lock", "foo", "--index", str(place.index), "--set", f"cuda={cuda}", *output, *arguments)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_lock_gives_the_same_files_on_another_machine(place: Place, dialect: str, client: str) -> None:
    place.release(dialect, requires=["bar<2"])
    result = lock(place, "--with", client)
    assert result.code == 0, result.stderr
    text = (place.folder / "pylock.toml").read_text("utf-8")
    assert Lock.parse(text).dumps() == text
    packages = Pylock.from_dict(tomllib.loads(text)).packages
    assert [(package.name, str(package.version)) for package in packages] == [("bar", "1.0"), ("foo", "1.0")]

    make_wheel(place.index, "foo-1.1-py3-none-any.whl")  # newer than the lock
    done = run("install", "--lock", str(place.folder / "pylock.toml"), "--python", str(place.environment),
               "--with", client, "--set", "cuda=13.0")  # fmt: skip
    assert done.code == 0, done.stderr
    assert place.variant() == "cu128"
    assert (site(place.environment) / "bar-1.0.dist-info").exists()
    assert place.record().values["cuda"] == "12.9"


@pytest.mark.parametrize("client", CLIENTS)
def test_a_lock_for_another_platform(place: Place, client: str) -> None:
    for arch in ("x86_64", "aarch64"):
        make_wheel(place.index, f"foo-1.0-cp313-cp313-manylinux_2_28_{arch}.whl", requires=["bar", "baz"])
        publish(place.default, f"baz-1.0-cp313-cp313-manylinux_2_17_{arch}.whl")
    file = place.folder / "variants.toml"
    platform = ("--python-version", "3.13", "--platform", "manylinux_2_28_aarch64")
    assert run("host", *platform, "--save", str(file)).code == 0
    result = lock(place, "--with", client, "--host", str(file))
    assert result.code == 0, result.stderr
    found = Lock.parse((place.folder / "pylock.toml").read_text("utf-8"))
    assert [package.files[0].name for package in found.packages] == [
        "bar-2.0-py3-none-any.whl",
        "baz-1.0-cp313-cp313-manylinux_2_17_aarch64.whl",
        "foo-1.0-cp313-cp313-manylinux_2_28_aarch64.whl",
    ]
    assert found.host is not None
    assert found.host.platform == "manylinux_2_28_aarch64"


def test_uv_installs_the_variant_of_a_requirements_file(place: Place) -> None:
    place.release("pep825", requires=["bar<2"])
    assert lock(place, "--format", "requirements", name="requirements.txt").code == 0
    file = place.folder / "requirements.txt"
    assert file.read_text("utf-8").count("--hash=sha256:") == 2
    driver = {"NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": "12.9"}
    install = ("pip", "install", "--python", place.environment, "--require-hashes", "--no-index", "-r", file)
    done = uv(*install, *PREVIEW, env=driver)
    assert done.returncode == 0, done.stderr
    assert place.variant() == "cu128"
    file.write_text(re.sub("sha256:[0-9a-f]{8}", "sha256:00000000", file.read_text("utf-8")), "utf-8")
    refused = uv(*install, "--reinstall", *PREVIEW, env=driver)
    assert refused.returncode != 0


def test_a_tagged_wheel_cannot_stand_in_a_requirements_file(place: Place) -> None:
    place.release("plus")
    result = lock(place, "--format", "requirements")
    assert result.code == 1
    assert "install --lock" in result.stderr


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_clients_of_today_install_the_generic_wheels_of_a_lock(place: Place, dialect: str) -> None:
    place.release(dialect, requires=["bar<2"])
    assert lock(place).code == 0
    file = str(place.folder / "pylock.toml")
    pip = [sys.executable, "-m", "pip", "--python", str(place.environment), "install", "--no-index", "-r", file]
    subprocess.run(pip, check=True, capture_output=True)
    assert place.variant() == "generic"
    other = make_environment(place.folder / "other")
    done = uv("pip", "sync", "--python", other, "--preview-features", "pylock", file)
    assert done.returncode == 0, done.stderr
    assert (site(other) / "foo.py").read_text() == "VARIANT = 'generic'\n"


def test_a_mistake_is_one_sentence(place: Place) -> None:
    (place.folder / "pylock.toml").write_text('lock-version = "1.0"\n')
    for arguments, code in ((("--lock", str(place.folder / "pylock.toml")), 1), ((), 2), (("foo",), 2)):
        result = run("install", *arguments, "--python", str(place.environment))
        assert result.code == code, result.stderr
        assert "hint:" in result.stderr
        assert "Traceback" not in result.stderr
