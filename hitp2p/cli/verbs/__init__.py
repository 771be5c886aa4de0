"""One module a verb, each with a `command`; `hitp2p.cli.app` lists them."""
