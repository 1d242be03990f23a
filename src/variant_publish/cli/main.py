"""`variant-publish`: the group of commands, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from variant_publish import __version__
from variant_publish.cli.console import say
from variant_publish.errors import UsageError, VariantPublishError

COMMANDS = {
    "build": "Build a project once for each variant, and retag the wheels.",
    "retag": "Turn built wheels into variant wheels, by raw byte copy.",
    "check": "Prove that a release is complete, consistent, and what its labels say.",
    "inspect": "Show what is inside the binaries of wheels, and which properties follow.",
    "metadata": "Write the files that installers select by.",
    "upload": "Publish a release to a repository and an extra index.",
    "release": "List a release whose files many machines have staged, whole or not at all.",
    "stub": "Write an sdist that chooses among the published wheels by itself.",
    "index": "Look after an extra index: list, yank, verify, adopt, remove, gc.",
    "select": "Show which wheel a machine would get, and why the others lost.",
    "plan-matrix": "Give the declared matrix as build jobs for CI.",
    "init": "Propose a configuration and a workflow for a project.",
    "install": "Install the variants that fit this machine, by pip or uv.",
    "run": "Run a command whose installers get the variants that fit this machine.",
    "serve": "Serve what this machine sees of indexes to any installer.",
    "lock": "Write down, by URL and hash, what a machine gets.",
    "doctor": "Say whether the installed variants still fit this machine.",
    "host": "Show what this machine is, or store it for another one.",
    "convert": "Turn what variantlib made into today's, by raw byte copy.",
    "config": "Show the configuration, or its JSON Schema for editors.",
    "completion": "Print the script by which a shell completes commands.",
    "demo": "Run the whole job on the xgboost wheels of the package index.",
}
"""Every command and its line in `--help`; the module of a command is imported when it runs."""


class LazyGroup(click.Group):
    """Import a command's module only when it is called, so that `--version` and `--help` start at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of the work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"variant_publish.cli.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)  # noqa: S101  (each module of this folder defines one)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the name of a command without importing any."""
        names = [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, package_name="variant-publish")
def group() -> None:
    """Publish variant wheels: several builds of one release for different machines.

    The way of a release: retag, check, metadata, upload.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 fine, 1 findings or failure, 2 wrong use."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None, **extra: Any) -> int:
    """Run the command line and give the exit code."""
    try:
        result = group.main(arguments, standalone_mode=False, **extra)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return UsageError.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except VariantPublishError as error:
        say("error", error.message, error.hint)
        return error.exit_code
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        say(
            "error",
            f"{place}{error.strerror or error}",
            "mend that and run the command again; nothing was left half-written",
        )
        return 1
    except (KeyboardInterrupt, click.Abort):
        say("error", "interrupted", "run the same command again: it goes on where it stopped")
        return 130
    return result if isinstance(result, int) else 0
