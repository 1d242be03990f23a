"""The pages of the index (PEP 503, 592, 629, 658/714, 708, 792), rendered from their masters."""

from __future__ import annotations

from variant_publish.formats.master import API_VERSION, ProjectIndex, RootIndex
from variant_publish.index.commands import TOOLS, install_commands, machine_choices
from variant_publish.index.project_page import href_of, newest, releases_of
from variant_publish.model.quantity import count, readable_size
from variant_publish.templating import render_template


def render_project(index: ProjectIndex) -> str:
    """Render the page of a project; equal masters give equal bytes."""
    releases = releases_of(index)
    best = newest(releases)
    return render_template(
        "index/project.html",
        index=index,
        releases=releases,
        newest=best,
        tools=TOOLS,
        choices=machine_choices(best) if best else (),
        commands=install_commands(index, best) if best else (),
        href_of=href_of,
        size_of=readable_size,
        count=count,
    )


def render_root(root: RootIndex) -> str:
    """Render the list of projects."""
    return render_template("index/root.html", root=root, api_version=API_VERSION, count=count)
