"""The options that several commands share: each block adds its options, and makes one value of what was given."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import Any

import click
import msgspec

from variant_publish import api
from variant_publish.errors import naming

HOST_VARIABLE = "VARIANT_PUBLISH_HOST"
"""The environment variable that names the file of a machine; for the backend of `stub` too, which has no options."""

INDEX_HELP = (
    "An index, or a folder of wheels; repeat: the first one that has the project counts, as in uv. TAG=URL says that"
    " every wheel of this index carries +TAG."
)

Command = Callable[..., Any]
Block = Callable[[Command], Command]


def adding(*options: Block, **made: Callable[..., Any]) -> Block:
    """Return a decorator that adds options to a command.

    Each of `made` is called with the options that its parameters name, which the command gets as one value instead.
    """
    parts = {name: tuple(signature(make).parameters) for name, make in made.items()}
    taken = {part for names in parts.values() for part in names}

    def decorate(function: Command) -> Command:
        @wraps(function)
        def wrapper(**given: Any) -> Any:
            values = {name: make(**{part: given[part] for part in parts[name]}) for name, make in made.items()}
            return function(**{name: value for name, value in given.items() if name not in taken}, **values)

        command: Command = wrapper
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


config_option = click.option(
    "--config", "config_file", type=click.Path(path_type=Path), help="Default: pyproject.toml here."
)
index_option = click.option(
    "--index", "indexes", multiple=True, required=True, metavar="[TAG=]URL|DIR", help=INDEX_HELP
)
generic_option = click.option(
    "--generic", is_flag=True, help="The build that serves everyone, whatever this machine has."
)
set_and_host = adding(
    click.option("--set", "settings", multiple=True, metavar="NAME=VALUE",
                 help="Describe the machine: cuda=12.8, cuda=none, x86_64_version=x86-64-v3, or a variable of the"
                 " project."),
    click.option("--host", "host_file", envvar=HOST_VARIABLE, type=click.Path(path_type=Path, dir_okay=False),
                 help="A machine described by 'variant-publish host --save FILE', in place of this one; or"
                 f" {HOST_VARIABLE}."),
)  # fmt: skip
described_options = adding(
    click.option(
        "--python-version", metavar="VERSION", help="The Python to choose for, like 3.13. Default: the running one."
    ),
    click.option("--platform", metavar="TAG", help="The platform to choose for, like manylinux_2_28_x86_64."),
)


def machine_of(
    settings: Iterable[str], host_file: Path | None, python_version: str | None = None, platform: str | None = None
) -> api.Machine:
    """Return this machine as far as the user's preferences go, or that of a file, with what the options say of it."""
    if host_file is None:
        machine = api.Preferences.of_user(os.environ).applied(api.Machine.detect(os.environ))
    else:
        with naming(host_file, api.UsageError):
            machine = api.Machine.stored(api.HostFile.parse(host_file.read_bytes()))
    return machine.described(dict(map(_setting, settings)), python=python_version, platform=platform)


def view_of(
    indexes: Iterable[str], settings: Iterable[str], host_file: Path | None, generic: bool, default_index: str | None,
    port: int | None,
) -> api.ViewOptions:  # fmt: skip
    """Return the view that the options ask for."""
    machine = machine_of(settings, host_file)
    return api.ViewOptions(api.Indexes.parse(indexes), machine, default_index, generic, port)


def _setting(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name.strip() or not value.strip():
        raise api.UsageError(f"--set {text!r} is not NAME=VALUE", hint="write it like cuda=12.8")
    return name.strip(), value.strip()


machine_options = adding(set_and_host, machine=lambda settings, host_file: machine_of(settings, host_file))
"""Add `--set` and `--host`; the command gets `machine`."""

machine_anywhere = adding(set_and_host, described_options, machine=machine_of)
"""Add `--python-version` and `--platform` too."""

view_options = adding(
    index_option, set_and_host, generic_option,
    click.option("--default-index", metavar="URL",
                 help="The index of everything else. Default: that of your installers."),
    click.option("--port", type=click.IntRange(1, 65535),
                 help="The port on 127.0.0.1. Default: the same one each time."),
    view=view_of,
)  # fmt: skip
"""Add the options that say what is seen by whom, and where; the command gets `view`."""

_PLACES = ("--index", "--index-url", "-i", "--extra-index-url", "--default-index", "--find-links", "-f", "--no-index",
           "--python", "-p", "--target", "-t", "--prefix", "--root", "--report", "--dry-run")  # fmt: skip

requirement_options = adding(
    generic_option, set_and_host,
    click.option("--default-index", metavar="URL", help="The index of everything else. Default: the client's own."),
    click.option("--with", "client", type=click.Choice(["pip", "uv"]),
                 help="Default: pip where the environment has it, else uv."),
    click.option("--pre", is_flag=True, help="Take pre-releases, too."),
    click.option("-U", "--upgrade", is_flag=True, help="Take the newest versions, whatever is installed."),
    click.option("-c", "--constraint", "constraints", multiple=True, type=click.Path(path_type=Path),
                 help="A constraints file; its lines may have tags."),
    click.option("-r", "--requirement", "files", multiple=True, type=click.Path(path_type=Path),
                 help="A requirements file; its lines may have tags, as in numpy+pypi==2.0.0."),
    click.argument("words", nargs=-1, metavar="NAME[+TAG][SPECIFIER]... [-- OPTIONS]"),
)  # fmt: skip
"""Add what is installed, by which client, and for which machine; `request_of` makes one value of it."""


def request_of(environment: api.Environment, *, described: Sequence[str | None] = (), **options: Any) -> api.Request:
    """Return what the options ask for; `described` are the Python version and the platform of another machine."""
    words: tuple[str, ...] = options["words"]
    cut = next((number for number, word in enumerate(words) if word.startswith("-")), len(words))
    for word in words[cut:]:
        if word.partition("=")[0] in _PLACES:
            raise api.UsageError(f"{word.partition('=')[0]!r} is not the client's to say here",
                             hint="put it before '--', as an option of this command")  # fmt: skip
    machine = machine_of(options["settings"], options["host_file"], *described)
    parse = api.TaggedRequirement.parse if options.get("universal") else machine.requirement
    return api.Request(
        tuple(map(parse, words[:cut])), api.Indexes.parse(options["indexes"]), environment, machine,
        options["client"], options["default_index"], options["generic"],
        _lines(options["files"], parse), _lines(options["constraints"], parse),
        words[cut:], options["upgrade"], options["pre"],
    )  # fmt: skip


def _lines(
    files: Iterable[Path], parse: Callable[[str], api.TaggedRequirement]
) -> tuple[str | api.TaggedRequirement, ...]:
    return tuple(line for file in files for line in api.requirement_lines(file, parse))


def environment_of(python: Path | None = None, target: Path | None = None) -> api.Environment:
    """Return the environment that is meant."""
    return api.Environment.of(python, target, os.environ)


_SETTINGS = frozenset(api.UploadTable.__struct_fields__) - {"stage"}
"""What options may override of the configuration; --stage is the name of a release."""


def with_destinations(function: Callable[..., int]) -> Callable[..., int]:
    """Add where a release goes; the command gets `config`, and `settings` as the options change them."""

    @wraps(function)
    def wrapper(config_file: Path | None, no_repository: bool, **options: Any) -> int:
        config = api.Config.load(config_file)
        given = {name: options.pop(name) for name in _SETTINGS & options.keys()}
        settings = _overridden(config.upload, no_repository, given)
        return function(config=config, settings=settings, no_repository=no_repository, **options)

    return _DESTINATIONS(wrapper)


_DESTINATIONS = adding(
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
    config_option,
)


def note_no_repository(settings: api.UploadTable, no_repository: bool, reporter: api.Reporter) -> None:
    """Say so where nobody has named a repository: twine's own default would be the real index."""
    if settings.repository is None and settings.repository_url is None and not no_repository:
        reporter.note("no repository is named (--repository, --repository-url): everything goes to the extra index")


def _overridden(upload: api.UploadTable, no_repository: bool, given: Mapping[str, Any]) -> api.UploadTable:
    """Return the configuration's settings with what the options override."""
    named = [name for name in ("repository", "repository_url") if given.get(name)]
    if len(named) + no_repository > 1:
        raise api.UsageError(
            "the release cannot go to two repositories",
            hint="use one of --repository, --repository-url and --no-repository",
        )
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if named or no_repository:
        changes = {"repository": None, "repository_url": None, "repository_index": None, **changes}
    return msgspec.structs.replace(upload, **changes)


def _index_of(extra_index: str | None, endpoint_url: str | None, config_file: Path | None) -> api.UploadTable:
    given = {"extra_index": extra_index, "endpoint_url": endpoint_url}
    return _overridden(api.Config.load(config_file).upload, False, given)


on_index = adding(
    click.option("--extra-index", metavar="s3://BUCKET/PREFIX|file:DIR", help="Default: the configuration's."),
    click.option("--endpoint-url", metavar="URL", help="An S3 endpoint other than Amazon's."),
    config_option,
    settings=_index_of,
)
"""Add the options that name an index; the command gets its `settings`."""


def repair_of(
    repair: bool, plat: str | None, exclude: tuple[str, ...], options: tuple[str, ...]
) -> api.RepairOptions | None:
    """Return how wheels are repaired, as the options say; None without --repair."""
    if repair:
        return api.RepairOptions(plat, exclude, options)
    if plat or exclude or options:
        raise api.UsageError("--plat, --exclude and --repair-option need --repair", hint="add --repair")
    return None


repair_options = adding(
    click.option("--repair", is_flag=True, help="Let auditwheel (Linux) or delocate (macOS) repair each wheel first."),
    click.option("--plat", metavar="PLATFORM", help="With --repair: auditwheel's --plat, like manylinux_2_28_x86_64."),
    click.option("--exclude", multiple=True, metavar="LIBRARY", help="With --repair: a library that stays outside."),
    click.option("--repair-option", "options", multiple=True, metavar="OPTION",
                 help='With --repair: handed to the tool as it is, like "--strip".'),
    repair=repair_of,
)  # fmt: skip
"""Add the options of repairing; the command gets `repair`."""


def _config_of(config_file: Path | None) -> api.Config:
    return api.Config.load(config_file)


with_config = adding(config_option, config=_config_of)
"""Add `--config`; the command gets `config`."""


def parse_release(text: str) -> tuple[str, str]:
    """Parse NAME==VERSION into both, or raise UsageError."""
    project, _, version = text.partition("==")
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.version import InvalidVersion, Version

    try:
        return Requirement(project).name, str(Version(version))
    except (InvalidRequirement, InvalidVersion) as error:
        raise api.UsageError(f"{text!r} is not NAME==VERSION", hint="write it like foo==1.0") from error
