"""Several messages of one person as one mail: each becomes a line with its link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from app.config import Settings
from app.domain.saying import later
from app.features.messaging.kinds import Draft, Line, MessageKind, OwnWords, Wording, Words
from app.features.messaging.rendering import render_mail
from app.features.messaging.wordings import render_own, shipped_words
from app.infra.db.open import UnitOfWork
from app.infra.drawing.svg import ACCENT

if TYPE_CHECKING:
    from app.features.messaging.states import Reserved

DIGEST_KIND = "digest"
_SHOWN = {"given_name": "{given_name}", "organization": "{organization}", "items": "{items}", "item_list": ""}
_ITEM = Markup('<li><a href="{url}">{text}</a></li>\n')


def items_of(message: Reserved) -> list[dict[str, Any]]:
    """What a message puts into a digest; a digest that is merged once more puts in its own."""
    if message.kind == DIGEST_KIND:
        return list(message.params["items"])
    return [{"kind": message.kind, "params": message.params}]


def complete(uow: UnitOfWork, leaving: Sequence[Reserved], kinds: Mapping[str, MessageKind]) -> list[Reserved]:
    """The messages as they leave now, with what their kinds read only then; lines of a digest are completed too."""
    items = [items_of(message) for message in leaving]
    for name in {item["kind"] for found in items for item in found}:
        ask = kinds[name].completed
        if ask is not None:
            places = [(n, m) for n, found in enumerate(items) for m, item in enumerate(found) if item["kind"] == name]
            told = ask(uow, [items[n][m]["params"] for n, m in places])
            for (n, m), params in zip(places, told, strict=True):
                items[n][m] = {"kind": name, "params": params}
    return [
        replace(m, params={**m.params, "items": found} if m.kind == DIGEST_KIND else found[0]["params"])
        for m, found in zip(leaving, items, strict=True)
    ]


def with_digest(kinds: Mapping[str, MessageKind]) -> dict[str, MessageKind]:
    """The kinds, and the kind of a digest of them."""

    def lines_of(settings: Settings, draft: Draft) -> list[Line]:
        found = []
        for item in draft.params["items"]:
            line = kinds[item["kind"]].line
            if line is not None:
                found.append(line(settings, replace(draft, params=item["params"])))
        # Two reminders of one review say the same: the later has the fresher link.
        return list({line.text: line for line in found}.values())

    def render(settings: Settings, draft: Draft) -> Words:
        lines = lines_of(settings, draft)
        text = "\n\n".join(f"* {line.text}\n  {line.url}" for line in lines)
        html = Markup("<ul>\n{}</ul>").format(
            Markup("").join(_ITEM.format(url=line.url, text=line.text) for line in lines)
        )
        values = {"given_name": str(draft.params["given_name"]), "organization": draft.organization_name}
        own = draft.own_words.get(DIGEST_KIND)
        if own is not None:
            return render_own(draft, own, values | {"items": text}, {"items": html})
        shared = {"lang": draft.locale.replace("_", "-"), "accent": draft.accent or ACCENT}
        shown = values | {"unsubscribe_url": draft.unsubscribe_url, "items": text, "item_list": html}
        return Words(*render_mail(DIGEST_KIND, draft.locale, shared, shown))

    return {**kinds, DIGEST_KIND: MessageKind(name=DIGEST_KIND, optional=True, render=render, wordings=(_WORDING,))}


def _shipped(locale: str) -> OwnWords:
    return shipped_words(DIGEST_KIND, locale, {"lang": locale, "accent": ACCENT}, _SHOWN)


_WORDING = Wording(
    name=DIGEST_KIND,
    title=later("Several things in one mail"),
    places={
        "given_name": later("the reader's given name"),
        "organization": later("the name of your organization"),
        "items": later("each thing with its link"),
    },
    needed=frozenset({"items"}),
    shipped=_shipped,
)
