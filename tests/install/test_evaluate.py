"""Code of strangers: it runs only where it is allowed by name, isolated and for a limited time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.cli import Result, run
from support.environments import isolate, publish
from support.place import Place
from support.wheels import make_wheel
from variant_publish.errors import VariantPublishError
from variant_publish.formats.host_file import HostFile
from variant_publish.formats.selector_toml import Selector, SelectorFile
from variant_publish.formats.variants_json import Provider, VariantsMetadata
from variant_publish.install.choose_client import choose_client
from variant_publish.install.evaluate import Sandbox
from variant_publish.model.variant import Properties
from variant_publish.progress import SILENT
from variant_publish.providers.machine import Machine
from variant_publish.release.selectors import SelectorFiles
from variant_publish.serve.projects import Projects
from variant_publish.serve.wheel_cache import WheelCache
from variant_publish.view import Indexes

pytestmark = pytest.mark.slow

MODULE = b"""
import os, time

def library():
    assert "SECRET" not in os.environ
    return "mkl"

def broken():
    raise RuntimeError("no such library")

def slow():
    time.sleep(30)

def number():
    return 3

class Config:
    name = "lib"
    values = ["mkl", "openblas"]

class Plugin:
    namespace = "blas"
    def get_supported_configs(self):
        return [Config()]
"""


def selector(function: str) -> SelectorFiles:
    table = {"mkl": ("mkl", ""), "openblas": ("",)}
    return SelectorFiles.of(SelectorFile({"blas_library": Selector(table, ("probe>=1",), (function,))}))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    place = Place(tmp_path, isolate(monkeypatch, tmp_path))
    publish(place.default, "probe-1.0-py3-none-any.whl", files={"probe.py": MODULE})
    monkeypatch.setenv("SECRET", "token")
    return place


def write(place: Place, files: SelectorFiles, *variants: str) -> None:
    for variant in ("", *variants):
        make_wheel(place.index, f"foo-1.0-py3-none-any{variant}.whl")
    for name, text in files.texts("foo", "1.0").items():
        (place.index / name).write_text(text, "utf-8")


def evaluate(place: Place, *arguments: str) -> Result:
    options = ("--index", str(place.index), "--save", str(place.folder / "variants.toml"))
    return run("host", "--evaluate", "foo", *options, *arguments)


def test_a_selector_function_runs_where_it_is_allowed_and_its_answer_is_stored(place: Place) -> None:
    write(place, selector("probe:library"), "+mkl")
    refused = evaluate(place)
    assert refused.code == 2
    assert "--allow blas_library" in refused.stderr
    assert not (place.folder / "variants.toml").exists()

    allowed = evaluate(place, "--allow", "blas_library")
    assert allowed.code == 0, allowed.stderr
    assert HostFile.parse((place.folder / "variants.toml").read_text()).values["blas_library"] == "mkl"
    assert run("select", "foo", "--index", str(place.index)).code == 1  # by itself nothing is run
    chosen = run("select", "foo", "--index", str(place.index), "--host", str(place.folder / "variants.toml"))
    assert "selected: foo-1.0-py3-none-any+mkl.whl" in chosen.stdout


def test_a_plugin_runs_where_it_is_allowed_and_its_answer_is_stored(place: Place) -> None:
    provider = Provider(requires=("probe",), plugin_api="probe:Plugin")
    metadata = VariantsMetadata(("blas",), {"mkl": Properties.parse(["blas :: lib :: mkl"])}, {"blas": provider})
    write(place, SelectorFiles.of(metadata))
    make_wheel(place.index, "foo-1.0-py3-none-any-mkl.whl", variant=metadata)
    assert evaluate(place).code == 2
    allowed = evaluate(place, "--allow", "blas")
    assert allowed.code == 0, allowed.stderr
    chosen = run("select", "foo", "--index", str(place.index), "--host", str(place.folder / "variants.toml"))
    assert "selected: foo-1.0-py3-none-any-mkl.whl" in chosen.stdout
    without = run("select", "foo", "--index", str(place.index))
    assert "one that installers do not have" in " ".join(without.stdout.split())


def nothing(place: Place) -> Projects:
    """Return what is seen where no index is named but the default one."""
    cache = WheelCache(place.folder / "cache")
    return Projects(Indexes(()), place.default.as_uri(), Machine.detect({}), cache)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("probe:broken", "no such library"),
        ("probe:nothing", "no attribute"),
        ("nowhere:at_all", "No module"),
        ("probe:number", "no string"),
        ("probe:slow", "took longer"),
    ],
)
def test_what_fails_is_one_sentence(place: Place, function: str, message: str) -> None:
    files = selector(function)
    assert files.selector is not None
    sandbox = Sandbox(lambda place: choose_client("uv", place, os.environ), {"blas_library"}, nothing(place), limit_s=2)
    with pytest.raises(VariantPublishError, match=message):
        sandbox.value("blas_library", files.selector.selectors["blas_library"], os.environ, SILENT)


def test_a_provider_that_does_not_install_is_one_sentence(place: Place) -> None:
    sandbox = Sandbox(lambda place: choose_client(None, place, os.environ), {"x"}, nothing(place))
    with pytest.raises(VariantPublishError, match="failed"):
        sandbox.value("x", Selector({}, ("no-such-probe",), ("probe:library",)), os.environ, SILENT)
