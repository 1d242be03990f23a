"""The pages of the index (PEP 503, 592, 629, 658/714, 708, 792), rendered from their masters."""

from __future__ import annotations

from variant_publish.formats.master import API_VERSION, ProjectIndex, RootIndex
from variant_publish.index.project_page import href_of, installs, sections
from variant_publish.model.quantity import readable_size
from variant_publish.templating import render_template


def render_project(index: ProjectIndex) -> str:
    """Render the page of a project; equal masters give equal bytes."""
    found = sections(index)
    return render_template(
        "index/project.html", index=index, sections=found, installs=installs(index, found),
        href_of=href_of, size_of=readable_size
    )  # fmt: skip


def render_root(root: RootIndex) -> str:
    """Render the list of projects."""
    return render_template("index/root.html", root=root, api_version=API_VERSION)
