"""An index that lists local versions beside the variants confuses none of the commands for users."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.cli import run
from support.environments import PLAIN, isolate, site
from support.place import Place
from support.wheels import make_wheel

pytestmark = pytest.mark.slow


@pytest.fixture(params=["plus", "pep825"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Give an index with a release in a dialect, and both variants as local versions in the midst of it."""
    found = Place(tmp_path, isolate(monkeypatch, tmp_path))
    found.release(request.param)
    for local in ("cu128", "cu130"):
        make_wheel(found.index, PLAIN.replace("1.0", f"1.0+{local}"), files={"foo.py": b"VARIANT = 'local'\n"})
    return found


@pytest.mark.parametrize(("cuda", "variant"), [("none", "generic"), ("12.9", "cu128"), ("13.0", "cu130")])
def test_the_machine_chooses_the_variant(place: Place, cuda: str, variant: str) -> None:
    index = ("--index", str(place.index), "--set", f"cuda={cuda}")
    table = json.loads(run("select", "foo", *index, "--format", "json").stdout)
    assert table["version"] == "1.0"
    assert sum("local version" in (item["reason"] or "") for item in table["candidates"]) == 2
    assert place.install("foo==1.0", cuda=cuda).code == 0
    assert place.variant() == variant
    doctor = run("doctor", "--python", str(place.environment), *index, "--strict", "--format", "json")
    assert doctor.code == 0, doctor.stdout
    assert not any(item["better"] for item in json.loads(doctor.stdout)["variants"])


def test_a_lock_has_the_variant_and_the_generic_wheel(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)
    done = run("lock", "foo", "--index", str(place.index), "--set", "cuda=12.9", "-o", "pylock.toml")
    assert done.code == 0, done.stderr
    text = Path("pylock.toml").read_text("utf-8")
    assert "1.0+" not in text
    assert "cu128" in text
    assert PLAIN in text


def test_who_asks_for_the_local_version_gets_it(place: Place) -> None:
    assert place.install("foo==1.0+cu128", cuda="none").code == 0
    assert place.variant() == "local"
    assert (site(place.environment) / "foo-1.0+cu128.dist-info").is_dir()
