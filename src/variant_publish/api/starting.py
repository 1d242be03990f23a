"""For maintainers: propose the configuration of a project, and the files that publish it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from variant_publish.api.checking import published_release
from variant_publish.archive.wheel import described
from variant_publish.build import starter
from variant_publish.build.proposal import Found, found_in, guessed, propose
from variant_publish.build.starter import applied
from variant_publish.config.standard import editable, toml_tables
from variant_publish.progress import SILENT, Reporter
from variant_publish.release.published import Depth, fetch


def found_in_wheels(places: Iterable[tuple[str | None, Path]], *, look: bool = True) -> tuple[Found, ...]:
    """Read built wheels for a proposal; each place is a wheel or a folder, with its variant or None.

    With `look`, the binaries of variants that say nothing themselves are read. Raises the error of a broken wheel.
    """
    return found_in(places, look=look)


def found_in_release(
    release: tuple[str, str],
    variant: str | None = None,
    *,
    index: str = "pypi",
    deep: bool = False,
    reporter: Reporter = SILENT,
) -> tuple[Found, ...]:
    """Read a release (name, version) for a proposal: metadata by range requests, with `deep` whole wheels.

    Raises IndexUnavailable, or VariantPublishError where the index has no such release.
    """
    depth = Depth.WHOLE if deep else Depth.OUTLINE
    with TemporaryDirectory(prefix="variant-publish-") as folder:
        fetched = fetch(published_release(*release, index).files, Path(folder), depth=depth, reporter=reporter)
        if fetched.unreadable:
            raise fetched.unreadable[0].error
        return tuple(Found.of(wheel, variant, look=deep) for wheel in described(fetched.wheels))


def configured(
    text: str,
    found: Iterable[Found],
    named: Mapping[str, tuple[str, ...]],
    upload: Mapping[str, str],
    *,
    source: str = "pyproject.toml",
) -> str:
    """Return a pyproject.toml with the configuration that wheels and named variants ask for; what is there stays.

    `named` maps a variant to its properties, empty for a well-known word; `upload` is the table of that name. Raises
    UsageError where nothing says what a variant needs.
    """
    return applied(editable(text, source), propose(toml_tables(text, source), found, named, upload))


def is_well_known(word: str) -> bool:
    """Return whether the name of a variant says what it needs: cu128, x86_64_v3, gfx942."""
    return bool(guessed(word))


def bucket_files(extra_index: str) -> dict[str, str]:
    """Return the policy and the CloudFormation stack of an index at `s3://BUCKET/PREFIX`, by file name."""
    return starter.bucket_files(extra_index)


def workflow() -> str:
    """Return a workflow for GitHub that builds the declared matrix and publishes the release."""
    return starter.workflow()
