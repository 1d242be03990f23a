"""Shell completion of values of options; a mistake on the command line completes to nothing."""

from __future__ import annotations

from collections.abc import Iterable

import click

from variant_publish import api
from variant_publish.config.configuration import Config
from variant_publish.errors import VariantPublishError


def variants(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the variants of the configuration that the command line names, or of the one here."""
    try:
        return _matching(Config.load(context.params.get("config_file")).variants, incomplete)
    except VariantPublishError:
        return []


def rules(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the ids of the rules."""
    return _matching((rule.id for rule in api.rules()), incomplete)


def _matching(words: Iterable[str], incomplete: str) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]
