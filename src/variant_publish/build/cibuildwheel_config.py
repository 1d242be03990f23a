"""What cibuildwheel is told: the project's own settings, and behind them those of the variant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tomlkit
from tomlkit.items import AoT

from variant_publish.config.standard import editable
from variant_publish.model.build_job import BuildSettings

_OPTIONS = {"config-settings": "cibuildwheel_settings", "environment": "cibuildwheel_environment"}


def configured(text: str, settings: BuildSettings) -> str:
    """Return a pyproject.toml for `--config-file`: the project's, with one more override that appends the settings.

    An override comes after everything that the project says and takes nothing of it away (`inherit`).
    """
    document = editable(text, "pyproject.toml")
    own = {option: value for option, value in _values(settings).items() if value}
    if not own:
        return text
    cibuildwheel: Any = document
    for key in ("tool", "cibuildwheel"):
        cibuildwheel = _table(cibuildwheel, key)
    overrides = cibuildwheel.setdefault("overrides", tomlkit.aot())
    override: Any = tomlkit.table() if isinstance(overrides, AoT) else tomlkit.inline_table()
    inherit = tomlkit.inline_table()
    inherit.update(dict.fromkeys(own, "append"))
    override.update({"select": "*", "inherit": inherit, **own})
    overrides.append(override)
    return tomlkit.dumps(document)


def extended(environ: Mapping[str, str], settings: BuildSettings) -> dict[str, str]:
    """Return the variables for cibuildwheel: its own ones go over every file, so those that are set get ours too."""
    result = dict(environ)
    for option, value in _values(settings).items():
        name = f"CIBW_{option.upper().replace('-', '_')}"
        if option in environ.get("CIBW_INHERIT", ""):
            continue  # then they add to the file, where ours are
        for key in environ:
            if value and (key == name or key.startswith(f"{name}_")) and not key.startswith(f"{name}_PASS"):
                result[key] = f"{environ[key]} {value}".strip()
    return result


def _values(settings: BuildSettings) -> dict[str, str]:
    return {option: getattr(settings, attribute) for option, attribute in _OPTIONS.items()}


def _table(parent: Any, key: str) -> Any:
    if key not in parent:
        parent[key] = tomlkit.table(is_super_table=True)
    return parent[key]
