"""`variant-publish`: the group of commands, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import gc
import os
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from variant_publish import __version__
from variant_publish.cli.console import say
from variant_publish.errors import UsageError, VariantPublishError

gc.set_threshold(200_000)  # imports make no garbage, and the search for it was a tenth of a short command

SECTIONS = {
    "Release": {
        "init": "Write the configuration of a project, and a workflow.",
        "build": "Build a project once for each variant, and retag the wheels.",
        "retag": "Turn built wheels into variant wheels, without recompressing them.",
        "check": "Check that a release is complete, consistent, and what its names say.",
        "upload": "Publish a release to a repository and an extra index.",
        "inspect": "Show what the binaries of wheels contain, and which properties follow.",
        "metadata": "Write the files by which installers select.",
        "stub": "Write an sdist that selects among the published wheels.",
        "convert": "Turn wheels and files of variantlib into today's formats.",
    },
    "Index": {
        "index": "Look after an extra index: list, yank, verify, adopt, remove, gc.",
    },
    "CI": {
        "plan-matrix": "Print the declared matrix as jobs for CI.",
        "release": "List a release whose files many machines have staged, whole or not at all.",
    },
    "Users": {
        "install": "Install the variants that fit this machine, by pip or uv.",
        "select": "Show which wheel a machine gets, and why not the others.",
        "run": "Run a command whose installers get the variants that fit this machine.",
        "serve": "Serve what this machine sees of indexes to any installer.",
        "lock": "Write a lock file with the URL and hash of every file.",
        "doctor": "Check whether the installed variants still fit this machine.",
        "host": "Show what this machine is, or store it for another one.",
    },
    "Help": {
        "demo": "Run the whole job on the xgboost wheels of PyPI.",
        "config": "Show the configuration, or its JSON Schema for editors.",
        "completion": "Print the completion script of a shell.",
    },
}
"""Every command and its line in `--help`; the module of a command is imported when it runs."""

COMMANDS = {name: text for section in SECTIONS.values() for name, text in section.items()}


class HelpFormatter(click.HelpFormatter):
    """Continue an example that is longer than a line as a shell would read it."""

    def write(self, string: str) -> None:
        """Write text, whose long lines are examples."""
        super().write(
            "\n".join(line if len(line) <= self.width else self._continued(line) for line in string.split("\n"))
        )

    def _continued(self, line: str) -> str:
        indent = line[: len(line) - len(line.lstrip())]
        lines = [indent]
        for word in re.findall(r'(?:-\S+ (?=[^-\s]))?(?:[^\s"]|"[^"]*")+', line):
            if len(lines[-1]) + len(word) + len(" \\") > self.width and lines[-1].strip():
                lines.append(f"{indent}    ")
            lines[-1] += f"{word} "
        return "\\\n".join(lines).rstrip()


class HelpContext(click.Context):
    """The context of every command, for its help."""

    formatter_class = HelpFormatter


class LazyGroup(click.Group):
    """Import a command's module only when it is called, so that `--version` and `--help` start at once."""

    context_class = HelpContext

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of `--help`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"variant_publish.cli.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)  # noqa: S101  (each module of this folder defines one)
        for one in (command, *getattr(command, "commands", {}).values()):
            one.context_class = HelpContext
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first argument names; suggest the nearest one where there is none."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(name, COMMANDS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "'variant-publish --help' lists the commands"
            raise UsageError(f"there is no command {name!r}", hint=hint)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the name of a command without importing any."""
        names = [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by section, without importing them."""
        width = max(map(len, COMMANDS))
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), text) for name, text in commands.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, package_name="variant-publish")
def group() -> None:
    """Publish variant wheels: several builds of one release for different machines.

    A release takes three commands: retag, check, upload.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 for success, 1 for findings or a failure, 2 for wrong use."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None, **extra: Any) -> int:
    """Run the command line and return the exit code."""
    try:
        result = group.main(arguments, standalone_mode=False, **extra)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return UsageError.exit_code
    except click.UsageError as error:
        say("error", _sentence(error), f"'{error.ctx.command_path} --help' shows the options" if error.ctx else None)
        return error.exit_code
    except click.ClickException as error:
        say("error", error.format_message())
        return error.exit_code
    except VariantPublishError as error:
        say("error", error.message, error.hint)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        say("error", "interrupted", "run the same command again: it goes on where it stopped")
        return 130
    except Exception as error:
        say("error", *_unexpected(error))
        return 1
    return result if isinstance(result, int) else 0


def _sentence(error: click.UsageError) -> str:
    """Return click's message as ours are: without a capital at the beginning and a full stop at the end."""
    text = error.format_message()
    return text[:1].lower() + text[1:].rstrip(".")


def _unexpected(error: Exception) -> tuple[str, str]:
    """Return a sentence and a hint for an error of the machine, or of this program."""
    if isinstance(error, BrokenPipeError):
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  (Python flushes it at the end)
        return "the reader of the output went away", "run the command without it"
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror or error}", "correct that and run the command again; no file is half-written"
    if isinstance(error, MemoryError):
        return "the memory of this machine is not enough", "use fewer jobs (-j 1), or a machine with more memory"
    if isinstance(error, RecursionError):
        return "a file is nested too deeply to be read", "remove the file, or check the files one by one to find it"
    import traceback

    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(frame.filename).stem}:{frame.lineno}"
    text = str(error).partition("\n")[0][:200]
    return f"unexpected {type(error).__name__} in {where}{f' ({text})' if text else ''}", (
        "this is a bug: report the command and this line"
    )
