"""The commands that install the newest release: for each tool, and for each kind of machine that it has wheels for."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from variant_publish.dialects.registry import dialect_of_file
from variant_publish.formats.master import ProjectIndex
from variant_publish.index.project_page import EVERY_MACHINE, ReleaseGrid
from variant_publish.model.variant import GENERIC

TOOLS = {"pip": "pip", "uv": "uv", "file": "requirements.txt"}
_PLACE = "ADDRESS-OF-THIS-INDEX"
_PREVIEW = "uv itself chooses the variant, by its preview of PEP 825."
_VIEW = "On a platform for which the variant is not built, the generic wheel is installed."
_RUN = "{} alone cannot choose a variant of this index: variant-publish does, on the machine where it runs."


class MachineChoice(msgspec.Struct, frozen=True):
    """One kind of machine, in words, and the variant that is built for it."""

    variant: str
    words: str


class InstallCommand(msgspec.Struct, frozen=True):
    """What to type with a tool (a key of TOOLS) on a machine, given by its place among the choices."""

    tool: str
    choice: int
    lines: tuple[str, ...]
    note: str = ""


def machine_choices(grid: ReleaseGrid) -> tuple[MachineChoice, ...]:
    """Return the kinds of machines that a release has wheels for, those without special hardware first."""
    rows = sorted(grid.rows, key=lambda row: row.variant != GENERIC)
    if grid.is_view:
        rows = [row for row in rows if row.variant != GENERIC]
    return tuple(MachineChoice(row.variant, _words(row.variant, row.needs)) for row in rows)


def install_commands(index: ProjectIndex, grid: ReleaseGrid) -> tuple[InstallCommand, ...]:
    """Return a command for each tool and choice of a release."""
    return tuple(
        command
        for place, choice in enumerate(machine_choices(grid))
        for command in _commands(index, grid, choice.variant, place)
    )


def _words(variant: str, needs: str) -> str:
    if variant == GENERIC:
        return "No special hardware"
    words = variant if needs in ("", EVERY_MACHINE) else needs
    return words[:1].upper() + words[1:]


def _commands(index: ProjectIndex, grid: ReleaseGrid, variant: str, place: int) -> Iterator[InstallCommand]:
    address = index.public_url or _PLACE
    name, pinned = index.name, f"{index.name}=={grid.version}"
    view = index.views.get(grid.version, {}).get(variant, "")
    local = grid.local_versions.get(variant, "")
    if variant == GENERIC or view or local:
        where, exact = view or address, bool(local) and not grid.is_view
        wanted, note = f"{name}=={local}" if exact else name, _VIEW if grid.is_view else ""
        yield InstallCommand("pip", place, (f"pip install --extra-index-url {where} {wanted}",), note)
        yield InstallCommand("uv", place, (f"uv pip install --index {where} {wanted}",), note)
        yield InstallCommand("file", place, (f"--extra-index-url {where}", wanted if exact else pinned), note)
        return
    run = f"variant-publish run --index {address} --"
    yield InstallCommand("pip", place, (f"{run} pip install {name}",), _RUN.format("pip"))
    if any((owner := dialect_of_file(file.filename)) and owner.plain_installers_read for file in grid.others):
        preview = f"uv pip install --preview-features wheel-variants --index {address} {name}"
        yield InstallCommand("uv", place, (preview,), _PREVIEW)
    else:
        yield InstallCommand("uv", place, (f"{run} uv pip install {name}",), _RUN.format("uv"))
    yield InstallCommand("file", place, (f"{run} pip install -r requirements.txt",), _RUN.format("pip"))


def view_command(project: str, address: str) -> str:
    """Return the command that takes a variant from its view by plain pip; "" where the address is not known."""
    return f"pip install --extra-index-url {address} {project}" if address else ""
