"""`doctor` on real environments: what we installed, what uv installed by itself, and what no longer fits."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.cli import run
from support.environments import isolate, publish
from support.place import Place
from support.uv import PREVIEW, uv
from support.variants import ABI, VARIANTS, write_release
from support.wheels import make_wheel

pytestmark = pytest.mark.slow

DIALECTS = ("plus", "pep825")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(tmp_path, isolate(monkeypatch, tmp_path))


def doctor(place: Place, *arguments: str, cuda: str = "12.9") -> tuple[int, list[Any]]:
    result = run("doctor", "--python", str(place.environment), "--set", f"cuda={cuda}", "--format", "json", *arguments)
    return result.code, json.loads(result.stdout)["variants"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_variant_fits_until_the_machine_changes(place: Place, dialect: str) -> None:
    place.release(dialect)
    assert place.install("foo").code == 0
    index = ("--index", str(place.index))
    code, [item] = doctor(place, *index, "--strict")
    assert (code, item["variant"], item["fits"], item["better"]) == (0, "cu128", True, None)
    code, [item] = doctor(place, cuda="none")
    assert (code, item["fits"]) == (1, False)
    assert "cuda" in item["misfit"] or "driver" in item["misfit"]
    code, [item] = doctor(place, *index, cuda="13.0")
    assert (code, item["fits"]) == (0, True)
    assert "cu130" in item["better"]
    assert doctor(place, *index, "--strict", cuda="13.0")[0] == 1


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_was_asked_for_is_never_worse(place: Place, dialect: str) -> None:
    place.release(dialect)
    strict = ("--index", str(place.index), "--strict")
    for wish, variant in (("--generic", "generic"), ("foo+cu128", "cu128")):
        arguments = ("foo", wish) if wish.startswith("-") else (wish,)
        assert place.install(*arguments, cuda="13.0").code == 0
        code, [item] = doctor(place, *strict, cuda="13.0")
        assert (code, item["variant"], item["better"], item["fits"]) == (0, variant, None, True)
        assert item["wish"] == wish.removeprefix("--").removeprefix("foo")
    assert place.install("foo", cuda="12.9").code == 0  # the same wheel, without a wish from now on
    code, [item] = doctor(place, *strict, cuda="13.0")
    assert (code, item["wish"]) == (1, None)
    assert "cu130" in item["better"]
    assert place.install("foo+cu128", cuda="12.9").code == 0  # the same wheel, and now it is a wish
    assert doctor(place, *strict, cuda="13.0")[0] == 0
    assert doctor(place, *strict, cuda="none")[0] == 1
    text = run("doctor", "--python", str(place.environment), "--set", "cuda=12.9").stdout
    assert "asked for: +cu128" in " ".join(text.split())


def test_what_uv_installed_by_itself_is_looked_at_too(place: Place) -> None:
    place.release("pep825")
    driver = {"NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": "12.9"}
    options = ("--no-index", "--find-links", place.index)
    done = uv("pip", "install", "--python", place.environment, *PREVIEW, *options, "foo", env=driver)
    assert done.returncode == 0, done.stderr
    assert place.variant() == "cu128"
    assert [(code, item["variant"], item["fits"]) for code, [item] in [doctor(place)]] == [(0, "cu128", True)]
    assert [(code, item["fits"]) for code, [item] in [doctor(place, cuda="11.8")]] == [(1, False)]


def test_a_pin_that_no_longer_holds_is_found(place: Place) -> None:
    place.release(extra_info={"abi-requires.txt": b"num+pypi==2.0.0\n"}, requires=["num==2.0.0"])
    publish(place.default, "num-2.0.0-py3-none-any.whl")
    assert place.install("foo").code == 0
    code, found = doctor(place)
    assert (code, [(item["project"], [pin["verdict"] for pin in item["pins"]]) for item in found]) == (
        0, [("foo", ["holds"]), ("num", [])],
    )  # fmt: skip
    local = make_wheel(place.folder / "local", "num-2.0.0-py3-none-any.whl", files={"num.py": b"VARIANT = 'local'\n"})
    force = ["install", "--no-deps", "--force-reinstall", "--quiet", str(local)]
    subprocess.run([sys.executable, "-m", "pip", "--python", str(place.environment), *force], check=True)
    code, [foo] = doctor(place, "--index", f"pypi={place.default.as_uri()}")
    assert (code, foo["pins"][0]["verdict"]) == (1, "broken")
    assert "local" in foo["pins"][0]["reason"]
    assert [pin["verdict"] for _, [item] in [doctor(place)] for pin in item["pins"]] == ["unknown"]


def test_the_table_and_an_empty_environment(place: Place) -> None:
    assert doctor(place) == (0, [])
    place.release()
    assert place.install("foo").code == 0
    result = run("doctor", "--python", str(place.environment), "--set", "cuda=none")
    assert result.code == 1
    assert "1 variant, 1 broken" in result.stdout
    assert "cuda is none here" in " ".join(result.stdout.split())


def pip(place: Place, *arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pip", "--python", str(place.environment), "install", "--quiet", "--no-deps"]
    subprocess.run([*command, *map(str, arguments)], check=True)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_generic_wheel_that_plain_pip_took_is_seen(place: Place, dialect: str) -> None:
    place.release(dialect)
    index = ("--index", str(place.index))
    pip(place, "--no-index", "--find-links", place.index, "foo")
    assert doctor(place) == (0, [])
    code, [item] = doctor(place, *index)
    assert (code, item["project"], item["variant"]) == (0, "foo", "generic")
    assert "cu128" in item["better"]
    assert item["run"] == "variant-publish install foo==1.0 --index URL"
    assert doctor(place, *index, "--strict")[0] == 1
    assert doctor(place, *index, "--strict", cuda="none") == (0, [])
    text = run("doctor", "--python", str(place.environment), "--set", "cuda=12.9", *index).stdout
    assert "foo 1.0: generic; foo-1.0-py3-none-any" in text


def test_what_pip_put_in_place_of_a_variant_is_seen(place: Place) -> None:
    place.release()
    assert place.install("foo").code == 0
    pip(place, "--force-reinstall", "--no-index", "--find-links", place.index, "foo")
    code, [item] = doctor(place, "--index", str(place.index), "--strict")
    assert (code, item["variant"]) == (1, "generic")
    assert "cu128" in item["better"]


def test_what_uv_put_in_place_of_a_variant_is_seen(place: Place) -> None:
    place.release()
    project = place.folder / "app"
    project.mkdir()
    (project / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.9"\ndependencies = ["foo"]\n', encoding="utf-8"
    )
    flat, index = ("--no-index", "--find-links", place.index), ("--index", str(place.index), "--strict")
    sync = ("sync", "--project", project, *flat, "--reinstall")
    reinstall = ("pip", "install", "--python", place.environment, *flat, "--reinstall", "foo")
    for command in (reinstall, sync):
        assert place.install("foo").code == 0
        assert (place.variant(), doctor(place, *index)[0]) == ("cu128", 0)
        done = uv(*command, env={"UV_PROJECT_ENVIRONMENT": str(place.environment)})
        assert done.returncode == 0, done.stderr
        assert place.variant() == "generic"
        code, [item] = doctor(place, *index)
        assert (code, item["project"], item["variant"]) == (1, "foo", "generic")
        assert "cu128" in item["better"]


def test_a_build_whose_dependency_was_upgraded_away_is_reported(place: Place) -> None:
    write_release(place.index, {**VARIANTS, **ABI}, requires=["torch"])
    for version in ("2.8.0", "2.9.1"):
        publish(place.default, f"torch-{version}-py3-none-any.whl")
    assert place.install("foo", "torch==2.8.0", cuda="none").code == 0
    index = ("--index", str(place.index), "--strict")
    code, [foo] = doctor(place, *index, cuda="none")
    assert (code, foo["variant"], foo["fits"], foo["better"]) == (0, "torch2.8", True, None)
    pip(place, "--index-url", place.default.as_uri(), "torch==2.9.1")
    code, [foo] = doctor(place, *index, cuda="none")
    assert (code, foo["fits"]) == (1, False)
    assert foo["misfit"] == "it is built against torch 2.8, and torch 2.9.1 is here"
    assert "torch2.9" in foo["better"]
    assert place.install("foo==1.0", "torch==2.9.1", cuda="none").code == 0
    assert doctor(place, *index, cuda="none")[0] == 0
