"""What may be shown of an address."""

from variant_publish.model.url import redact


def test_a_login_is_taken_out_of_an_address_however_it_is_mistyped() -> None:
    for url, shown in {
        "https://user:word@host/x": "https://host/x",
        "https://user:wo@rd@host/x": "https://host/x",
        "https://user:wo/rd@host/x": "https://host/x",
        "https:user:word@host": "https:host",
        "//user:word@host": "//host",
        "torch @ https://user:word@host/x.whl": "torch @ https://host/x.whl",
        "http://a:word@h/ and http://b:word@i/1@2": "http://h/ and http://i/1@2",
    }.items():
        assert redact(url) == shown


def test_an_at_sign_behind_the_server_stays() -> None:
    for url in ("https://host:8080/a@b", "https://host/foo@1.0", "git+ssh://host/foo@main"):
        assert redact(url) == url
