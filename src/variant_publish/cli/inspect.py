"""`variant-publish inspect`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from variant_publish import api
from variant_publish.cli import layout
from variant_publish.cli.console import ConsoleReporter, echo, print_json
from variant_publish.model.quantity import count

if TYPE_CHECKING:
    from variant_publish.release.abi_range import AbiRange
    from variant_publish.release.inspection import Inspection


@click.command()
@click.argument("wheels", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--fast", is_flag=True, help="Disassemble nothing: the CPU level is then that of ISA notes only.")
@click.option("--abi", "project", metavar="NAME", help="Look for the releases of a dependency that they load with.")
@click.option("--index", default="pypi", show_default=True, metavar="URL|DIR", help="Where these releases are.")
def command(wheels: tuple[Path, ...], output: str, fast: bool, project: str | None, index: str) -> int:
    """Print what is inside the binaries of WHEELS (files or folders), and the properties that follow.

    The block `properties = [...]` can be pasted into [tool.variant-publish.variants.NAME]: read it before, because a
    file cannot tell everything (a minimum driver, code that is compiled on the machine).

    With --abi the symbols that the libraries need are looked up in the published wheels of a dependency, for the same
    Python and platform: each is downloaded once, and what was read of it is kept in the cache.

    \b
    Examples:
      variant-publish inspect wheelhouse/foo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl
      variant-publish inspect wheelhouse/foo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl --abi torch
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    found = api.inspect(wheels, fast=fast)
    reporter = ConsoleReporter()
    ranges = [project and api.abi_range(one.wheel.path, project, index=index, reporter=reporter) for one in found]
    if output == "json":
        print_json({
            "schema-version": 1,
            "wheels": [
                one.table() | ({"abi": abi.table()} if abi else {}) for one, abi in zip(found, ranges, strict=True)
            ],
        })  # fmt: skip
    else:
        echo("\n\n".join(describe(one, abi or None) for one, abi in zip(found, ranges, strict=True)))
    return 0


def describe(found: Inspection, abi: AbiRange | None = None) -> str:
    """Return the text for one wheel."""
    rows = (
        ("architectures", ", ".join(found.architectures)),
        *((f"{title} code", ", ".join(names)) for title, names in found.code_names.items()),
        *((name, ", ".join(map(str, majors))) for name, majors in found.runtimes.items()),
        ("x86-64 level", "" if found.level is None else f"v{found.level} ({found.simd})"),
        ("NumPy", f"{found.numpy} or later" if found.numpy else ""),
        ("Linux policy", found.policy or ""),
        ("newest symbols", ", ".join(found.newest)),
        ("other libraries", ", ".join(found.external)),
        ("macOS", ", ".join(found.macos)),
        ("not understood", ", ".join(binary.path for binary in found.binaries if binary.fault)),
    )
    lines = [f"{found.wheel.filename} ({count(len(found.binaries), 'binary', 'binaries')})"]
    width, room = layout.columns(), " " * 18
    lines += [layout.paragraph(value, first=f"  {name:<16}", rest=room, width=width) for name, value in rows if value]
    if abi is not None:
        lines += [f"  {'ABI':<16}{abi}", *(f"  {'':<16}{text}" for text in abi.bounds)]
    proposed = [str(abi.proposed)] if abi is not None and abi.proposed else []
    properties = list(dict.fromkeys((*found.properties, *proposed)))
    if properties:
        lines += ["", "properties = [", *(f'    "{text}",' for text in properties), "]"]
    else:
        lines += ["", "# no properties follow from the binaries: by them, this is the generic wheel"]
    return "\n".join(lines)
