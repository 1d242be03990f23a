"""Write small wheels for tests: real archives with a right RECORD."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from variant_publish.dialects.wheel_name import WheelName
from variant_publish.formats.record import Record, RecordRow
from variant_publish.formats.variants_json import VariantsMetadata

DATE = (2024, 5, 6, 7, 8, 10)


def make_wheel(
    folder: Path,
    filename: str,
    *,
    files: Mapping[str, bytes] | None = None,
    name: str | None = None,
    requires: Iterable[str] = (),
    headers: Iterable[str] = (),
    tags: Iterable[str] | None = None,
    dist_info: str | None = None,
    extra_info: Mapping[str, bytes] | None = None,
    info_first: bool = False,
    record: bytes | None = None,
    variant: VariantsMetadata | None = None,
    description: str = "A test wheel.\n",
) -> Path:
    """Write a wheel and give its path.

    `files` are the payload (default: one module that tells the variant), `headers` further METADATA lines, `tags`
    the Tag lines (default: those of the file name), `extra_info` further dist-info files, `record` a RECORD in
    place of the right one, `variant` the content of variant.json, `description` what follows the headers.
    """
    parsed = WheelName.parse(filename)
    info = dist_info or f"{parsed.plain.distribution}-{parsed.version}.dist-info"
    payload = (
        dict(files)
        if files is not None
        else {f"{parsed.plain.distribution}.py": f"VARIANT = {parsed.variant!r}\n".encode()}
    )
    metadata = ["Metadata-Version: 2.1", f"Name: {name or parsed.plain.distribution.replace('_', '-')}",
                f"Version: {parsed.version}", *headers]  # fmt: skip
    metadata += [f"Requires-Dist: {requirement}" for requirement in requires]
    wheel = ["Wheel-Version: 1.0", "Generator: tests", "Root-Is-Purelib: false"]
    wheel += [f"Tag: {tag}" for tag in (parsed.tag_lines() if tags is None else tags)]
    info_files = {
        f"{info}/METADATA": ("\n".join(metadata) + f"\n\n{description}").encode(),
        f"{info}/WHEEL": ("\n".join(wheel) + "\n").encode(),
        **{f"{info}/{key}": content for key, content in (extra_info or {}).items()},
    }
    if variant is not None:
        info_files[f"{info}/variant.json"] = variant.dumps().encode()
    members = {**info_files, **payload} if info_first else {**payload, **info_files}
    rows = [RecordRow.of(path, content) for path, content in members.items() if not path.endswith("/")]
    members[f"{info}/RECORD"] = record if record is not None else bytes(Record((*rows, RecordRow(f"{info}/RECORD"))))
    path = folder / filename
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            entry = zipfile.ZipInfo(member, DATE)
            entry.compress_type = zipfile.ZIP_STORED if member.endswith("/") else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content)
    return path
