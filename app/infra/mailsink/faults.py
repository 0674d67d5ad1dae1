"""How the sink is told to fail: a list of rules, each a small JSON object.

``on``       "connect", "rcpt" or "data": when the rule is asked
``match``    pattern of the recipient (``*@full.example``), for "rcpt" and "data"; "*" when left out
``answer``   reply to give instead of success, such as "450 4.2.2 Mailbox full"; a 421 ends the connection
``delay``    seconds to wait before answering
``close``    end the connection: "lost" keeps nothing and answers nothing, "before" keeps the message and
             closes before the final 250, "after" closes after it; at "connect" and "rcpt" all close at once
``skip``     how many times the rule lets pass first
``times``    how often it applies then; always when left out
``one_in``   of each so many times a recipient brings it up it applies once; which one is drawn from ``seed``, so that
             the same mails to the same people meet the same failures, in whatever order they come
"""

import math
import random
import threading
from collections import Counter
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
    one_in: int = 1
    seed: str = ""


class Faults:
    """The rules in force; the first that fits a moment decides it."""

    def __init__(self, rules: Iterable[Mapping[str, Any]] = ()) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._asked: Counter[tuple[int, str]] = Counter()
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
            if not isinstance(rule.one_in, int) or rule.one_in < 1:
                raise ValueError(f"one_in is a whole number from 1 on: {given}")
            fresh.append(rule)
        with self._lock:
            self._rules = fresh
            self._asked.clear()

    def ask(self, moment: str, recipients: Iterable[str] = ("",)) -> Rule | None:
        """Return the rule that applies now, counting its use, or None when all is to go well."""
        folded = [recipient.lower() for recipient in recipients]
        with self._lock:
            for number, rule in enumerate(self._rules):
                if rule.on != moment or not any(fnmatchcase(each, rule.match.lower()) for each in folded):
                    continue
                if not self._is_drawn(number, rule, " ".join(folded)):
                    continue
                if rule.skip > 0:
                    rule.skip -= 1
                elif rule.times > 0:
                    rule.times -= 1
                    return rule
        return None

    def _is_drawn(self, number: int, rule: Rule, who: str) -> bool:
        """Whether this is the one of ``one_in`` times at which the rule applies to this recipient."""
        if rule.one_in == 1:
            return True
        block, place = divmod(self._asked[number, who], rule.one_in)
        self._asked[number, who] += 1
        return place == random.Random(f"{rule.seed}:{number}:{who}:{block}").randrange(rule.one_in)  # noqa: S311 - no secret
