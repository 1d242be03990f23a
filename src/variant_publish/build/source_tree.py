"""Sources: a project's folder, or its sdist, unpacked afresh for each build."""

from __future__ import annotations

import tarfile
from pathlib import Path

from variant_publish.errors import UsageError

PYPROJECT = "pyproject.toml"
_SUFFIX = ".tar.gz"


def is_sdist(path: Path) -> bool:
    """Return whether the source is an sdist; False for the folder of a project. Raises UsageError for neither."""
    if path.is_dir():
        if not any((path / name).is_file() for name in (PYPROJECT, "setup.py")):
            raise UsageError(
                f"{path} is no project: it has neither {PYPROJECT} nor setup.py", hint="name its folder or its sdist"
            )
        return False
    if not path.exists():
        raise UsageError(f"{path} does not exist", hint="name the folder of a project, or its sdist")
    if not path.name.endswith(_SUFFIX):
        raise UsageError(f"{path} is no sdist (PEP 625: NAME-VERSION{_SUFFIX})", hint="name a folder or an sdist")
    return True


def configuration(path: Path) -> str:
    """Return the text of the source's own pyproject.toml, "" where it has none. Raises UsageError for no source."""
    if not is_sdist(path):
        own = path / PYPROJECT
        try:
            return own.read_text("utf-8") if own.exists() else ""
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{own} cannot be read ({error})", hint="correct the file") from error
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                if (
                    member.isfile()
                    and member.name.partition("/")[2] == PYPROJECT
                    and (file := archive.extractfile(member))
                ):
                    return file.read().decode("utf-8")
    except (tarfile.TarError, OSError, EOFError, UnicodeDecodeError) as error:
        raise _broken(path, error) from error
    return ""


def unpack(sdist: Path, folder: Path) -> Path:
    """Unpack an sdist into an empty folder and give the one folder that it holds.

    Members that would leave the folder, devices and links to the outside are refused (PEP 706). Raises UsageError.
    """
    try:
        with tarfile.open(sdist) as archive:
            archive.extractall(folder, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise _broken(sdist, error) from error
    found = list(folder.iterdir())
    if len(found) != 1 or not found[0].is_dir():
        raise UsageError(f"{sdist} is no sdist: it does not hold exactly one folder", hint="make it again")
    return found[0]


def _broken(path: Path, error: Exception) -> UsageError:
    return UsageError(f"{path} cannot be unpacked ({error})", hint="download it again, or build it again")
