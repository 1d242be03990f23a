"""A fourth dialect, whose variant stands in the build tag, goes all the way without a change in the package."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from support.archives import contents
from support.checks import verdicts
from support.cli import run
from support.wheels import make_wheel
from variant_publish.check.rules.machines import EveryMachineServed, EveryVariantChosen
from variant_publish.check.rules.selection import CurrentFiles, EveryNameHasAWheel, EveryVariantNamed
from variant_publish.dialects.base import Dialect, MachineFacts, Rank, ReleaseFacts, Words
from variant_publish.dialects.registry import DIALECTS
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import VariantPublishError
from variant_publish.model.ordering import Ranked, rank
from variant_publish.model.plain_name import InvalidWheelName, PlainName
from variant_publish.model.variant import Properties, Variant
from variant_publish.providers.catalog import KNOWN_PROVIDERS

BUILT = "foo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl"
CU128 = BUILT.replace("1.0-", "1.0-0_cu128-")
V3 = BUILT.replace("1.0-", "1.0-0_v3-")
FILE = "foo-1.0-builds.json"
CONFIG = """
[project]
name = "foo"
version = "1.0"
[tool.variant-publish]
dialects = ["build"]
priority = ["nvidia", "x86_64"]
upload.split = "large-to-s3"
[tool.variant-publish.variants]
cu128.properties = ["nvidia :: cuda_version_lower_bound :: 12.8"]
v3.properties = ["x86_64 :: level :: v3"]
"""


class Build(Dialect):
    """`foo-1.0-0_cu128-...whl`, and `foo-1.0-builds.json` with the properties of each variant, best first."""

    name = "build"
    suffix = "-builds.json"
    selector = dict

    def read(self, text: str) -> tuple[str, Words] | None:
        match = re.fullmatch(r"([^-]+-[^-]+)-([0-9]+)_([a-z0-9]+)(-[^-]+-[^-]+-[^-]+\.whl)", text)
        if match is None:
            return None
        build = "" if match[2] == "0" else f"-{match[2]}"
        return f"{match[1]}{build}{match[4]}", (match[3],)

    def write(self, plain: PlainName, words: Words) -> str:
        head, python, abi, platform = str(plain).rsplit("-", 3)
        version = head.removesuffix(f"-{plain.build}") if plain.build else head
        return f"{version}-{plain.build or '0'}_{words[0]}-{python}-{abi}-{platform}"

    def validate(self, words: Words) -> None:
        if not all(re.fullmatch("[a-z0-9]+", word) for word in words):
            raise InvalidWheelName(f"{words} cannot stand in a build tag")

    def words_of(self, variant: Variant) -> Words:
        return (variant.label,)

    def parse(self, content: bytes | str) -> dict[str, Properties]:
        try:
            return {word: Properties.parse(lines) for word, lines in json.loads(content).items()}
        except ValueError as error:
            raise VariantPublishError("the file of builds is not JSON") from error

    def dumps(self, data: dict[str, Properties]) -> str:
        return json.dumps({word: [str(item) for item in has.items] for word, has in data.items()})

    def merge(self, parts: Sequence[dict[str, Properties]]) -> dict[str, Properties]:
        return {word: has for part in parts for word, has in part.items()}

    def gather(self, release: ReleaseFacts) -> dict[str, Properties]:
        built = {wheel.words for wheel in release.wheels}
        return {item.label: item.properties for item in release.variants if self.words_of(item) in built}

    def meanings(self, data: Mapping[str, Properties]) -> Mapping[str, Properties]:
        return data

    def rank(self, data: dict[str, Properties] | None, machine: MachineFacts, asked: Sequence[str] = ()) -> Rank:
        if data is None:
            return super().rank(data, machine, asked)
        namespaces = list(dict.fromkeys(space for has in data.values() for space in has.namespaces))
        supported = {}
        for namespace in namespaces:
            features = machine.features(namespace, KNOWN_PROVIDERS[namespace])
            supported[namespace] = {} if isinstance(features, str) else features

        def place(words: Words) -> tuple[Any, ...] | str:
            if not words:
                return (1, "")
            found = rank(words[0], data[words[0]], namespaces, supported)
            return (0, *found.key) if isinstance(found, Ranked) else f"{found.feature} does not fit"

        return place


@pytest.fixture
def wheelhouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(DIALECTS, "build", Build())
    Path("pyproject.toml").write_text(CONFIG, encoding="utf-8")
    built = make_wheel(tmp_path / "dist", BUILT)
    for variant in ("cu128", "v3", "generic"):
        result = run("retag", str(built), "--variant", variant, "-o", "wheelhouse")
        assert result.code == 0, result.stderr
    return tmp_path / "wheelhouse"


def test_retag_writes_the_name_and_remove_gives_the_built_bytes_back(wheelhouse: Path) -> None:
    assert sorted(path.name for path in wheelhouse.glob("*.whl")) == sorted([BUILT, CU128, V3])
    name = WheelName.parse(CU128)
    assert (str(name.dialect), name.words, name.plain.build, str(name.generic())) == ("build", ("cu128",), "", BUILT)
    assert contents(wheelhouse / CU128) == contents(wheelhouse / BUILT)
    result = run("retag", str(wheelhouse / CU128), "--remove", "-o", "back")
    assert result.code == 0, result.stderr
    assert Path("back", BUILT).read_bytes() == (wheelhouse / BUILT).read_bytes()


def test_check_sees_its_variants_and_simulates_its_clients(wheelhouse: Path) -> None:
    assert run("metadata", str(wheelhouse)).code == 0
    assert (wheelhouse / FILE).exists()
    report = run("check", str(wheelhouse), "--format", "json", "--offline")
    assert report.code == 0, report.stdout
    table = json.loads(report.stdout)["releases"][0]
    assert {entry["variant"] for entry in table["grid"] if entry["files"]} == {"generic", "cu128", "v3"}
    assert {entry["dialect"] for entry in table["grid"]} == {"build"}
    for rule in (CurrentFiles(), EveryVariantNamed(), EveryNameHasAWheel(), EveryVariantChosen(), EveryMachineServed()):
        assert set(verdicts(rule, wheelhouse, CONFIG)) == {"pass"}
    (wheelhouse / V3).unlink()
    assert run("check", str(wheelhouse), "--offline", "--select", "VP601").code == 1


@pytest.mark.parametrize(
    ("settings", "chosen"),
    [
        (["cuda=12.8", "x86_64_version=x86-64-v4"], CU128),
        (["cuda=none", "x86_64_version=x86-64-v3"], V3),
        (["cuda=12.6", "x86_64_version=x86-64"], BUILT),
    ],
)
def test_upload_lists_it_and_select_takes_what_the_machine_has(
    wheelhouse: Path, settings: list[str], chosen: str
) -> None:
    result = run("upload", str(wheelhouse), "--extra-index", "file:index")
    assert result.code == 0, result.stderr
    listed = {
        file["filename"] for file in json.loads(Path("index/foo/index.json").read_text(encoding="utf-8"))["files"]
    }
    assert {BUILT, CU128, V3, FILE} <= listed
    told = [word for setting in settings for word in ("--set", setting)]
    found = run("select", "foo", "--index", "index", "--python-version", "3.12", "--platform", "manylinux_2_28_x86_64", *told,
                "--format", "json")  # fmt: skip
    assert found.code == 0, found.stderr
    assert json.loads(found.stdout)["selected"] == chosen
    assert json.loads(found.stdout)["dialect"] == "build"
