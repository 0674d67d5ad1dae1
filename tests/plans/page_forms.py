"""What a browser would send of a form as it stands."""

from __future__ import annotations

import re
from html import unescape
from typing import Any


def fields_of(page: str, marker: str) -> dict[str, Any]:
    """Names and values of the form whose tag contains `marker`; several ticked boxes of a name become a list."""
    # The menu's sign-out form is a POST form too and comes first: the last form with the marker is the page's own.
    form = page[page.index(marker, page.index("<main")) :]
    form = form[: form.index("</form>")]
    sent: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name is None or (("checkbox" in tag or 'type="radio"' in tag) and " checked" not in tag):
            continue
        text = unescape(value[1]) if value else ""
        if name[1] in sent:
            earlier = sent[name[1]]
            sent[name[1]] = [*(earlier if isinstance(earlier, list) else [earlier]), text]
        else:
            sent[name[1]] = text
    for name, text in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>\r?\n?(.*?)</textarea>', form, re.S):
        sent[name] = unescape(text)
    for name, options in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'selected value="([^"]*)"', options) or re.search(r'value="([^"]*)"', options)
        sent[name] = unescape(chosen[1]) if chosen else ""
    return sent
