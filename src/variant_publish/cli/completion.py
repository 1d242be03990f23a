"""`variant-publish completion`, and what values of options complete to: nothing where the command line is wrong."""

from __future__ import annotations

from collections.abc import Iterable

import click
from click.shell_completion import get_completion_class

from variant_publish import api
from variant_publish.cli.console import echo_document

PROGRAM = "variant-publish"
VARIABLE = "_VARIANT_PUBLISH_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script by which a shell completes commands, options, variants and rules.

    \b
    Examples:
      variant-publish completion bash > ~/.local/share/bash-completion/completions/variant-publish
      variant-publish completion zsh > ~/.zfunc/_variant-publish
      variant-publish completion fish > ~/.config/fish/completions/variant-publish.fish
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    script = get_completion_class(shell)
    assert script is not None  # noqa: S101  (the choice above holds click's own shells)
    echo_document(script(context.find_root().command, {}, PROGRAM, VARIABLE).source() + "\n")


def variants(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the variants of the configuration that the command line names, or of the one here."""
    try:
        return _matching(api.Config.load(context.params.get("config_file")).variants, incomplete)
    except api.VariantPublishError:
        return []


def rules(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the ids of the rules."""
    return _matching((rule.id for rule in api.rules()), incomplete)


def _matching(words: Iterable[str], incomplete: str) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]
