"""Show an index, and what is done to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from variant_publish.cli.console import echo, echo_table
from variant_publish.model.quantity import count, readable_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from variant_publish.api import IndexCleanup
    from variant_publish.formats.master import ProjectIndex
    from variant_publish.index.verify import Verified
    from variant_publish.index.yank import Removal


def show_files(index: ProjectIndex) -> None:
    """Print the files of a project."""
    echo(f"{index.name}: {count(len(index.files), 'file')}, generation {index.generation}", bold=True)
    rows = []
    for file in index.files:
        size = readable_size(file.size) if file.size is not None else ""
        place = "elsewhere" if "://" in file.url else "here"
        yanked = "" if file.yanked is None else file.yanked or "yes"
        rows.append((file.filename, place, size, (file.upload_time or "")[:10], yanked))
    echo_table(("file", "stored", "size", "uploaded", "yanked"), rows)


def show_written(keys: Sequence[str]) -> None:
    """Print how many pages changed."""
    echo(f"{count(len(keys), 'index page')} written" if keys else "nothing to do: it is so already")


def show_verified(found: Verified) -> None:
    """Print what was compared, and everything that is wrong."""
    for trouble in found.troubles:
        state = "repaired" if trouble.key in found.mended else "error"
        echo(f"{state}: {trouble.key} {trouble.what}")
    for key in found.unlisted:
        echo(f"note: no page lists {key}")
    counts = (len(found.projects), "project"), (found.files, "file"), (len(found.troubles), "problem")
    summary = ", ".join(count(number, noun) for number, noun in counts)
    echo(summary if found.troubles else f"{summary}: the index is sound")
    if not found.is_sound and any(item.is_mendable and item.key not in found.mended for item in found.troubles):
        echo("--repair rewrites the pages")


def show_removal(plan: Removal) -> None:
    """Print what would be removed."""
    for file in plan.files:
        echo(f"remove {file.filename}")
    echo(f"{count(len(plan.files), 'file')}, {readable_size(plan.size)}")
    for pin in plan.pins:
        echo(f"pinned by {pin}")


def show_cleanup(plan: IndexCleanup) -> None:
    """Print what would be removed, and what stays although it is old."""
    for removal in plan.removals:
        what = f"{count(len(removal.files), 'file')}, {readable_size(removal.size)}"
        echo(f"remove {removal.project} {', '.join(removal.versions)}: {what}")
    for version, pin in plan.kept:
        echo(f"keep {version}: pinned by {pin}")
    for pending in plan.uploads:
        echo(f"abort the upload of {pending.key}, begun {pending.begun}")
    for name in plan.stages:
        echo(f"remove the stage {name}, which nobody released")
    for project in plan.unfinished:
        echo(f"delete the files of {project} that an earlier command removed from its page")
    if not plan:
        echo("nothing to do")
