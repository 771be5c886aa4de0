"""The settings of a node: what is taken, what is refused with which words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitp2p.errors import UsageError
from hitp2p.node.settings import FIELDS, Settings, example, parse_settings

PEER = "/ip4/192.0.2.7/tcp/4311/tls/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"


def test_nothing_set_is_the_defaults() -> None:
    assert parse_settings("") == Settings()


def test_the_example_says_every_setting_and_sets_none() -> None:
    text = example()
    assert all(f"# {name} = " in text for name in FIELDS)
    assert parse_settings(text) == Settings()


def test_an_example_with_every_line_uncommented_gives_the_defaults() -> None:
    assert (
        parse_settings(example(**{name: getattr(Settings(), name) for name in FIELDS}))
        == Settings()
    )


def test_what_is_chosen_stands_in_the_example() -> None:
    text = example(listen=["/ip4/127.0.0.1/tcp/0"], peers=[PEER])
    found = parse_settings(text)
    assert found.listen == ("/ip4/127.0.0.1/tcp/0",)
    assert found.peers == (PEER,)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("listen = 3", "listen is 3; allowed is a list of up to 16"),
        ('listen = ["/ip4/1.2.3.4/udp/9"]', "allowed is /ip4|ip6|dns|dns4|dns6/HOST/tcp/PORT"),
        ('listen = ["/ip4/1.2.3.4/tcp/65536"]', "allowed is /ip4"),
        ('peers = ["/ip4/1.2.3.4/tcp/1"]', "/tls/p2p/PEER"),
        ("max_inbound = 1025", "allowed is a number from 0 to 1,024"),
        ("max_inbound = true", "allowed is a number from 0 to 1,024"),
        ("max_outbound = 17", "allowed is a number from 0 to 16"),
        ("compare_every_s = 0.5", "allowed is a number from 1 to 86,400"),
        ('media = "some"', "allowed is none or preview or full"),
        ('metrics = "9464"', "HOST:PORT"),
        ('log_format = "xml"', "text or json"),
        ('colour = "red"', "sets 'colour', which a node doesn't know; it knows listen,"),
        ("listen = [", "is no TOML"),
    ],
)
def test_what_is_not_allowed_is_named_with_what_is(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("|", r"\|").replace(".", r"\.")):
        parse_settings(text)


@pytest.mark.parametrize("name", ["max_inbound", "max_outbound"])
def test_bounds_of_connections_are_taken_as_they_stand(name: str) -> None:
    most = {"max_inbound": 1024, "max_outbound": 16}[name]
    assert getattr(parse_settings(f"{name} = {most}"), name) == most


def test_overrides_win() -> None:
    found = parse_settings("max_inbound = 5", {"max_inbound": "9", "listen": "", "media": "full"})
    assert (found.max_inbound, found.listen, found.media) == (9, (), "full")


def test_an_override_with_several_entries_has_commas() -> None:
    found = parse_settings("", {"listen": "/ip4/0.0.0.0/tcp/1, /ip6/::/tcp/1"})
    assert found.listen == ("/ip4/0.0.0.0/tcp/1", "/ip6/::/tcp/1")


def test_an_override_that_is_no_number_is_refused_with_its_name() -> None:
    with pytest.raises(UsageError, match="max_inbound is 'many'; allowed is a number"):
        parse_settings("", {"max_inbound": "many"})


@given(st.text(max_size=60))
def test_any_text_gives_settings_or_a_usage_error(text: str) -> None:
    for given_text in (text, f'media = "{text}"', f"listen = [{text}]"):
        try:
            assert isinstance(parse_settings(given_text), Settings)
        except UsageError:
            continue
