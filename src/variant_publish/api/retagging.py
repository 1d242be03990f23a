"""For maintainers: turn wheels into variant wheels, and what variantlib made into today's.

Retagging, which many small CI steps call, imports nothing that publishes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from variant_publish.archive.atomic import creating, replacing
from variant_publish.archive.journal import recover
from variant_publish.archive.many import Job, retag_all
from variant_publish.archive.read_back import read_back
from variant_publish.archive.retag import Rename, Retagged, Rewrite
from variant_publish.config.configuration import Config, known_words
from variant_publish.config.tables import ChangesTable
from variant_publish.dialects.base import Dialect, Words
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.model.variant import NULL_LABEL, Variant
from variant_publish.model.variant_marker import VariantMarkers
from variant_publish.progress import SILENT, Reporter
from variant_publish.providers.abi_dependency import abi_requirements
from variant_publish.release.release import wheel_paths

if TYPE_CHECKING:
    from variant_publish.build.built_wheels import BuiltGroup


Repairing = Callable[[Path, Path, Callable[[str], None]], Path]
"""What makes a repaired wheel of one in a folder, and hands on what its tool says."""


class RetagResult(msgspec.Struct, frozen=True):
    """What became of each wheel: the new ones, and the errors of those that could not be rewritten."""

    done: tuple[Retagged, ...]
    failed: tuple[VariantPublishError, ...]


class RetagOptions(msgspec.Struct, frozen=True):
    """What retagging does besides writing the variant.

    `dialects` and `priority` default to the configuration's; `declared` are the changes of requirements and the rename
    that the configuration declares. `known` are further variants that count as such in the old names, and give way.
    """

    dialects: tuple[Dialect, ...] = ()
    priority: tuple[str, ...] = ()
    rename: Rename | None = None
    declared: ChangesTable = ChangesTable()
    drop_signatures: bool = False
    drop_local_version: bool = False
    known: tuple[tuple[Dialect, frozenset[Words]], ...] = ()


class Execution(msgspec.Struct, frozen=True):
    """How wheels are rewritten.

    `jobs` wheels are rewritten at a time, by as many processes; the bytes are the same for any number. `digest` keeps
    the hash of each result beside it, for `upload`. `verify` reads each result by PyPA's own reader. `repair` lets
    auditwheel or delocate work on each wheel first, one after the other.
    """

    jobs: int = 1
    digest: bool = False
    verify: bool = False
    repair: Repairing | None = None


def rewrites(variant: Variant | None, config: Config, options: RetagOptions | None = None) -> tuple[Rewrite, ...]:
    """Return what retagging does to a wheel, one rewrite for each dialect; for the generic wheel (None) one.

    Raises UsageError where a dialect lacks what it needs.
    """
    options = options or RetagOptions()
    declared = options.declared
    plain = Rewrite(
        rename=options.rename or declared.rename,
        add=(*declared.requires.add, *(abi_requirements(variant.properties) if variant is not None else ())),
        remove=declared.requires.remove,
        pins=config.pins,
        drop_signatures=options.drop_signatures,
        drop_local_version=options.drop_local_version or declared.drop_local_version,
        markers=_markers(variant),
        known=(*options.known, *(config.known if variant is None else known_words((variant,)))),
    )
    if variant is None:
        return (plain,)
    result = []
    namespaces = options.priority or tuple(dict.fromkeys((*config.namespaces, *variant.properties.namespaces)))
    for dialect in options.dialects or config.dialects:
        words = dialect.words_of(variant)
        if words:
            files = dialect.info_files(variant, namespaces, config.provider_of)
            result.append(replace(plain, dialect=dialect, words=words, files=files))
        else:
            result.append(plain)
    return tuple(result)


def retag(
    places: Iterable[Path],
    folder: Path | None,
    changes: Sequence[Rewrite],
    reporter: Reporter = SILENT,
    *,
    execution: Execution | None = None,
) -> RetagResult:
    """Rewrite every wheel in the places into `folder`, once for each rewrite; in place where `folder` is None.

    An error of one wheel does not stop the others. Raises UsageError where nothing can be done at all.
    """
    execution = execution or Execution()
    repair = execution.repair
    if folder is None and len(changes) != 1:
        raise UsageError(
            f"one wheel cannot become {len(changes)} wheels in place", hint="choose one dialect, or an output folder"
        )
    if folder is None and repair is not None:
        raise UsageError("--repair makes other wheels, not the same ones in place", hint="use -o FOLDER")
    paths = wheel_paths([recover(place) for place in places])
    _check_renames(paths, changes)
    if repair is None:
        return _rewritten(dict.fromkeys(paths, tuple(changes)), folder, execution, reporter)
    from tempfile import TemporaryDirectory

    failed: list[VariantPublishError] = []
    with TemporaryDirectory(prefix="variant-publish-") as temporary:
        ready = _repaired(paths, Path(temporary), repair, failed, reporter)
        result = _rewritten(dict.fromkeys(ready, tuple(changes)), folder, execution, reporter)
    return RetagResult(result.done, (*failed, *result.failed))


def built_variants(places: Iterable[Path], config: Config, reporter: Reporter = SILENT) -> tuple[BuiltGroup, ...]:
    """Return the wheels in the places by what they become: generic ones, and those of each variant.

    A wheel is of the variant that its folder is named after, else of the one whose `rename` names its project, and
    generic where it has nothing of that variant. Raises UsageError where nothing says what it is.
    """
    from variant_publish.build.built_wheels import built_groups

    return built_groups(places, config, reporter)


class ConvertResult(msgspec.Struct, frozen=True):
    """What became of each wheel, and the index files and the configuration that were written."""

    wheels: RetagResult
    files: tuple[Path, ...]


class ConvertOptions(msgspec.Struct, frozen=True):
    """What converting changes: `labels` maps old labels to new ones, `metadata_config` is a table of variant-repack."""

    labels: Mapping[str, str] = {}
    metadata_config: str | None = None


def convert(
    places: Iterable[Path],
    folder: Path | None,
    config: Config,
    reporter: Reporter = SILENT,
    *,
    options: ConvertOptions | None = None,
    execution: Execution | None = None,
) -> ConvertResult:
    """Turn wheels, index files and configurations of variantlib's time into today's; in place where `folder` is None.

    Wheels are copied raw, as `retag` does. The configuration's providers stand for those of the files. Raises the error
    of a file that cannot be read, before anything is written; what cannot be kept is a warning.
    """
    from variant_publish.release.conversion import CONFIGURATION, plan

    options, execution = options or ConvertOptions(), execution or Execution()
    planned = plan(places, config.tables.providers, options.labels, options.metadata_config, reporter)
    if planned.configuration is not None and folder is None:
        raise UsageError("a configuration is not converted in place", hint="use -o FOLDER")
    wheels = _rewritten({path: (one,) for path, one in planned.wheels.items()}, folder, execution, reporter)
    texts = {path if folder is None else folder / path.name: text for path, text in planned.texts.items()
             if folder is not None or path.read_text("utf-8") != text}  # fmt: skip
    if planned.configuration is not None and folder is not None:
        texts[folder / CONFIGURATION] = planned.configuration
    for path, text in texts.items():
        with replacing(path) if folder is None else creating(path) as stream:
            stream.write(text.encode())
    return ConvertResult(wheels, tuple(texts))


def _rewritten(
    todo: Mapping[Path, tuple[Rewrite, ...]], folder: Path | None, execution: Execution, reporter: Reporter
) -> RetagResult:
    jobs = [Job(path, changes, folder, execution.digest) for path, changes in todo.items()]
    outcomes = retag_all(jobs, execution.jobs, reporter) if jobs else []
    failed = [outcome.error for outcome in outcomes if outcome.error is not None]
    done = []
    for retagged in (retagged for outcome in outcomes for retagged in outcome.done):
        if retagged.note:
            reporter.note(retagged.note)
        try:
            if execution.verify:
                read_back(retagged.path)
            done.append(retagged)
        except VariantPublishError as error:
            failed.append(error)
    return RetagResult(tuple(done), tuple(failed))


def _repaired(
    paths: Iterable[Path], folder: Path, repair: Repairing, failed: list[VariantPublishError], reporter: Reporter
) -> Iterator[Path]:
    for number, path in enumerate(paths):
        try:
            yield repair(path.absolute(), folder / str(number), reporter.note)
        except VariantPublishError as error:
            failed.append(error)


def _markers(variant: Variant | None) -> VariantMarkers | None:
    """Return what variant markers mean in the wheel; None where its properties are not known, so they must stay."""
    if variant is None:
        return VariantMarkers()
    known = variant.properties or variant.label == NULL_LABEL
    return VariantMarkers(variant.label, variant.properties) if known else None


def _check_renames(paths: Sequence[Path], changes: Sequence[Rewrite]) -> None:
    for rename in {change.rename for change in changes if change.rename is not None}:
        projects = sorted({path.name.partition("-")[0] for path in paths})
        if not any(path.name.endswith(".whl") and _belongs(path, rename) for path in paths):
            raise UsageError(
                f"no wheel here is of the project {rename.old!r} that is to be renamed",
                hint=f"the wheels are of: {', '.join(projects)}",
            )


def _belongs(path: Path, rename: Rename) -> bool:
    with suppress(VariantPublishError):  # retagging it will say what is wrong with the name
        return rename.applies_to(WheelName.parse(path.name))
    return False
