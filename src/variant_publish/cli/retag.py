"""`variant-publish retag`."""

from __future__ import annotations

from pathlib import Path

import click
from msgspec.structs import replace

from variant_publish import api
from variant_publish.cli.completion import variants
from variant_publish.cli.console import ConsoleReporter, echo, say
from variant_publish.cli.options import repair_options, with_config
from variant_publish.config.tables import ChangesTable
from variant_publish.model.variant import GENERIC


@click.command()
@click.argument("wheels", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--variant", "name", metavar="NAME", shell_complete=variants, help='A variant of the configuration, or "generic".'
)
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="An extra tag of dialect plus; repeat in order.")
@click.option("--label", metavar="LABEL", help="A variant label of PEP 825; well-known words need no --property.")
@click.option("--property", "properties", multiple=True, metavar='"NS :: FEATURE :: VALUE"', help="Repeat as needed.")
@click.option("--generic", is_flag=True, help="Make a wheel without a variant: rename and ABI pins only.")
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="All variants at once, by folders called NAME, or by declared renames.",
)
@click.option("--remove", is_flag=True, help="Remove the variant: the result is a plain wheel.")
@click.option("--priority", metavar="NS,NS...", help="The namespaces of the whole release, most important first.")
@click.option(
    "--dialect",
    "dialects",
    multiple=True,
    metavar="DIALECT",
    help=f"Write this wire format ({', '.join(api.DIALECTS)}); repeat for several. Default: as configured, else plus.",
)
@click.option("--rename", metavar="OLD=NEW", help="Fold the project OLD into NEW.")
@click.option("--drop-signatures", is_flag=True, help="Drop RECORD.jws and RECORD.p7s instead of refusing the wheel.")
@click.option("--drop-local-version", is_flag=True, help="Make 1.0 of 1.0+cu128: the variant says it now.")
@repair_options
@click.option("--in-place", is_flag=True, help="Rename each wheel and rewrite only its end: no copy, no disk space.")
@click.option("--digest", is_flag=True, help="Keep each result's SHA-256 in NAME.whl.sha256, for upload.")
@click.option("--verify", is_flag=True, help="Read each result back by PyPA's own reader.")
@click.option("-j", "--jobs", default=1, type=click.IntRange(min=1), metavar="N", help="Rewrite N wheels at a time.")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), help="Output folder.")
@with_config
def command(
    wheels: tuple[Path, ...], name: str | None, tags: tuple[str, ...], label: str | None, properties: tuple[str, ...],
    generic: bool, everything: bool, remove: bool, priority: str | None, dialects: tuple[str, ...], rename: str | None,
    drop_signatures: bool, drop_local_version: bool, repair: api.RepairOptions | None, in_place: bool, digest: bool,
    verify: bool, jobs: int, output: Path | None, config: api.Config,
) -> int:  # fmt: skip
    """Turn built WHEELS (files or folders) into variant wheels, by raw byte copy.

    \b
    Examples:
      variant-publish retag dist --all -o wheelhouse
      variant-publish retag dist/cu128 --variant cu128 -o wheelhouse
      variant-publish retag foo-1.0-*.whl --tag x86_64_v3 -o wheelhouse
      variant-publish retag foo-1.0-*.whl --label v3 --property "x86_64 :: level :: v3" -o wheelhouse
      variant-publish retag foo-1.0-*.whl --label cu128 --dialect local -o wheelhouse
      variant-publish retag foo-1.0-*.whl --tag cu128 --in-place
      variant-publish retag dist/ --variant x86_64_v3 --repair -o wheelhouse
      variant-publish retag foo_cpu-1.0-*.whl --generic --rename foo-cpu=foo -o wheelhouse
      variant-publish retag foo-1.0+cu128-*.whl --tag cu128 --drop-local-version -o wheelhouse
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    given = {"--variant": name is not None, "--tag/--label": bool(tags or label), "--generic": generic,
             "--all": everything, "--remove": remove}  # fmt: skip
    _check_one_wish(given, has_place=in_place != (output is not None))
    chosen = _dialects(dialects, tags, label)
    how = api.RetagOptions(
        dialects=chosen,
        priority=tuple(part.strip() for part in priority.split(",")) if priority else (),
        rename=api.Rename.parse(rename) if rename else None,
        drop_signatures=drop_signatures,
        drop_local_version=drop_local_version,
        known=config.known if remove else (),
    )
    if everything:
        groups = _built(wheels, config)
    else:
        variant = _variant(config, name, tags, label, properties, chosen)
        groups = [(variant, config.changes_of(name or GENERIC) if name or generic else how.declared, wheels)]
    status = 0
    for variant, declared, paths in groups:
        how = replace(how, declared=declared)
        changes = api.rewrites(variant, config if not remove else api.Config.parse(""), how)
        execution = api.Execution(jobs, digest, verify, api.repair_for(variant, repair) if repair else None)
        result = api.retag(paths, output, changes, ConsoleReporter(), execution=execution)
        status = max(status, _show(result))
    return status


def _check_one_wish(given: dict[str, bool], *, has_place: bool) -> None:
    if sum(given.values()) != 1:
        raise api.UsageError(
            "nothing says what the wheels become",
            hint=f"use exactly one of {', '.join(given)} (--tag and --label may go together)",
        )
    if not has_place:
        raise api.UsageError("nothing says where the new wheels go", hint="use -o FOLDER or --in-place")


def _built(
    wheels: tuple[Path, ...], config: api.Config
) -> list[tuple[api.Variant | None, ChangesTable, tuple[Path, ...]]]:
    """Return each variant that was built, or None for the generic wheels, with what it changes and its wheels."""
    return [
        (None if one.variant == GENERIC else config.variant(one.variant), one.changes, one.paths)
        for one in api.built_variants(wheels, config, ConsoleReporter())
    ]


def _show(result: api.RetagResult) -> int:
    for done in result.done:
        echo(f"{done.path}{' (was there already, unchanged)' if done.existed else ''}")
    for error in result.failed:
        say("error", error.message, error.hint)
    return max((error.exit_code for error in result.failed), default=0)


def _dialects(dialects: tuple[str, ...], tags: tuple[str, ...], label: str | None) -> tuple[api.Dialect, ...]:
    """Return the dialects that the options name: a label alone, or a tag alone, means its own dialect."""
    if dialects:
        return tuple(api.dialect_of(name) for name in dict.fromkeys(dialects))
    given = {"--tag": bool(tags), "--label": bool(label)}
    return tuple(dialect for dialect in api.DIALECTS.values() if given.get(dialect.option))


def _variant(
    config: api.Config,
    name: str | None,
    tags: tuple[str, ...],
    label: str | None,
    properties: tuple[str, ...],
    dialects: tuple[api.Dialect, ...],
) -> api.Variant | None:
    """Return the variant that the options describe; None for a generic wheel."""
    if properties and not label:
        raise api.UsageError("--property needs --label", hint="name the label that these properties describe")
    if name is not None and name != GENERIC:
        return config.variant(name)
    if not tags and not label:
        return None
    if label and not tags and any(dialect.option == "--tag" for dialect in dialects):
        tags = api.tags_of(label)
    said = api.Properties.parse(properties) or api.properties_of_words(tags or api.tags_of(label or ""))
    return api.Variant(label or "+".join(tags), tags, label or "_".join(tags), said)
