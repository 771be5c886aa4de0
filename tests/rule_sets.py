"""Takes one rule out of a rule set, to see that it bites."""

from __future__ import annotations

from typing import Any

import pytest

from hitp2p.rules import RuleSet

__all__ = ["take_out"]


def take_out(monkeypatch: pytest.MonkeyPatch, rules: RuleSet[Any], *rule_ids: str) -> None:
    """Until the end of the test the set lacks these rules, wherever it is used."""
    fewer = rules
    for rule_id in rule_ids:
        fewer = fewer.without(rule_id)
    monkeypatch.setattr(rules, "_order", fewer._order)
