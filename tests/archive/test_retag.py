from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.archives import assert_gap_free, contents, raw_members
from support.wheels import make_wheel
from variant_publish.archive.retag import Rename, Rewrite, measure, retag
from variant_publish.archive.wheel import WholeWheel
from variant_publish.dialects.local_version import LOCAL
from variant_publish.dialects.pep825 import PEP825
from variant_publish.dialects.plus import PLUS
from variant_publish.errors import VariantPublishError
from variant_publish.formats.record import Record, RecordRow
from variant_publish.formats.variants_json import WHEEL_FILE, VariantsMetadata
from variant_publish.model.requirement import TaggedRequirement
from variant_publish.model.variant import Properties
from variant_publish.providers.catalog import KNOWN_PROVIDERS

NAME = "foo-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
INFO = "foo-1.0.dist-info"
PIN = TaggedRequirement.parse("numpy+pypi==2.0.0")
LABELLED = Rewrite(
    PEP825,
    ("cu128",),
    {
        WHEEL_FILE: VariantsMetadata(
            ("nvidia",),
            {"cu128": Properties.parse(["nvidia :: cuda_version_lower_bound :: 12.8"])},
            {"nvidia": KNOWN_PROVIDERS["nvidia"]},
        )
        .dumps()
        .encode()
    },
)
TAGGED = Rewrite(PLUS, ("cu128",))


def assert_sound(path: Path) -> None:
    """Hold what installers and `wheel unpack` hold: gap-free, checksums right, RECORD complete and right."""
    assert_gap_free(path)
    files = contents(path)
    info = WholeWheel.read(path).dist_info
    rows = {row.path: row for row in Record.parse(files[f"{info}/RECORD"]).rows}
    assert rows.keys() == {name for name in files if not name.endswith("/")}
    for name, row in rows.items():
        if row.digest:
            assert row == RecordRow.of(name, files[name])
    assert set(WholeWheel.read(path).wheel_file.tags) == set(WholeWheel.read(path).name.tag_lines())


def test_every_tag_line_and_the_file_name_carry_the_extra_tag(tmp_path: Path) -> None:
    result = retag(make_wheel(tmp_path, NAME), tmp_path / "out", TAGGED)
    assert result.path.name == NAME.replace("x86_64.", "x86_64+cu128.").replace(
        "x86_64.whl", "x86_64+cu128.whl"
    ).replace("x86_64+cu128.manylinux2014_x86_64.", "x86_64+cu128.manylinux2014_x86_64+cu128.")
    assert_sound(result.path)


def test_untouched_members_keep_their_compressed_bytes(tmp_path: Path) -> None:
    source = make_wheel(
        tmp_path, NAME, files={"foo/a.py": b"x = 1\n" * 1000, "foo/": b"", "foo/b.so": bytes(range(256)) * 99}
    )
    for rewrite in (TAGGED, LABELLED):
        result = retag(source, tmp_path / "out", rewrite)
        before, after = raw_members(source), raw_members(result.path)
        assert {name: raw for name, raw in before.items() if ".dist-info" not in name}.items() <= after.items()
        assert after[f"{INFO}/METADATA"] == before[f"{INFO}/METADATA"]


def test_a_label_brings_variant_json_with_providers(tmp_path: Path) -> None:
    result = retag(make_wheel(tmp_path, NAME), tmp_path / "out", LABELLED)
    assert result.path.name == NAME.replace(".whl", "-cu128.whl")
    data = json.loads(contents(result.path)[f"{INFO}/variant.json"])
    assert list(data["variants"]) == ["cu128"]
    assert "nvidia" in data["providers"]
    assert_sound(result.path)


@pytest.mark.parametrize("rewrite", [TAGGED, LABELLED], ids=["plus", "pep825"])
@pytest.mark.parametrize("info_first", [True, False])
def test_taking_the_variant_off_gives_back_every_file(tmp_path: Path, rewrite: Rewrite, info_first: bool) -> None:
    source = make_wheel(tmp_path, NAME, requires=["numpy>=1"], info_first=info_first)
    there = retag(source, tmp_path / "out", rewrite)
    back = retag(there.path, tmp_path / "back", Rewrite())
    assert back.path.name == NAME
    assert contents(back.path).keys() == contents(source).keys()
    for name, content in contents(source).items():
        if not name.endswith("RECORD"):
            assert contents(back.path)[name] == content
    assert_sound(back.path)


def test_the_output_is_the_same_every_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_wheel(tmp_path, NAME)
    one = retag(source, tmp_path / "one", LABELLED).path.read_bytes()
    assert retag(source, tmp_path / "two", LABELLED).path.read_bytes() == one
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert retag(source, tmp_path / "three", LABELLED).path.read_bytes() != one
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(VariantPublishError, match="SOURCE_DATE_EPOCH"):
        retag(source, tmp_path / "four", LABELLED)


def test_a_rename_reaches_name_folders_and_record(tmp_path: Path) -> None:
    source = make_wheel(
        tmp_path, "foo_cpu-1.0-py3-none-any.whl", requires=['foo-cpu[x]; extra == "y"'],
        files={"foo.py": b"", "foo_cpu-1.0.data/scripts/run": b"#!/bin/sh\n", "bar-1.0.data/x": b"", "foo_cpu.libs/a.so": b""},
    )  # fmt: skip
    result = retag(source, tmp_path / "out", Rewrite(rename=Rename("foo-cpu", "foo")))
    assert result.path.name == "foo-1.0-py3-none-any.whl"
    wheel = WholeWheel.read(result.path)
    assert wheel.metadata.name == "foo"
    assert wheel.metadata.requires_dist == ('foo[x]; extra == "y"',)
    assert set(wheel.members) == {
        "foo.py", "foo-1.0.data/scripts/run", "bar-1.0.data/x", "foo_cpu.libs/a.so",
        f"{INFO}/METADATA", f"{INFO}/WHEEL", f"{INFO}/RECORD",
    }  # fmt: skip
    assert_sound(result.path)


def test_a_rename_is_only_for_the_project_that_it_names(tmp_path: Path) -> None:
    source = make_wheel(tmp_path, NAME)
    assert retag(source, tmp_path / "out", Rewrite(rename=Rename("bar", "baz"))).path.name == NAME


def test_pins_are_written_for_the_readers_of_each_wheel(tmp_path: Path) -> None:
    source = make_wheel(tmp_path, NAME, requires=["numpy>=1.25"])
    plus = WholeWheel.read(retag(source, tmp_path / "out", Rewrite(PLUS, ("x",), pins=(PIN,))).path)
    generic = WholeWheel.read(retag(source, tmp_path / "out", Rewrite(pins=(PIN,))).path)
    assert plus.metadata.requires_dist == ("numpy>=1.25", "numpy+pypi==2.0.0")
    assert plus.abi_requires == ()
    assert generic.metadata.requires_dist == ("numpy>=1.25", "numpy==2.0.0")
    assert generic.info["abi-requires.txt"] == b"numpy+pypi==2.0.0\n"
    assert plus.pins == generic.pins == (PIN,)


def test_pins_follow_a_wheel_from_one_dialect_to_the_other(tmp_path: Path) -> None:
    source = make_wheel(tmp_path, NAME)
    generic = retag(source, tmp_path / "generic", Rewrite(pins=(PIN,)))
    plus = retag(generic.path, tmp_path / "plus", TAGGED)
    back = retag(plus.path, tmp_path / "back", Rewrite())
    assert WholeWheel.read(plus.path).metadata.requires_dist == ("numpy+pypi==2.0.0",)
    assert "abi-requires.txt" not in WholeWheel.read(plus.path).info
    assert contents(back.path) == contents(generic.path)


def test_requirements_are_added_and_removed(tmp_path: Path) -> None:
    source = make_wheel(tmp_path, NAME, requires=["nvidia-cublas-cu13", "numpy"])
    result = retag(
        source,
        tmp_path / "out",
        Rewrite(PLUS, ("x",), add=("nvidia-cublas-cu12>=12.8",), remove=("nvidia-cublas-cu13",)),
    )
    assert WholeWheel.read(result.path).metadata.requires_dist == ("numpy", "nvidia-cublas-cu12>=12.8")


def test_wrong_tag_lines_are_corrected(tmp_path: Path) -> None:
    source = make_wheel(tmp_path, NAME, tags=["cp312-cp312-linux_x86_64"])
    assert_sound(retag(source, tmp_path / "out", TAGGED).path)


def test_an_output_with_other_bytes_is_kept(tmp_path: Path) -> None:
    source = make_wheel(tmp_path, NAME)
    target = retag(source, tmp_path / "out", TAGGED).path
    assert retag(source, tmp_path / "out", TAGGED).existed
    target.write_bytes(b"precious")
    with pytest.raises(VariantPublishError, match="exists already with other bytes"):
        retag(source, tmp_path / "out", TAGGED)
    assert target.read_bytes() == b"precious"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: b"not a zip", "not a ZIP archive"),
        (lambda data: data[: len(data) // 2], "not a ZIP archive, or its end is missing"),
        (lambda data: data.replace(b".dist-info", b".dist-infx"), "no dist-info"),
        (lambda data: data.replace(b"/RECORD", b"/RECORZ"), "RECORD"),
    ],
)
def test_a_damaged_wheel_is_one_sentence_and_leaves_nothing(tmp_path: Path, damage: object, message: str) -> None:
    source = make_wheel(tmp_path, NAME)
    source.write_bytes(damage(source.read_bytes()))  # type: ignore[operator]
    with pytest.raises(VariantPublishError, match=message) as error:
        retag(source, tmp_path / "out", TAGGED)
    assert NAME in error.value.message
    assert not list((tmp_path / "out").glob("*")) if (tmp_path / "out").exists() else True


def test_a_signed_wheel_is_refused_or_loses_its_signature(tmp_path: Path) -> None:
    source = make_wheel(tmp_path, NAME, extra_info={"RECORD.jws": b"{}"})
    with pytest.raises(VariantPublishError, match="signed"):
        retag(source, tmp_path / "out", TAGGED)
    result = retag(source, tmp_path / "out", Rewrite(PLUS, ("x",), drop_signatures=True))
    assert f"{INFO}/RECORD.jws" not in contents(result.path)
    assert_sound(result.path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "rewrite", [TAGGED, LABELLED, Rewrite(rename=Rename("foo", "bar"))], ids=["plus", "pep825", "renamed"]
)
def test_wheel_unpack_accepts_the_result(tmp_path: Path, rewrite: Rewrite) -> None:
    result = retag(make_wheel(tmp_path, "foo-1.0-cp312-cp312-linux_x86_64.whl"), tmp_path / "out", rewrite)
    # `wheel` knows no labels, so it gets the file under a name that it knows; RECORD's hashes are what it checks
    plain = tmp_path / f"{'bar' if rewrite.rename else 'foo'}-1.0-cp312-cp312-linux_x86_64.whl"
    plain.unlink(missing_ok=True)
    place = result.path if rewrite.dialect is not PEP825 else result.path.rename(plain)
    done = subprocess.run(
        [sys.executable, "-m", "wheel", "unpack", str(place), "-d", str(tmp_path / "unpacked")],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_local_version_renames_every_place_of_the_version(tmp_path: Path) -> None:
    files = {"foo/a.py": b"x = 1\n" * 1000, "foo-1.0.data/data/x": b"1"}
    source = make_wheel(tmp_path, NAME, files=files, extra_info={"licenses/LICENSE": b"free"}, requires=["foo[x]==1.0"])
    result = retag(source, tmp_path / "out", Rewrite(LOCAL, ("x86.64.v3",), pins=(PIN,)))
    assert result.path.name == NAME.replace("1.0", "1.0+x86.64.v3")
    assert_sound(result.path)
    info = "foo-1.0+x86.64.v3.dist-info"
    assert set(contents(result.path)) == {
        "foo/a.py", "foo-1.0+x86.64.v3.data/data/x", f"{info}/licenses/LICENSE", f"{info}/METADATA", f"{info}/WHEEL",
        f"{info}/RECORD", f"{info}/abi-requires.txt",
    }  # fmt: skip
    metadata = WholeWheel.read(result.path).metadata
    assert metadata.version == "1.0+x86.64.v3"
    assert metadata.requires_dist == ("foo[x]==1.0", "numpy==2.0.0")
    assert raw_members(result.path)["foo/a.py"] == raw_members(source)["foo/a.py"]


@pytest.mark.parametrize("info_first", [False, True])
def test_a_local_version_has_the_same_bytes_whatever_it_is_made_of(tmp_path: Path, info_first: bool) -> None:
    source = make_wheel(tmp_path, NAME, requires=["numpy==2.0.0"], extra_info={"top_level.txt": b"foo"}, info_first=info_first)  # fmt: skip
    local = Rewrite(LOCAL, ("cu128",))
    direct = retag(source, tmp_path / "direct", local).path
    for number, rewrite in enumerate((TAGGED, LABELLED)):
        between = retag(source, tmp_path / "between", rewrite).path
        made = retag(between, tmp_path / str(number), local).path
        assert made.name == direct.name
        assert made.read_bytes() == direct.read_bytes()
        measured = measure(WholeWheel.read(between), local)
        assert (str(measured.name), measured.size) == (made.name, made.stat().st_size)
        assert measured.sha256 == WholeWheel.read(made).sha256
        assert measured.metadata == WholeWheel.read(made).info["METADATA"]


def test_a_local_version_that_is_the_variant_gives_way_to_it(tmp_path: Path) -> None:
    built = make_wheel(tmp_path, NAME.replace("1.0", "1.0+cu128"))
    made = retag(built, tmp_path / "out", Rewrite(PLUS, ("cu128",), known=((LOCAL, frozenset({("cu128",)})),))).path
    assert_sound(made)
    assert "+cu128" in made.name
    assert WholeWheel.read(made).metadata.version == "1.0"
    other = make_wheel(tmp_path, NAME.replace("1.0", "1.0+git5"))
    kept = retag(other, tmp_path / "out", Rewrite(PLUS, ("cu128",), known=((LOCAL, frozenset({("cu128",)})),))).path
    assert WholeWheel.read(kept).metadata.version == "1.0+git5"
