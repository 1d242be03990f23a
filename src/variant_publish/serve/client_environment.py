"""What installers read from the environment: the index they take, and lock files that must not learn it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from configparser import Error as ConfigParserError
from configparser import RawConfigParser
from pathlib import Path, PurePath

from variant_publish.errors import UsageError, VariantPublishError

_OTHER_INDEXES = ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL",
                  "UV_FIND_LINKS", "UV_NO_INDEX")  # fmt: skip
_OWN_INDEX = ("PIP_INDEX_URL", "UV_INDEX", "UV_DEFAULT_INDEX", "PDM_PYPI_URL", "PIPENV_PYPI_MIRROR")
_PIP_SECTIONS = ("global", "install", "download", "wheel", "index", "lock")
_LOCKING = {
    "uv": {"add", "export", "lock", "remove", "run", "sync", "tree", "version"},
    "pdm": {"add", "install", "lock", "remove", "sync", "update"},
    "pipenv": {"install", "lock", "sync", "uninstall", "update", "upgrade"},
    "poetry": {"add", "install", "lock", "remove", "sync", "update"},
}
_HARMLESS = {"--frozen", "--frozen-lockfile", "--no-lock", "--no-project", "--script", "--isolated", "--help", "-h"}
_LOCKS = ("uv.lock", "pdm.lock", "poetry.lock", "Pipfile.lock", "pylock*.toml", "requirements*.txt")
_HINT = (
    "publish static views (upload --views) and name one as an explicit index of the project, as in"
    ' [[tool.uv.index]] name = "view", url = "URL", explicit = true, and [tool.uv.sources] NAME = { index = "view" }'
)
_POETRY_HINT = (
    "name a static view (upload --views) or a view of a server as a source of the project: 'poetry source add"
    " --priority=explicit view URL', then 'poetry add NAME --source view'"
)


def client_environment(environ: Mapping[str, str], url: str, folder: Path) -> dict[str, str]:
    """Return the environment in which pip, uv, pdm, pipenv, hatch, tox and nox take what this index has from it.

    pip would add an index of its configuration files: one more in `folder`, with nothing in its place, comes last. uv
    asks indexes of its own files only for what the index of UV_INDEX does not have.
    """
    kept = {name: value for name, value in environ.items() if name not in _OTHER_INDEXES}
    if environ.get("PIP_CONFIG_FILE") != os.devnull:
        kept["PIP_CONFIG_FILE"] = str(_pip_configuration(environ.get("PIP_CONFIG_FILE"), folder / "pip.conf"))
    return {**kept, **dict.fromkeys(_OWN_INDEX, url), "UV_INDEX_STRATEGY": "first-index"}


def _pip_configuration(given: str | None, target: Path) -> Path:
    parser = RawConfigParser()
    try:
        parser.read(given or (), encoding="utf-8")
    except ConfigParserError as error:
        raise UsageError(f"{given} is no configuration of pip ({error.message})", hint="correct the file") from error
    for section in _PIP_SECTIONS:
        if not parser.has_section(section):
            parser.add_section(section)
        for key in ("extra-index-url", "find-links", "no-index"):
            parser.set(section, key, "")
    with target.open("w", encoding="utf-8") as stream:
        parser.write(stream)
    return target


def refuse_locking(command: Sequence[str]) -> None:
    """Raise UsageError for a command that would write the address of a view on this machine into a project's lock."""
    name = PurePath(command[0]).name.removesuffix(".exe")
    words = [word for word in command[1:] if not word.startswith("-")]
    if words and words[0] in _LOCKING.get(name, ()) and _HARMLESS.isdisjoint(command):
        raise UsageError(
            f"'{name} {words[0]}' would write addresses that exist on this machine alone into the project's lock",
            hint=_POETRY_HINT if name == "poetry" else _HINT,
        )


class LockGuard:
    """Lock files of a folder as they are; `restore` takes back what a command wrote of an address."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.before = {path: path.read_bytes() for path in self._locks()}

    def restore(self, address: str) -> None:
        """Put lock files back that name the address; raise VariantPublishError if there were any."""
        spoiled = [path for path in self._locks() if address.encode() in path.read_bytes()]
        spoiled = [path for path in spoiled if address.encode() not in self.before.get(path, b"")]
        for path in spoiled:
            if path in self.before:
                path.write_bytes(self.before[path])
            else:
                path.unlink()
        if spoiled:
            raise VariantPublishError(
                f"{spoiled[0].name} got addresses that exist on this machine alone, so it was put back", hint=_HINT
            )

    def _locks(self) -> list[Path]:
        return [path for pattern in _LOCKS for path in sorted(self.folder.glob(pattern)) if path.is_file()]
