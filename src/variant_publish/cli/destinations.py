"""The options that say where a release goes, for every command that publishes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
import msgspec

from variant_publish.config.configuration import Config
from variant_publish.config.tables import UploadTable
from variant_publish.errors import UsageError
from variant_publish.progress import Reporter

_OPTIONS = (
    click.option("--split", type=click.Choice(["large-to-s3"]), help="What goes where. Default: the configuration's."),
    click.option("--extra-index", metavar="s3://BUCKET/PREFIX|file:DIR", help="The root of the extra index."),
    click.option("--endpoint-url", metavar="URL", help="An S3 endpoint other than Amazon's."),
    click.option("--public-url", metavar="URL", help="Where users will find the extra index."),
    click.option("--repository", metavar="NAME", help="A repository that twine knows: pypi, testpypi, or of .pypirc."),
    click.option("--repository-url", metavar="URL|file:DIR", help="The upload URL of a repository, or a folder."),
    click.option(
        "--repository-index", metavar="URL", help="The simple index of the repository, where it is elsewhere."
    ),
    click.option("--no-repository", is_flag=True, help="Send everything to the extra index."),
    click.option(
        "--generic",
        type=click.Choice(["link", "copy"]),
        help="How the extra index has what the repository gets. Default: link.",
    ),
    click.option("--attestations", is_flag=True, default=None, help="Publish FILE.publish.attestation too (PEP 740)."),
    click.option("--config", "config_file", type=click.Path(path_type=Path), help="Default: pyproject.toml here."),
)
_NAMES = ("split", "extra_index", "endpoint_url", "public_url", "repository", "repository_url", "repository_index",
          "generic", "attestations")  # fmt: skip


def with_destinations(function: Callable[..., int]) -> Callable[..., int]:
    """Add the options to a command, which gets `config`, and `settings` as the options change them."""

    @wraps(function)
    def wrapper(config_file: Path | None, no_repository: bool, **options: Any) -> int:
        config = Config.load(config_file)
        given = {name: options.pop(name) for name in _NAMES}
        settings = _settings(config.upload, no_repository=no_repository, **given)
        return function(config=config, settings=settings, no_repository=no_repository, **options)

    for option in reversed(_OPTIONS):
        wrapper = option(wrapper)
    return wrapper


def note_no_repository(settings: UploadTable, no_repository: bool, reporter: Reporter) -> None:
    """Say so where nobody has named a repository: twine's own default would be the real index."""
    if settings.repository is None and settings.repository_url is None and not no_repository:
        reporter.note("no repository is named (--repository, --repository-url): everything goes to the extra index")


def _settings(upload: UploadTable, *, no_repository: bool, **given: Any) -> UploadTable:
    """Return the configuration's settings with what the options override."""
    named = [name for name in ("repository", "repository_url") if given[name]]
    if len(named) + no_repository > 1:
        raise UsageError(
            "the release cannot go to two repositories",
            hint="use one of --repository, --repository-url and --no-repository",
        )
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if named or no_repository:
        changes = {"repository": None, "repository_url": None, "repository_index": None, **changes}
    return msgspec.structs.replace(upload, **changes)
