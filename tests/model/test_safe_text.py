from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from variant_publish.model import safe_text

HOSTILE = "foo\n::set-output name=x::y\r\x1b[2J\x1b]0;title\x07\u202egpj.exe\u2066\ud800\x85\u2028"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("foo-1.0-py3-none-any.whl", "foo-1.0-py3-none-any.whl"),
        ("größer · 漢字", "größer · 漢字"),
        ("a\nb", "a\\nb"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202eabc", "\\u202eabc"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_what_is_not_printable_is_an_escape(text: str, shown: str) -> None:
    assert safe_text.visible(text) == shown


def test_a_line_is_no_workflow_command() -> None:
    assert safe_text.for_terminal("  ::error::x") == "  \\x3a:error::x"
    assert safe_text.for_terminal("a\n::error::x") == "a\n\\x3a:error::x"
    assert safe_text.for_terminal("see ##[group]") == "see #\\x23[group]"
    assert safe_text.for_terminal("a::b") == "a::b"


def test_a_message_of_a_workflow_command_is_one_line() -> None:
    assert safe_text.for_github("100%\r\nhint") == "100%25\\r%0Ahint"
    assert safe_text.for_github_property("a,b:c\n") == "a%2Cb%3Ac\\n"


@given(st.text())
def test_any_text_is_xml(text: str) -> None:
    element = ElementTree.Element("a", b=safe_text.for_xml(text))
    element.text = safe_text.for_xml(text)
    assert ElementTree.fromstring(ElementTree.tostring(element, "unicode")).tag == "a"  # noqa: S314  (it is ours)


@pytest.mark.parametrize("out", [safe_text.visible, safe_text.for_github, safe_text.for_markdown])
@given(text=st.text() | st.just(HOSTILE))
def test_one_line_stays_one_line_and_printable(out: object, text: str) -> None:
    assert callable(out)
    assert str(out(text)).isprintable()


def test_markdown_shows_what_is_there() -> None:
    assert safe_text.for_markdown("a_b `c` <img>\n# d") == "a\\_b \\`c\\` &lt;img&gt;\\\\n\\# d"
