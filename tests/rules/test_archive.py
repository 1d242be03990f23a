from __future__ import annotations

import struct
import warnings
import zipfile
from pathlib import Path

import pytest

from support.checks import LINUX, WINDOWS, failures, outcomes, release_in, verdicts
from support.wheels import make_wheel
from variant_publish.formats.record import Record, RecordRow
from variant_publish.formats.variants_json import KNOWN_PROVIDERS, VariantsMetadata
from variant_publish.model.variant import Properties
from variant_publish.rules.archive import (
    BuildNumber,
    CompleteRecord,
    DeclaredProperties,
    Identity,
    OwnVariantJson,
    PlainTags,
    Readable,
    SafePaths,
    StrictArchive,
    VariantTags,
    WholeTagSet,
)
from variant_publish.rules.context import Context

PLAIN = f"foo-1.0-cp312-cp312-{LINUX}.whl"
PLUS = f"foo-1.0-cp312-cp312-{LINUX}+cu128.whl"
LABELLED = f"foo-1.0-cp312-cp312-{LINUX}-cu128.whl"
CUDA = "nvidia :: cuda_version_lower_bound :: 12.8"
DECLARED = f'[tool.variant-publish.variants.cu128]\nproperties = ["{CUDA}"]\n'


def metadata_of(label: str, *lines: str) -> VariantsMetadata:
    return VariantsMetadata(("nvidia",), {label: Properties.parse(lines)}, {"nvidia": KNOWN_PROVIDERS["nvidia"]})


def test_a_wheel_that_can_be_read_passes(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    assert verdicts(Readable(), tmp_path) == {"pass": 1}


def test_files_that_are_no_wheels_are_findings(tmp_path: Path) -> None:
    truncated = make_wheel(tmp_path, PLAIN)
    truncated.write_bytes(truncated.read_bytes()[:-30])
    (tmp_path / "not_a_wheel.whl").write_bytes(b"")
    (tmp_path / "bar-1.0-py3-none-any.whl").write_bytes(b"<html>404</html>")
    with zipfile.ZipFile(tmp_path / "two-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("two-1.0.dist-info/METADATA", "")
        archive.writestr("two-1.dist-info/METADATA", "")
    with zipfile.ZipFile(tmp_path / "none-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("none.py", "")
    found = {outcome.file: outcome.message for outcome in outcomes(Readable(), tmp_path)}
    assert found == {
        PLAIN: "is not a ZIP archive, or its end is missing",
        "not_a_wheel.whl": "is not a wheel's file name",
        "bar-1.0-py3-none-any.whl": "is not a ZIP archive, or its end is missing",
        "two-1.0-py3-none-any.whl": "has 2 dist-info folders: two-1.0.dist-info, two-1.dist-info",
        "none-1.0-py3-none-any.whl": "has no dist-info folder, so it is not a wheel",
    }


def test_an_extra_tag_on_one_member_only_has_its_own_rule(tmp_path: Path) -> None:
    make_wheel(tmp_path, "foo-1.0-cp312-cp312-manylinux_2_17_x86_64+cu128.manylinux2014_x86_64+cu128.whl")
    assert verdicts(WholeTagSet(), tmp_path) == {"pass": 1}
    (tmp_path / "foo-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64+cu128.whl").write_bytes(b"")
    assert verdicts(WholeTagSet(), tmp_path) == {"pass": 1, "fail": 1}
    assert verdicts(Readable(), tmp_path) == {"pass": 1}
    assert "pip takes it for a generic wheel" in failures(WholeTagSet(), tmp_path)[0]


def test_variant_wheels_say_their_tags_inside(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    make_wheel(tmp_path, PLUS)
    make_wheel(tmp_path, LABELLED)
    assert verdicts(VariantTags(), tmp_path) == {"pass": 3}


@pytest.mark.parametrize(
    ("filename", "tag"),
    [
        (PLUS, f"cp312-cp312-{LINUX}"),
        (PLUS, f"cp312-cp312-{LINUX}+cu126"),
        (LABELLED, f"cp312-cp312-{WINDOWS}"),
        (PLAIN, f"cp312-cp312-{LINUX}+cu128"),
        (PLUS, "nonsense"),
    ],
)
def test_variant_wheels_with_other_tags_inside_fail(tmp_path: Path, filename: str, tag: str) -> None:
    make_wheel(tmp_path, filename, tags=[tag])
    assert verdicts(VariantTags(), tmp_path) == {"fail": 1}


def test_plain_wheels_with_other_tags_inside_are_a_rule_of_their_own(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLUS)
    assert verdicts(PlainTags(), tmp_path) == {"skip": 1}
    make_wheel(tmp_path, PLAIN)
    assert verdicts(PlainTags(), tmp_path) == {"skip": 1, "pass": 1}
    make_wheel(tmp_path, PLAIN, tags=["cp312-cp312-linux_x86_64"])
    assert failures(PlainTags(), tmp_path) == [
        f"the tags differ: only WHEEL has cp312-cp312-linux_x86_64; only the file name has cp312-cp312-{LINUX}"
    ]
    assert verdicts(VariantTags(), tmp_path) == {"pass": 2}


def test_a_compressed_tag_set_may_stand_in_one_line(tmp_path: Path) -> None:
    make_wheel(tmp_path, "foo-1.0-py2.py3-none-any.whl", tags=["py2.py3-none-any"])
    assert verdicts(PlainTags(), tmp_path) == {"pass": 1}


def test_name_and_version_agree(tmp_path: Path) -> None:
    make_wheel(tmp_path, "foo_bar-1.0-py3-none-any.whl", name="Foo.Bar", dist_info="Foo_Bar-1.dist-info")
    assert verdicts(Identity(), tmp_path) == {"pass": 1}


def test_name_or_version_of_another_release_fails(tmp_path: Path) -> None:
    make_wheel(tmp_path, "foo-1.0-py3-none-any.whl", name="bar", dist_info="foo-1.1.dist-info")
    assert failures(Identity(), tmp_path) == [
        "the folder foo-1.1.dist-info is of version '1.1', the file name of '1.0'",
        "METADATA is of project 'bar', the file name of 'foo'",
    ]


def test_a_right_record_passes(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/": b"", "foo/a.py": b"", "foo/ü, b.py": b"x"},
               extra_info={"RECORD.jws": b"{}"})  # fmt: skip
    assert verdicts(CompleteRecord(), tmp_path) == {"pass": 1}


def test_a_record_with_gaps_fails(tmp_path: Path) -> None:
    rows = [RecordRow.of("foo.py", b"no"), RecordRow("foo-1.0.dist-info/METADATA"), RecordRow.of("gone.py", b"")]
    make_wheel(tmp_path, PLAIN, record=bytes(Record((*rows, rows[2]))))
    assert failures(CompleteRecord(), tmp_path) == [
        "RECORD does not list foo-1.0.dist-info/WHEEL",
        "RECORD lists what is not in the archive: gone.py",
        "RECORD lists twice gone.py",
        "RECORD has no SHA-256 or better for foo-1.0.dist-info/METADATA",
        "RECORD has another size than the archive for foo.py",
    ]


def test_a_wheel_without_record_fails(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "foo-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("foo-1.0.dist-info/METADATA", "Name: foo\nVersion: 1.0\n")
        archive.writestr("foo-1.0.dist-info/WHEEL", "Tag: py3-none-any\n")
    assert failures(CompleteRecord(), tmp_path) == ["there is no foo-1.0.dist-info/RECORD"]


def test_a_strict_archive_passes(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    assert verdicts(StrictArchive(), tmp_path) == {"pass": 1}


def test_a_member_that_is_there_twice_fails(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, PLAIN)
    with warnings.catch_warnings(), zipfile.ZipFile(wheel, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("foo.py", "VARIANT = 'another'")
    assert failures(StrictArchive(), tmp_path) == ["the archive has foo.py twice"]


def test_bytes_that_belong_to_no_entry_fail(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, PLAIN)
    with zipfile.ZipFile(wheel, "a") as archive:
        start = archive.start_dir
    data = wheel.read_bytes()
    end = bytearray(data[start:])
    struct.pack_into("<L", end, end.rfind(b"PK\x05\x06") + 16, start + 5)
    wheel.write_bytes(data[:start] + b"stray" + end)
    assert failures(StrictArchive(), tmp_path) == [f"the archive has 5 bytes at offset {start} that belong to no entry"]


def test_odd_compression_fails(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, PLAIN)
    with zipfile.ZipFile(wheel, "a", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("foo.txt", "text")
    assert failures(StrictArchive(), tmp_path) == ["the archive compresses 'foo.txt' with method 12"]


def test_names_that_stay_inside_pass(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/..bar.py": b"", "foo/a b.py": b""})
    assert verdicts(SafePaths(), tmp_path) == {"pass": 1}


@pytest.mark.parametrize("name", ["/etc/passwd", "foo/../../x", "..", "foo\\x.py", "C:/x.py"])
def test_names_that_lead_outside_fail(tmp_path: Path, name: str) -> None:
    make_wheel(tmp_path, PLAIN, files={name: b"x"})
    assert failures(SafePaths(), tmp_path) == [f"members have names that lead outside: {name!r}"]


def test_a_symbolic_link_fails(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, PLAIN)
    with zipfile.ZipFile(wheel, "a") as archive:
        entry = zipfile.ZipInfo("foo/link")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    assert failures(SafePaths(), tmp_path) == ["members are symbolic links: 'foo/link'"]


def test_variant_json_belongs_into_labelled_wheels(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    make_wheel(tmp_path, PLUS)
    make_wheel(tmp_path, LABELLED, variant=metadata_of("cu128", CUDA))
    make_wheel(tmp_path, LABELLED.replace("cu128", "null"), variant=metadata_of("null"))
    assert verdicts(OwnVariantJson(), tmp_path) == {"pass": 4}


@pytest.mark.parametrize(
    ("filename", "label"), [(PLAIN, "cu128"), (PLUS, "cu128"), (LABELLED, "cu126"), (LABELLED, None)]
)
def test_variant_json_of_another_label_or_in_another_wheel_fails(
    tmp_path: Path, filename: str, label: str | None
) -> None:
    make_wheel(tmp_path, filename, variant=metadata_of(label, CUDA) if label else None)
    assert verdicts(OwnVariantJson(), tmp_path) == {"fail": 1}


def test_properties_are_those_of_the_configuration(tmp_path: Path) -> None:
    make_wheel(tmp_path, LABELLED, variant=metadata_of("cu128", CUDA))
    assert verdicts(DeclaredProperties(), tmp_path, DECLARED) == {"pass": 1}
    (message,) = failures(DeclaredProperties(), tmp_path, DECLARED.replace("12.8", "12.9"))
    assert message.startswith("the properties of 'cu128' are not those of the configuration: it lacks")
    assert message.endswith("12.9; it adds nvidia :: cuda_version_lower_bound :: 12.8")


def test_properties_are_compared_only_where_there_is_something_to_compare(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    make_wheel(tmp_path, PLUS)
    make_wheel(tmp_path, LABELLED)
    make_wheel(tmp_path, LABELLED.replace("cu128", "cu126"), variant=metadata_of("cu126", CUDA))
    make_wheel(tmp_path, LABELLED.replace("cu128", "null"), variant=metadata_of("null"))
    assert verdicts(DeclaredProperties(), tmp_path, DECLARED) == {"skip": 5}


def test_build_numbers_agree(tmp_path: Path) -> None:
    wheel = b"Wheel-Version: 1.0\nBuild: 2\nTag: py3-none-any\n"
    make_wheel(tmp_path, "foo-1.0-2-py3-none-any.whl", extra_info={"WHEEL": wheel})
    make_wheel(tmp_path, PLAIN)
    assert verdicts(BuildNumber(), tmp_path) == {"pass": 2}
    make_wheel(tmp_path, "foo-1.0-3-py3-none-any.whl", extra_info={"WHEEL": wheel})
    make_wheel(tmp_path, "foo-1.0-py3-none-any.whl", extra_info={"WHEEL": wheel})
    assert failures(BuildNumber(), tmp_path) == [
        "WHEEL has build 2, the file name has build 3",
        "WHEEL has build 2, the file name has no build number",
    ]


def test_a_wheel_that_breaks_meanwhile_is_unknown(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, PLAIN)
    release = release_in(tmp_path)
    wheel.write_bytes(b"")
    (outcome,) = StrictArchive().check(Context(release))
    assert (outcome.verdict.value, outcome.file) == ("unknown", PLAIN)
