"""A selector sdist with real pips of four years and the real uv: the right wheel, or an error that says what to do."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.archives import assert_gap_free, contents
from support.cli import run
from support.environments import CONFIG, PLAIN
from support.http import serving
from support.pips import PIPS, RealPip, fetch_pip
from support.uv import uv
from support.wheels import make_wheel
from variant_publish.formats.installed import INSTALLED_FILE
from variant_publish.providers.machine import Machine

pytestmark = pytest.mark.slow

FORCE = "NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION"
MORE = """
[tool.variant-publish.variants.v3]
properties = ["x86_64 :: level :: v3"]
[tool.variant-publish.stub.requires]
generic = "foo-cpu"
cu128 = "foo-cuda12x"
cu130 = "foo-cuda13x"
v3 = "foo-cpu"
"""
OLDEST, NEWEST = next(iter(PIPS)), list(PIPS)[-1]
DIALECTS = {"uv": "pep825", **{version: ("plus", "pep825")[place % 2] for place, version in enumerate(PIPS)}}
"""Each client reads one dialect: a run of pip takes seconds, and the backend sees the same either way."""


def clients(*names: str) -> pytest.MarkDecorator:
    """Run a test with these clients, each in its dialect."""
    cases = [pytest.param(DIALECTS[name], name, id=f"{name}-{DIALECTS[name]}") for name in names]
    return pytest.mark.parametrize(("shop", "client"), cases, indirect=["shop"])


class Shop:
    """Hold a package index of everybody, an extra index with the variants, and what is installed from them."""

    def __init__(self, folder: Path, dialect: str) -> None:
        self.folder = folder
        self.www = folder / "www"
        self.config = folder / "pyproject.toml"
        self.config.write_text(CONFIG.format(dialect=dialect) + MORE)
        self.address = ""
        for variant in ("generic", "cu128", "cu130", "v3"):
            requires = ["bar"] if variant.startswith("cu") else []
            module = {"foo.py": f"VARIANT = {variant!r}\n".encode()}
            built = make_wheel(folder / variant, PLAIN, files=module, requires=requires)
            how = ("--generic",) if variant == "generic" else ("--variant", variant)
            assert self.call("retag", str(built), *how, "-o", str(folder / "wheelhouse")) == 0
        extra = f"file:{self.www}/extra"
        assert self.call("upload", str(folder / "wheelhouse"), "--extra-index", extra, "--no-repository") == 0
        self.sell(make_wheel(folder / "others", "bar-1.0-py3-none-any.whl"))
        for name in ("foo_cpu", "foo_cuda12x", "foo_cuda13x"):
            files = {"foo.py": f"VARIANT = {name!r}\n".encode()}
            self.sell(make_wheel(folder / "others", f"{name}-1.0-py3-none-any.whl", files=files))

    def call(self, *arguments: str) -> int:
        return run(*arguments, "--config", str(self.config)).code

    def stub(self, *arguments: str) -> Path:
        output = self.folder / "dist"
        result = run("stub", "foo==1.0", "--index", f"{self.address}/extra", "-o", str(output), "--format", "json",
                     "--config", str(self.config), *arguments)  # fmt: skip
        assert result.code == 0, result.stderr
        sdist = Path(json.loads(result.stdout)["sdist"])
        self.sell(sdist)
        return sdist

    def sell(self, file: Path) -> None:
        """Put a file on the index of everybody."""
        project = self.www / "pypi" / file.name.partition("-")[0].replace("_", "-")
        project.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, project)
        links = [
            f'<a href="{path.name}#sha256={hashlib.sha256(path.read_bytes()).hexdigest()}">{path.name}</a>'
            for path in project.iterdir()
            if path.name != "index.html"
        ]
        (project / "index.html").write_text(f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>", "utf-8")

    def install(
        self, client: str, *arguments: str, cuda: str | None = None, env: dict[str, str] | None = None,
        cache: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:  # fmt: skip
        """Install foo into an empty folder."""
        shutil.rmtree(self.folder / "target", ignore_errors=True)
        where = ("--target", self.folder / "target", *arguments, *(() if client == "uv" else ("--no-compile",)))
        machine = {**({FORCE: cuda} if cuda else {}), "XDG_CONFIG_HOME": str(self.folder / "none"), **(env or {})}
        if client == "uv":
            python = ("--python", sys.executable, "--default-index", f"{self.address}/pypi")
            return uv("pip", "install", *python, *where, "foo", env=machine, cache=cache)
        kept = ("--cache-dir", cache) if cache else ("--no-cache-dir",)
        index = ("--index-url", f"{self.address}/pypi")
        return pip(client).run("install", *index, *kept, *where, "foo", env=machine)

    @property
    def installed(self) -> str:
        return (self.folder / "target" / "foo.py").read_text("utf-8").split("'")[1]

    @property
    def projects(self) -> set[str]:
        return {path.name for path in (self.folder / "target").glob("*.dist-info")}


def pip(version: str) -> RealPip:
    if sys.version_info >= (3, 14) and version < "25":
        pytest.skip(f"pip {version} is older than Python {sys.version_info.major}.{sys.version_info.minor}")
    return fetch_pip(version)


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Shop]]:
    found: dict[str, Shop] = {}
    with ExitStack() as servers:

        def give(dialect: str) -> Shop:
            if dialect not in found:
                found[dialect] = shop = Shop(tmp_path_factory.mktemp(dialect), dialect)
                shop.address = servers.enter_context(serving(shop.www))
            return found[dialect]

        yield give


@pytest.fixture
def shop(request: pytest.FixtureRequest, shops: Callable[[str], Shop]) -> Shop:
    return shops(request.param)


@pytest.fixture
def old_cpu(tmp_path: Path) -> dict[str, str]:
    """Describe a machine without a driver and with the oldest CPU."""
    machine = Machine.detect({}).described({"cuda": "none", "x86_64_version": "v1"})
    (tmp_path / "variants.toml").write_text(machine.store().dumps(), "utf-8")
    return {"VARIANT_PUBLISH_HOST": str(tmp_path / "variants.toml")}


@clients(*PIPS, "uv")
def test_the_wheel_of_the_machine_is_installed(shop: Shop, client: str, old_cpu: dict[str, str]) -> None:
    shop.stub()
    done = shop.install(client, cuda="12.9")
    assert done.returncode == 0, done.stderr + done.stdout
    assert shop.installed == "cu128"
    assert shop.projects == {"foo-1.0.dist-info", "bar-1.0.dist-info"}
    if client in (NEWEST, "uv"):
        done = shop.install(client, env=old_cpu)
        assert done.returncode == 0, done.stderr + done.stdout
        assert (shop.installed, shop.projects) == ("generic", {"foo-1.0.dist-info"})
        assert shop.install(client, cuda="13.0").returncode == 0
        assert shop.installed == "cu130"
        folder = ("--target", str(shop.folder / "target"), "--format", "json", "--set", "cuda=12.9")
        doctor = run("doctor", *folder)
        assert [(item["variant"], item["fits"]) for item in json.loads(doctor.stdout)["variants"]] == [("cu130", False)]
        assert shop.install(client, "-C" if client == "uv" else "--config-settings", "variant=v3").returncode == 0
        assert shop.installed == "v3"


@clients(OLDEST, "uv")
def test_an_empty_wheel_requires_the_project_of_the_machine(shop: Shop, client: str, old_cpu: dict[str, str]) -> None:
    shop.stub("--mode", "requires")
    done = shop.install(client, cuda="12.9")
    assert done.returncode == 0, done.stderr + done.stdout
    assert (shop.installed, shop.projects) == ("foo_cuda12x", {"foo-1.0.dist-info", "foo_cuda12x-1.0.dist-info"})
    assert shop.install(client, env=old_cpu).returncode == 0
    assert shop.installed == "foo_cpu"


@clients(NEWEST, "uv")
def test_another_wheel_than_the_sdist_names_is_refused(shop: Shop, client: str) -> None:
    shop.stub("--fallback", "generic")
    [served] = (shop.www / "extra" / "foo").glob("*cu128.whl")
    whole = served.read_bytes()
    try:
        served.write_bytes(whole[:-1] + b"?")
        done = shop.install(client, cuda="12.9")
    finally:
        served.write_bytes(whole)
    assert done.returncode != 0
    assert "is not the wheel of this release: its SHA-256 is" in done.stderr + done.stdout
    assert not (shop.folder / "target" / "foo.py").exists()


@clients(NEWEST, "uv")
def test_an_index_that_is_away_is_an_error_or_the_generic_wheel_is_taken(shop: Shop, client: str) -> None:
    shop.stub("--fallback", "generic", "--embed-generic")
    away = shop.www / "away"
    (shop.www / "extra").rename(away)
    try:
        done = shop.install(client, cuda="12.9")
        assert done.returncode == 0, done.stderr + done.stdout
        # The metadata are those of what is handed over: bar, which the variant needs, is not installed.
        assert (shop.installed, shop.projects) == ("generic", {"foo-1.0.dist-info"})
        away.rename(shop.www / "extra")
        shop.stub()
        (shop.www / "extra").rename(away)
        done = shop.install(client, cuda="12.9")
    finally:
        away.rename(shop.www / "extra")
    text = done.stderr + done.stdout
    assert done.returncode != 0
    assert "cu128.whl fits this machine and cannot be fetched" in text
    assert "cuda = 12.9" in text
    assert "check the connection" in text
    assert "Traceback" not in text


@clients(NEWEST, "uv")
def test_an_unknown_machine_is_told_what_there_is_and_what_to_do(shop: Shop, client: str) -> None:
    shop.stub()
    setting = "-C" if client == "uv" else "--config-settings"
    done = shop.install(client, setting, "variant=cu130", cuda="12.9")
    text = done.stderr + done.stdout
    assert done.returncode != 0
    assert "'cu130' is asked for and needs" in text
    assert "this machine:" in text
    assert "variant=generic" in text
    assert "Traceback" not in text


@clients(NEWEST, "uv")
def test_clients_keep_what_was_built_whatever_becomes_of_the_machine(shop: Shop, client: str, tmp_path: Path) -> None:
    # A fact about clients that the documentation warns of, not something to be proud of.
    shop.stub()
    assert shop.install(client, cuda="12.9", cache=tmp_path).returncode == 0
    assert shop.install(client, cuda="13.0", cache=tmp_path).returncode == 0
    assert shop.installed == "cu128"
    fresh = ("--refresh-package", "foo") if client == "uv" else ("--no-cache-dir",)
    assert shop.install(client, *fresh, cuda="13.0", cache=None if client != "uv" else tmp_path).returncode == 0
    assert shop.installed == "cu130"


@pytest.mark.parametrize("minor", range(9, 15))
@pytest.mark.parametrize("shop", ["plus"], indirect=True)
def test_every_python_makes_the_plain_wheel_that_retagging_makes(shop: Shop, minor: int, tmp_path: Path) -> None:
    python = shutil.which(f"python3.{minor}")
    if python is None or subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode:
        pytest.skip(f"no python3.{minor} is here")
    with tarfile.open(shop.stub()) as archive:
        archive.extractall(tmp_path, filter="data")
    code = "import variant_publish_stub as b, sys; print(b.build_wheel(sys.argv[1], {'cuda': '12.9'}))"
    done = subprocess.run([python, "-c", code, str(tmp_path)], cwd=tmp_path / "foo-1.0", capture_output=True,
                          encoding="utf-8", check=False, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})  # fmt: skip
    assert (done.returncode, done.stdout) == (0, f"{PLAIN}\n"), done.stderr
    [variant] = (shop.folder / "wheelhouse").glob("*cu128.whl")
    assert run("retag", str(variant), "--remove", "-o", str(tmp_path / "plain")).code == 0
    made, wanted = contents(tmp_path / PLAIN), contents(tmp_path / "plain" / PLAIN)
    own = {"foo-1.0.dist-info/RECORD", f"foo-1.0.dist-info/{INSTALLED_FILE}"}
    assert {name: made[name] for name in made.keys() - own} == {name: wanted[name] for name in wanted.keys() - own}
    assert_gap_free(tmp_path / PLAIN)
