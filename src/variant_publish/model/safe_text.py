"""Text of unknown origin on its way out: to a terminal, a CI log, XML, HTML or Markdown.

File names, metadata and answers of servers may hold line breaks, escape sequences and bidirectional controls. Every
rendering passes them through one of these functions; nothing else in the package escapes text for people.
"""

from __future__ import annotations

import re

_COLOUR = r"\x1b\[[0-9;]*m"
_COMMAND = re.compile(r"^(\s*):(?=:)", re.MULTILINE)
_OLD_COMMAND = r"##(?=\[)"
_MARKDOWN = r"([\\`*_{}\[\]()#|~@$])"


def visible(text: str, keep: str = "") -> str:
    """Return text with an escape for every character that is not printable, but for those to `keep`.

    Not printable are control characters, line breaks, bidirectional and other format controls, and surrogates.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character in keep else character.encode("unicode_escape").decode()
        for character in text
    )


def without_colours(text: str) -> str:
    """Return what another program printed without its colours."""
    return re.sub(_COLOUR, "", text)


def for_terminal(text: str) -> str:
    """Return lines that only show text: no escape sequences, and no line is a workflow command of GitHub."""
    return re.sub(_OLD_COMMAND, r"#\\x23", _COMMAND.sub(r"\1\\x3a", visible(text, keep="\n\t")))


def for_github(text: str) -> str:
    """Return text as the message of a workflow command of GitHub."""
    return visible(text, keep="\n").replace("%", "%25").replace("\n", "%0A")


def for_github_property(text: str) -> str:
    """Return text as a property of a workflow command of GitHub, such as `file` or `title`."""
    return for_github(visible(text)).replace(":", "%3A").replace(",", "%2C")


def for_xml(text: str) -> str:
    """Return text with the characters that XML allows; markup is for the XML library to escape."""
    return visible(text, keep="\n")


def for_markdown(text: str) -> str:
    """Return text that Markdown shows as it is, in one line."""
    import html  # not at the top: it is a table of 2,000 names

    return re.sub(_MARKDOWN, r"\\\1", html.escape(visible(text), quote=False))
