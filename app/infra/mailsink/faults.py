"""How the sink is told to fail: a list of rules, each a small JSON object.

``on``       "connect", "rcpt" or "data": when the rule is asked
``match``    pattern of the recipient (``*@full.example``), for "rcpt" and "data"; "*" when left out
``answer``   reply to give instead of success, such as "450 4.2.2 Mailbox full"; a 421 ends the connection
``delay``    seconds to wait before answering
``close``    end the connection: "lost" keeps nothing and answers nothing, "before" keeps the message and
             closes before the final 250, "after" closes after it; at "connect" and "rcpt" all close at once
``skip``     how many times the rule lets pass first
``times``    how often it applies then; always when left out
"""

import math
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any

_MOMENTS = {"connect", "rcpt", "data"}
_CLOSES = {"", "lost", "before", "after"}


@dataclass
class Rule:
    """One rule with how often it may still apply; see the module for the meaning of its fields."""

    on: str
    match: str = "*"
    answer: str = ""
    delay: float = 0.0
    close: str = ""
    skip: int = 0
    times: float = field(default=math.inf)


class Faults:
    """The rules in force; the first that fits a moment decides it."""

    def __init__(self, rules: Iterable[Mapping[str, Any]] = ()) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self.replace(rules)

    def replace(self, rules: Iterable[Mapping[str, Any]]) -> None:
        """Put ``rules`` in force; ValueError names what is wrong with one."""
        known = {each.name for each in fields(Rule)}
        fresh = []
        for given in rules:
            if unknown := set(given) - known:
                raise ValueError(f"unknown field in a rule: {', '.join(sorted(unknown))}")
            rule = Rule(**given)
            if rule.on not in _MOMENTS or rule.close not in _CLOSES:
                raise ValueError(f"unknown moment or close in a rule: {given}")
            fresh.append(rule)
        with self._lock:
            self._rules = fresh

    def ask(self, moment: str, recipients: Iterable[str] = ("",)) -> Rule | None:
        """Return the rule that applies now, counting its use, or None when all is to go well."""
        folded = [recipient.lower() for recipient in recipients]
        with self._lock:
            for rule in self._rules:
                if rule.on != moment or not any(fnmatchcase(each, rule.match.lower()) for each in folded):
                    continue
                if rule.skip > 0:
                    rule.skip -= 1
                elif rule.times > 0:
                    rule.times -= 1
                    return rule
        return None
