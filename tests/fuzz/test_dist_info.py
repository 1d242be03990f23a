"""Names, METADATA, WHEEL, RECORD and requirements of a stranger end in a value or one of our errors."""

from __future__ import annotations

from support.fuzz import fuzz
from variant_publish.formats.metadata import Metadata
from variant_publish.formats.record import Record, edit_record
from variant_publish.formats.wheel_file import WheelFile
from variant_publish.model.requirement import TaggedRequirement, with_evaluated_markers

METADATA = b"""Metadata-Version: 2.4
Name: foo
Version: 1.0
Requires-Python: >=3.11
Requires-Dist: numpy>=1.26
Requires-Dist: torch+cu128==2.9.0; python_version < "3.13" and (extra == "gpu" or sys_platform == 'linux')
Project-URL: Homepage, https://example.org
License-Expression: MIT

A description.
"""
WHEEL = b"Wheel-Version: 1.0\nGenerator: hatchling 1.27\nRoot-Is-Purelib: false\nTag: cp312-cp312-win_amd64\nBuild: 1\n"
RECORD = b'foo/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n"foo/a,b.py",sha256=x,1\nfoo-1.0.dist-info/RECORD,,\n'


def test_metadata() -> None:
    def read(content: bytes) -> None:
        metadata = Metadata.parse(content)
        assert bytes(metadata) == content
        _ = metadata.requires_dist, metadata.requires_python, metadata.renamed("foo", "bar")
        _ = metadata.with_requires(add=["numpy"], remove=["numpy>=1.26"]), metadata.with_version("2.0")

    assert fuzz(read, [METADATA], words=[b"Requires-Dist: a\n" * 500, b"Name: x\n", b" \n \n", b"\r\n"])


def test_wheel_file() -> None:
    def read(content: bytes) -> None:
        parsed = WheelFile.parse(content)
        _ = parsed.tags, parsed.expanded_tags(), bytes(parsed.with_tags(["py3-none-any"]))

    assert fuzz(read, [WHEEL], words=[b"Tag: a.b.c-a.b.c-a.b.c\n", b".x" * 2000, b"\xe2\x80\xa8"])


def test_record() -> None:
    def read(content: bytes) -> None:
        Record.parse(content)
        edit_record(content, {"foo/__init__.py": "foo/x.py"}, {"foo/new.py": b"1", "foo-1.0.dist-info/RECORD": None})

    assert fuzz(read, [RECORD], words=[b'"', b",", b",,", b"\r", b'""'])


def test_requirements() -> None:
    def read(content: bytes) -> None:
        text = content.decode("utf-8", "replace")
        requirement = TaggedRequirement.parse(text)
        _ = str(requirement), requirement.pin, requirement.project
        with_evaluated_markers(text, {"python_version"}, lambda *_: True)

    samples = [
        b"torch+cu128==2.9.0; python_version < '3.13' and (extra == 'gpu')",
        b"numpy[a,b]>=1,<2",
        b"foo @ https://example.org/x.whl",
    ]
    assert fuzz(read, samples, words=[b"; ", b"(" * 3000, b" and ", b"@ file:///", b"=="])
