"""The build backend of selector sdists: the module itself, and what it reads."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from variant_publish.config.configuration import Config
from variant_publish.stub.rows import rows_of, variables_of
from variant_publish.stub.source import from_config, names_of
from variant_publish.templating import templates_folder

BACKEND = templates_folder() / "stub" / "variant_publish_stub.py"


def load_backend(path: Path = BACKEND) -> ModuleType:
    """Import the backend from its file, anew each time."""
    specification = importlib.util.spec_from_file_location("variant_publish_stub", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        specification.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = bytecode
    return module


def table_of(config: Config) -> dict[str, Any]:
    """Return what release.json holds of the choice among the variants of a configuration, after a trip through JSON."""
    from packaging.version import Version

    source = from_config("foo", Version("1.0"), config)
    names = names_of(source, config)
    data = {
        "name": "foo", "version": "1.0", "fallback": "error",
        "rows": [row.table() for row in rows_of(source.files, source.dialect, names)],
        "variables": list(variables_of(source.files, source.dialect)),
        "variants": {name.variant: "" for name in names},
    }  # fmt: skip
    copy: dict[str, Any] = json.loads(json.dumps(data))
    return copy
