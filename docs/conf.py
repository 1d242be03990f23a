"""How Sphinx builds the site: `sphinx-build -W --keep-going -b html docs site`. Nothing is fetched."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

from variant_publish import __version__

project = "variant-publish"
author = copyright = "The variant-publish developers"  # noqa: A001  (Sphinx reads this name)
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "generated"]
exclude_patterns = ["_ext"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nitpicky = True
nitpick_ignore_regex = [("py:.*", r".*")]  # types of other modules are named, not linked
smartquotes = False
default_role = "code"  # docstrings write `name`

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 88
autodoc_default_options = {"members": True}

html_theme = "furo"
html_title = f"variant-publish {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_extra_path = ["variant-publish.schema.json"]
html_search_scorer = str(Path(__file__).parent / "_ext" / "scorer.js")  # pages come before names
html_show_sourcelink = False
html_copy_source = False
