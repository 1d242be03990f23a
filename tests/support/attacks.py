"""Small files that cost their reader as much as they can; each has at most 1 MB."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from support.binaries import LEGACY, elf, fat, macho
from support.checks import LINUX
from support.wheels import make_wheel
from variant_publish.formats.variants_json import SCHEMA_850

NAME = f"foo-1.0-cp312-cp312-{LINUX}.whl"
SELECTOR = "foo-1.0-wheel-selector.toml"
INFO = "foo-1.0.dist-info"
MEGABYTE = 1_000_000
_ROOM = 990_000


def raw_elf(*sections: tuple[int, bytes | int, int], repeat: tuple[int, int, int, int, int] | None = None) -> bytes:
    """Return an ELF file of sections (kind, content or the number of the section whose content it shares, info).

    All are linked to the first. `repeat` adds so many headers of one more: count, kind, offset, size, info.
    """
    head, body = 64, b""
    places: list[tuple[int, int]] = []
    for _, content, _ in sections:
        if isinstance(content, int):
            places.append(places[content])
        else:
            places.append((head + len(body), len(content)))
            body += content.ljust(-(-len(content) // 8) * 8, b"\0")
    rows = [(kind, *place, info) for (kind, _, info), place in zip(sections, places, strict=True)]
    if repeat is not None:
        rows += [repeat[1:]] * repeat[0]
    headers = b"".join(
        struct.pack("<2L4Q2L2Q", 0, kind, 0, 0, offset, size, 0, info, 0, 24) for kind, offset, size, info in rows
    )
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    start = head + len(body)
    return ident + struct.pack("<2HL3QL6H", 3, 62, 1, 0, 0, start, 0, 64, 56, 0, 64, len(rows), 0) + body + headers


def endless_version_needs() -> bytes:
    """Return 2^32 needed libraries of 65,535 versions each, in 32 bytes that point at themselves."""
    needs = struct.pack("<2H3L", 1, 0xFFFF, 1, 16, 16) + struct.pack("<L2H2L", 0, 0, 2, 1, 0)
    return raw_elf((3, b"\0x\0", 0), (0x6FFFFFFE, needs * 30_000, 0xFFFFFFFF))


def long_names() -> bytes:
    """Return 20,000 symbols whose names are all of one string of 500,000 bytes."""
    symbols = b"".join(struct.pack("<L2BH2Q", 1 + number, 0x12, 0, 0, 0, 0) for number in range(20_000))
    return raw_elf((3, b"\0" + b"a" * 500_000 + b"\0", 0), (11, symbols, 0))


def quite_long_names() -> bytes:
    """Return the same with names that are short enough for a compiler."""
    symbols = b"".join(struct.pack("<L2BH2Q", 1 + number, 0x12, 0, 0, 0, 0) for number in range(30_000))
    return raw_elf((3, b"\0" + b"a" * 60_000 + b"\0", 0), (11, symbols, 0))


def many_symbols() -> bytes:
    """Return all names that fit."""
    names = [b"Py%d" % number for number in range(28_000)]
    symbols, place = [], 1
    for name in names:
        symbols.append(struct.pack("<L2BH2Q", place, 0x12, 0, 0, 0, 0))
        place += len(name) + 1
    return raw_elf((3, b"\0" + b"\0".join(names) + b"\0", 0), (11, b"".join(symbols), 0))


def many_dynamic_sections() -> bytes:
    """Return 60,000 sections that all are one dynamic table of 5,000 libraries: 4 MB, of which a wheel needs 12 kB."""
    table = b"".join(struct.pack("<qQ", 1, 1) for _ in range(5_000))
    return raw_elf((3, b"\0x\0", 0), (6, table, 0), repeat=(60_000, 6, 72, len(table), 0))


def many_notes() -> bytes:
    """Return 60,000 sections that all are one note of 60,000 bytes."""
    note = struct.pack("<3L4s", 4, 60_000, 5, b"GNU") + struct.pack("<2L", 7, 0) * 7_500
    return raw_elf((3, b"\0", 0), (7, note, 0), repeat=(60_000, 7, 72, len(note), 0))


def many_functions() -> bytes:
    """Return an unwind table with 120,000 functions of no length, then some of all code that there is."""
    return elf(functions=[b""] * 100_000 + [LEGACY] * 50)


def dense_code() -> bytes:
    """Return functions of nothing but instructions of one byte, the slowest to disassemble."""
    return elf(functions=[b"\x90" * 60_000] * 16)


def nested_device_code() -> bytes:
    """Return containers each of which has all that follow."""
    entry = 80
    count = _ROOM // (entry + 16)
    out = bytearray()
    for number in range(count):
        left = (count - number) * (entry + 16) - 16
        out += struct.pack("<LHHQ", 0xBA55ED50, 1, 16, left)
        out += struct.pack("<2HLQ2L2HL2LQ", 2, 0x101, 64, 32, 0, 0, 0, 0, 90, 0, 0, 0).ljust(80, b"\0")
    return elf(extra=bytes(out))


def shared_thunks() -> bytes:
    """Return 3,000 imported libraries that share one table of 50,000 symbols."""
    start, raw, libraries, thunks = 0x1000, 0x400, 3_000, 50_000
    names = start + 20 * (libraries + 1)
    table = names + 16
    body = struct.pack("<5L", table, 0, 0, names + 8, table) * libraries + bytes(20)
    body += b"\0\0Sleep\0a.dll\0".ljust(16, b"\0") + struct.pack("<Q", names) * thunks + bytes(8)
    optional = (
        struct.pack("<H", 0x20B).ljust(108, b"\0")
        + struct.pack("<L", 16)
        + struct.pack("<4L", 0, 0, start, len(body)).ljust(128, b"\0")
    )
    coff = struct.pack("<2H3L2H", 0x8664, 1, 0, 0, 0, len(optional), 0x2000)
    section = b".rdata\0\0" + struct.pack("<4L", len(body), start, len(body), raw).ljust(32, b"\0")
    head = b"MZ".ljust(0x3C, b"\0") + struct.pack("<L", 0x40) + b"PE\0\0" + coff + optional + section
    return head.ljust(raw, b"\0") + body


def many_commands() -> bytes:
    """Return as many load commands as fit, and more that are promised."""
    commands = struct.pack("<6L", 0xC, 24, 8, 0, 0, 0) * (_ROOM // 24)
    return struct.pack("<8L", 0xFEEDFACF, 0x0100000C, 0, 6, 500_000, len(commands), 0, 0) + commands


def shared_slices() -> bytes:
    """Return a universal file of 19 architectures that are one library of 40,000 symbols."""
    library = macho(imports=[f"s{number}" for number in range(30_000)])
    data = bytearray(fat((7, library)))
    offset = struct.unpack_from(">L", data, 16)[0]
    out = bytearray(struct.pack(">2L", 0xCAFEBABE, 19))
    for number in range(19):
        out += struct.pack(">5L", number + 1, 0, offset, len(library), 0)
    assert len(out) <= offset
    data[: len(out)] = out
    return bytes(data)


BINARIES: Mapping[str, Callable[[], bytes]] = {
    function.__name__: function
    for function in (
        endless_version_needs, long_names, quite_long_names, many_symbols, many_dynamic_sections, many_notes,
        many_functions, dense_code, nested_device_code, shared_thunks, many_commands, shared_slices,
    )
}  # fmt: skip


def large_member(folder: Path) -> Path:
    """Write a wheel with a library that unpacks to 900 MB."""
    path = make_wheel(folder, NAME, files={"foo.py": b""})
    stream = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            new.writestr(info, old.read(info))
        with new.open("foo/a.so", "w") as member:
            member.write(elf())
            for _ in range(900):
                member.write(bytes(MEGABYTE))
    path.write_bytes(stream.getvalue())
    return path


def many_large_binaries(folder: Path) -> Path:
    """Write a wheel with 40 libraries, each of which unpacks to 20 MB."""
    library = elf(functions=[LEGACY] * 1000).ljust(20 * MEGABYTE, b"\0")
    return make_wheel(folder, NAME, files={f"foo/{number}.so": library for number in range(40)})


def one_large_binary(folder: Path) -> Path:
    """Write a wheel with a library of 300 MB that does not compress: no attack, and more than memory should hold."""
    path = make_wheel(folder, NAME, files={"foo.py": b""})
    noise = random.Random(0)  # noqa: S311  (nothing secret)
    with zipfile.ZipFile(path, "a") as archive, archive.open("foo/a.so", "w", force_zip64=True) as member:
        member.write(elf(functions=[LEGACY] * 100))
        for _ in range(300):
            member.write(noise.randbytes(MEGABYTE))
    return path


def shared_member(folder: Path) -> Path:
    """Write a wheel with 5,000 names in the directory for one library of 400,000 bytes."""
    path = make_wheel(folder, NAME, files={"foo/00000.so": elf(imports=["x" * 9] * 15_000)})
    data = path.read_bytes()
    end = data.rfind(b"PK\5\6")
    count, length, start = struct.unpack_from("<H2L", data, end + 10)
    directory = data[start : start + length]
    size = 46 + struct.unpack_from("<H", directory, 28)[0]
    more = b"".join(directory[:size].replace(b"00000", b"%05d" % number) for number in range(1, 5_000))
    tail = bytearray(data[end:])
    struct.pack_into("<2H2L", tail, 8, count + 4_999, count + 4_999, length + len(more), start)
    path.write_bytes(data[:start] + directory + more + tail)
    return path


def many_members(folder: Path) -> Path:
    """Write a wheel with 9,000 empty files."""
    return make_wheel(folder, NAME, files={f"{number}": b"" for number in range(9_000)})


def large_record(folder: Path) -> Path:
    """Write a wheel with a RECORD of 60 MB."""
    return make_wheel(folder, NAME, record=b"a,,\n" * 15_000_000)


def many_record_rows(folder: Path) -> Path:
    """Write a wheel with a RECORD of all rows that its size allows."""
    rows = "".join(f"{number},,\n" for number in range(900_000)).encode()
    return make_wheel(folder, NAME, record=rows)


def many_requirements(folder: Path) -> Path:
    """Write a wheel with METADATA of 200,000 requirements."""
    return make_wheel(folder, NAME, requires=[f"a{number}>=1; extra == 'x'" for number in range(200_000)])


def some_requirements(folder: Path) -> Path:
    """Write a wheel with as many requirements as a METADATA of a real project may have, all with markers."""
    marker = "python_version >= '3.8' and (sys_platform == 'linux' or sys_platform == 'win32') and extra == 'x'"
    return make_wheel(folder, NAME, requires=[f"a{number}>=1,<2; {marker}" for number in range(4_500)])


def many_pins(folder: Path) -> Path:
    """Write a wheel with abi-requires.txt of 300,000 lines."""
    return make_wheel(folder, NAME, extra_info={"abi-requires.txt": b"numpy+pypi==2.0.0\n" * 300_000})


def many_tags(folder: Path) -> Path:
    """Write a wheel with WHEEL of 300,000 tags."""
    return make_wheel(folder, NAME, tags=[f"cp312-cp312-a{number}" for number in range(300_000)])


def many_headers(folder: Path) -> Path:
    """Write a wheel with METADATA of one header after the other."""
    return make_wheel(folder, NAME, headers=[f"Classifier: a{number}" for number in range(400_000)])


def deep_variant_json(folder: Path) -> Path:
    """Write a wheel with variant.json of 500,000 brackets."""
    return make_wheel(folder, NAME, extra_info={"variant.json": b"[" * 500_000})


def many_labels(folder: Path) -> Path:
    """Write a wheel with variant.json of 100,000 labels."""
    labels = ",".join(f'"a{number}":{{"x":{{"y":["z"]}}}}' for number in range(100_000))
    return make_wheel(folder, NAME, extra_info={"variant.json": f'{{"variants":{{{labels}}}}}'.encode()})


def long_version(folder: Path) -> Path:
    """Write a wheel with requirements with versions of 5,000 digits."""
    return make_wheel(folder, NAME, requires=[f"numpy=={'9' * 5000}", f"torch>={'1.' * 5000}1", "x" * 5000])


def nested_markers(folder: Path) -> Path:
    """Write a wheel with a requirement with a marker of 10,000 brackets."""
    marker = "(" * 10_000 + "sys_platform == 'linux'" + ")" * 10_000
    return make_wheel(folder, NAME, requires=[f"numpy; {marker}", "torch; " + " or ".join(["extra == 'x'"] * 20_000)])


def shake_digests(folder: Path) -> Path:
    """Write a wheel with a RECORD with hashes of no length of their own."""
    return make_wheel(folder, NAME, record=b"foo.py,shake_128=abc,3\nfoo/__init__.py,shake_256=,\n")


WHEELS: Mapping[str, Callable[[Path], Path]] = {
    function.__name__: function
    for function in (
        large_member, many_large_binaries, shared_member, many_members, large_record, many_record_rows,
        many_requirements, some_requirements, many_pins, many_tags, many_headers, deep_variant_json, many_labels,
        long_version, nested_markers, shake_digests,
    )
}  # fmt: skip


def hostile_wheel(attack: str, folder: Path) -> Path:
    """Write the wheel of one attack."""
    if attack in WHEELS:
        return WHEELS[attack](folder)
    if attack == one_large_binary.__name__:
        return one_large_binary(folder)
    content = BINARIES[attack]()
    assert len(zlib.compress(content)) <= MEGABYTE
    suffix = {b"MZ": "pyd", b"\xcf\xfa": "dylib", b"\xca\xfe": "dylib"}.get(content[:2], "so")
    return make_wheel(folder, NAME, files={f"foo/a.{suffix}": content})


VARIABLES = tuple(f"v{number}" for number in range(24))
"""Selector variables that together have 20^24 combinations of values."""


def many_variables(folder: Path, *, wheels: Sequence[str] = ("v0x19",)) -> Path:
    """Write wheels and a selector file of 24 variables of 20 values; return a configuration with the same.

    A tag v0x9 is for the values 0 to 9 of v0: a wheel with it tells two kinds of machines apart.
    """
    for name in (NAME, *(NAME.replace(".whl", f"+{tag}.whl") for tag in wheels)):
        make_wheel(folder, name)
    tables = {
        name: "".join(f"{value} = {[*(f'{name}x{tag}' for tag in range(value, 20)), '']}\n" for value in range(20))
        for name in VARIABLES
    }
    head = f"[wheel-selector]\nvariables = {[*VARIABLES]}\n"
    lines = "".join(f"[selector.{name}.wheel_tags]\n{table}" for name, table in tables.items())
    (folder / SELECTOR).write_text(head + lines)
    config = folder.parent / "pyproject.toml"
    lines = "".join(f"[tool.variant-publish.selectors.{name}.wheel_tags]\n{table}" for name, table in tables.items())
    variants = "".join(f"[tool.variant-publish.variants.{tag}]\n" for tag in wheels)
    config.write_text(f"{variants}{lines}")
    return config


def many_values(folder: Path) -> Path:
    """Write a wheel whose label has 2,000 values of each property of one namespace: 10^10 machines in their product."""
    numbers = range(1, 2_001)
    values = {
        "cuda_version_lower_bound": [f"{number}.0" for number in numbers],
        "cuda_version_upper_bound": [f"{number}.5" for number in numbers],
        "sm_arch": [f"{number}_real" for number in numbers],
    }
    provider = {
        "requires": ["nvidia-variant-provider"],
        "plugin-api": "nvidia_variant_provider.plugin:NvidiaVariantPlugin",
    }
    data = {
        "$schema": SCHEMA_850, "default-priorities": {"namespace": ["nvidia"]}, "providers": {"nvidia": provider},
        "variants": {"a": {"nvidia": values}},
    }  # fmt: skip
    (folder).mkdir(parents=True, exist_ok=True)
    (folder / "foo-1.0-variants.json").write_text(json.dumps(data))
    return make_wheel(folder, NAME.replace(".whl", "-a.whl"), extra_info={"variant.json": json.dumps(data).encode()})


def master(names: Callable[[int], str], *own: str) -> bytes:
    """Return a master of as many files as fit, all at one address, after some that are there."""
    files: list[dict[str, object]] = [{"filename": name, "url": name, "hashes": {}} for name in own]
    room = _ROOM
    while room > 0:
        files.append({"filename": names(len(files)), "url": "x", "hashes": {}})
        room -= len(json.dumps(files[-1], separators=(",", ":"))) + 1
    data = {"meta": {"api-version": "1.2"}, "name": "foo", "versions": [], "files": files[:-1]}
    return json.dumps(data, separators=(",", ":")).encode()


SELECTED: Mapping[str, Callable[[int], str]] = {
    "many pairs of tags": lambda number: (
        f"py3-none-any+v{number % 23}x{number // 23 % 20}+v{number % 23 + 1}x{number // 460}"
    ),
    "many interpreters": lambda number: f"{'cp' if number % 2 else 'py'}3{number // 2}-none-any+v0x{number % 20}",
    "many platforms": lambda number: f"cp312-cp312-macosx_{number % 99 + 11}_{number // 99}_arm64+v0x{number % 20}",
    "many cells": lambda number: f"py3-none-a{number}+v0x{number % 20}",
    "many dependencies": lambda number: f"py3-none-any+torch2_{number}",
}
"""Wheels of a project whose machines are told apart by selector variables, as tags and extra tags of a number."""

MASTERS: Mapping[str, Callable[[], bytes]] = {
    "many versions": lambda: master(lambda number: f"foo-{number}-py3-none-any.whl"),
    "many builds": lambda: master(lambda number: f"foo-1.0-{number}-py3-none-any.whl"),
    "many variants": lambda: master(lambda number: f"foo-1.0-py3-none-any+t{number}.whl"),
    "many cells": lambda: master(lambda number: f"foo-1.0-py3-none-a{number}+t{number}.whl"),
    "deep": lambda: b'{"meta":' + b"[" * 500_000,
}


def hostile_index(attack: str, folder: Path) -> Path:
    """Write an index of one project in a folder, and the configuration that names it; return the latter."""
    place = folder / "index" / "foo"
    place.mkdir(parents=True)
    content = (
        MASTERS[attack]() if attack in MASTERS else master(lambda n: f"foo-1.0-{SELECTED[attack](n)}.whl", SELECTOR)
    )
    assert len(content) <= MEGABYTE
    (place / "index.json").write_bytes(content)
    projects = {"meta": {"api-version": "1.2"}, "projects": [{"name": "foo"}]}
    (place.parent / "index.json").write_text(json.dumps(projects))
    config = folder / "pyproject.toml"
    config.write_text('[tool.variant-publish.upload]\nextra-index = "file:index"\n')
    return config


def hostile_choice(attack: str, folder: Path) -> None:
    """Write an index of a project with as many variants as fit on its page, and the selector file that tells them."""
    hostile_index(attack, folder)
    selector = folder / "index" / "foo" / SELECTOR
    if attack != "many dependencies":
        many_variables(selector.parent)
    else:
        table = "".join(f'"2.{number}" = ["torch2_{number}", ""]\n' for number in range(20_000))
        selector.write_text(f"[wheel-selector]\nvariables = ['abi_torch']\n[selector.abi_torch.wheel_tags]\n{table}")
