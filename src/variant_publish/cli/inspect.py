"""`variant-publish inspect`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from variant_publish import api
from variant_publish.cli.console import echo, print_json
from variant_publish.model.quantity import count

if TYPE_CHECKING:
    from variant_publish.release.inspection import Inspection


@click.command()
@click.argument("wheels", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--fast", is_flag=True, help="Disassemble nothing: the CPU level is then that of ISA notes only.")
def command(wheels: tuple[Path, ...], output: str, fast: bool) -> int:
    """Print what is inside the binaries of WHEELS (files or folders), and the properties that follow.

    The block `properties = [...]` can be pasted into [tool.variant-publish.variants.NAME]: read it before, because a
    file cannot tell everything (a minimum driver, code that is compiled on the machine).

    \b
    Example:
      variant-publish inspect wheelhouse/foo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    found = api.inspect(wheels, fast=fast)
    if output == "json":
        print_json({"schema-version": 1, "wheels": [inspection.table() for inspection in found]})
    else:
        echo("\n\n".join(map(describe, found)))
    return 0


def describe(found: Inspection) -> str:
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
    lines += [f"  {name:<16}{value}" for name, value in rows if value]
    if found.properties:
        lines += ["", "properties = [", *(f'    "{text}",' for text in found.properties), "]"]
    else:
        lines += ["", "# no properties follow from the binaries: by them, this is the generic wheel"]
    return "\n".join(lines)
