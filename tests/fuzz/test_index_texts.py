"""What an index serves as text: pages, variants.json, selector files; an answer is a value or one of our errors."""

from __future__ import annotations

import json
import re

from packaging.version import Version

from support.attestations import attestation
from support.fuzz import fuzz
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.formats.host_file import HostFile
from variant_publish.formats.installed import InstalledVariant
from variant_publish.formats.older_variants import OlderVariants
from variant_publish.formats.page import parse_page
from variant_publish.formats.provenance import check_attestation
from variant_publish.formats.pylock import Lock, LockedFile, LockedPackage, LockedVariant
from variant_publish.formats.selector_toml import SelectorFile
from variant_publish.formats.simple import IndexFile, version_of
from variant_publish.formats.variants_json import VariantsMetadata
from variant_publish.model.url import redact
from variant_publish.release.published import PublishedRelease
from variant_publish.release.selectors import SelectorFiles

SHA = "ab" * 32
URL = "https://host/simple/foo/"
NAMES = (
    b"foo-1.0-cp312-cp312-manylinux_2_17_x86_64+cu128.manylinux2014_x86_64+cu128.whl",
    b"foo-1.0-1-py3-none-any.whl",
    b"foo-1.0+cu128-cp312-abi3-win_amd64-x86_64_v3.whl",
)
HTML = f"""<!DOCTYPE html><html><head><base href="../foo/"><meta name="pypi:repository-version" content="1.1">
<title>foo</title><style>a {{ color: red }}</style></head><body><!-- a comment -->
<a href="foo-1.0-py3-none-any%2Bcu128.whl#sha256={SHA}" data-requires-python="&gt;=3.9" data-yanked>foo</a>
<a href='https://files.example.org/foo-1.0.tar.gz?x=1' data-core-metadata="sha256={SHA}">foo</a></body></html>""".encode()
JSON = json.dumps(
    {
        "meta": {"api-version": "1.1"},
        "name": "foo",
        "versions": ["1.0"],
        "files": [
            {
                "filename": "foo-1.0-py3-none-any.whl", "url": "foo-1.0-py3-none-any.whl", "hashes": {"sha256": SHA},
                "size": 5, "core-metadata": {"sha256": SHA}, "yanked": "broken", "requires-python": ">=3.9",
                "upload-time": "2026-11-24T12:00:00Z", "provenance": "https://host/p",
            }
        ],
    }
).encode()  # fmt: skip
VARIANTS = json.dumps(
    {
        "$schema": "https://variants-schema.wheelnext.dev/peps/850/v0.2.0.json",
        "default-priorities": {"namespace": ["nvidia", "x86_64"]},
        "providers": {
            "nvidia": {
                "requires": ["nvidia-variant-provider"],
                "plugin-api": "nvidia_variant_provider.plugin:NvidiaVariantPlugin",
            },
            "x86_64": {"static-properties": {"level": ["v3", "v2"]}},
        },
        "variants": {
            "null": {},
            "cu128": {"nvidia": {"cuda_version_lower_bound": ["12.8"]}, "x86_64": {"level": ["v3"]}},
        },
    }
).encode()
OLDER = json.dumps(
    {
        "default-priorities": {"namespace": ["nvidia"], "feature": {"nvidia": ["sm_arch"]}},
        "providers": {
            "nvidia": {"requires": ["nvidia-variant-provider>=0.0.1"], "enable-if": "sys_platform == 'linux'"}
        },
        "variants": {"00000000": {}, "cu128": {"nvidia": {"sm_arch": ["90_real"]}}},
    }
).encode()
SELECTOR = b"""[wheel-selector]
variables = ["x86_64_version"]

[selector.x86_64_version]
requires = ["cpuversion >= 1.0"]
function = ["cpuversion:get_x86_64_psABI_version"]

[selector.x86_64_version.wheel_tags]
x86-64 = [""]
x86-64-v3 = ["x86_64_v3", ""]
"""
TEXTS = (
    b"../",
    b"javascript:alert(1)",
    b"file:///etc/passwd",
    b"//host/x",
    b"\\\\host\\x",
    b"&#" + b"9" * 5000 + b";",
    b"<a href='",
)


def _check_files(files: tuple[IndexFile, ...]) -> None:
    for file in files:
        assert file.url.startswith(("https://", "http://"))
        assert "/" not in file.filename
        assert file.filename.isascii()
        _ = file.metadata_url, version_of(file.filename), redact(file.url), IndexFile.parse(file.table())
    for version in {text for file in files if (text := version_of(file.filename)) and file.filename.endswith(".whl")}:
        PublishedRelease.of("foo", files, Version(version))


def test_html_pages() -> None:
    assert fuzz(lambda content: _check_files(parse_page(content, URL)), [HTML], words=TEXTS)


def test_json_pages() -> None:
    kind = "application/vnd.pypi.simple.v1+json"
    assert fuzz(lambda content: _check_files(parse_page(content, URL, kind)), [JSON], words=TEXTS)


def test_every_text_is_an_entry_or_none() -> None:
    table = json.loads(JSON)["files"][0]

    def read(content: bytes) -> None:
        text = content.decode("utf-8", "replace")
        for key in table:
            IndexFile.parse({**table, key: text})

    fuzz(read, [b"x", SHA.encode(), *NAMES], words=TEXTS)


def test_variants_json() -> None:
    def read(content: bytes) -> None:
        parsed = VariantsMetadata.parse(content)
        assert VariantsMetadata.parse(parsed.dumps()) == parsed

    assert fuzz(read, [VARIANTS], words=[b'["v1"]', b'"optional": true,', b'"builtin": "abi_dependency",'])


def test_older_variants_json() -> None:
    assert fuzz(OlderVariants.parse, [OLDER, VARIANTS], words=[b'"install-time": true,', b'"property":'])


def test_selector_files() -> None:
    def read(content: bytes) -> None:
        parsed = SelectorFile.parse(content)
        assert SelectorFile.parse(parsed.dumps()) == parsed
        for selector in parsed.selectors.values():
            assert not any("\n" in text or text.startswith("-") for text in selector.requires)

    words = [b'"--index-url=https://evil/simple"', b'"a\\n--index-url=https://evil"', b"[[" * 3000, b"{a=" * 3000]
    assert fuzz(read, [SELECTOR], words=words)


def test_selector_files_by_name() -> None:
    def read(content: bytes) -> None:
        text = content.decode("utf-8", "replace")
        SelectorFiles.parse({"foo-1.0-variants.json": text, "foo-1.0-wheel-selector.toml": text})

    fuzz(read, [SELECTOR, VARIANTS])


def test_names_never_lead_out_of_their_folder() -> None:
    def read(content: bytes) -> None:
        name = WheelName.parse(content.decode("utf-8", "replace"))
        text = str(name)
        assert "/" not in text
        assert "\\" not in text
        assert text.isprintable()
        assert len(text) < 256
        _ = name.tags, name.parsed_version, name.project, name.tag_lines()

    assert fuzz(read, NAMES, words=[b"/", b"/../", b"1/../2", b"C:", b"-1/../../x", b"nul", b"a.b.c." * 300])


RECORD = InstalledVariant(
    "foo", "1.0", "foo-1.0-py3-none-any+cu128.whl", "cu128", "plus", SHA, "https://h", ("cu128",), {"cuda": ("12.8",)},
    VariantsMetadata.parse(VARIANTS), {"cuda": "12.9"}, asked=("cu128",), abi={"torch": "2.9"},
)  # fmt: skip
HOST = HostFile("3.12.3", "manylinux_2_28_x86_64", {"cuda": "12.8"}, {"blas": {"lib": ("mkl",)}})
FILE = LockedFile("https://h/foo-1.0-py3-none-any.whl", SHA)
PACKAGES = (
    LockedPackage("foo", "1.0", (FILE,), FILE, RECORD, RECORD.metadata),
    LockedPackage("foo", "1.0", (FILE,), marker="sys_platform == 'linux'", requires=("bar",),
                  variants=(LockedVariant(FILE, ("foo",)),), selector=SelectorFile.parse(SELECTOR), index="https://h"),
)  # fmt: skip


def test_records_of_installed_variants() -> None:
    def read(content: bytes) -> None:
        parsed = InstalledVariant.parse(content)
        assert InstalledVariant.parse(parsed.dumps()) == parsed

    assert InstalledVariant.parse(RECORD.dumps()) == RECORD
    assert fuzz(read, [RECORD.dumps().encode()], words=[b'"variant-json"', b"{}", b"[]"])


def test_described_machines() -> None:
    def read(content: bytes) -> None:
        parsed = HostFile.parse(content.decode("utf-8", "replace"))
        assert HostFile.parse(parsed.dumps()) == parsed

    assert fuzz(read, [HOST.dumps().encode()], words=[b"[values]", b"{a=" * 3000, b"evaluated"])


def test_locks() -> None:
    def read(content: bytes) -> None:
        for line in Lock.parse(content.decode("utf-8", "replace")).requirements().splitlines():
            assert re.fullmatch(r"[a-z0-9-]+ @ \S+ --hash=sha256:[0-9a-f]{64}", line)

    locks = [Lock((PACKAGES[0],), HOST), Lock(PACKAGES[1:], None, ">=3.9", ("foo",))]
    assert [Lock.parse(lock.dumps()) for lock in locks] == locks
    words = [*TEXTS, b"\\n--index-url=https://evil", b" --index-url=https://evil", b"foo @ https://evil"]
    assert fuzz(read, [lock.dumps().encode() for lock in locks], words=words)


def test_attestations() -> None:
    fuzz(lambda content: check_attestation(content, "foo", SHA), [attestation("foo", SHA), b'{"version": 1}'])
