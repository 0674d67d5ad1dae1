"""Reads the parts of an instrument definition; every mistake is noted with its place and remedy."""

from __future__ import annotations

import re
from collections.abc import Mapping

from app.domain.instrument_parts import (
    FIXED,
    MEASURES,
    STATUSES,
    Interpretation,
    Item,
    Measures,
    Method,
    Norm,
    Reliability,
    ResponseOption,
    Scale,
    Status,
)
from app.domain.reading import Reader
from app.domain.saying import later

# With fewer of a scale's items answered its score is undefined (own rule, in line with common manuals).
LEAST_ANSWERED = 0.8
MOST_ITEMS = 1000
MOST_SCALES = 200
# Norms, and reliabilities: a few for each scale.
MOST_FIGURES = 2000
MOST_OPTIONS = 100
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_LONGEST_SHORT = 3
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def score_range(items: int, method: Method, offset: float, lowest: int, highest: int) -> tuple[float, float]:
    """The least and greatest score that this many items can give."""
    times = items if method == "sum" else 1
    return (times * (lowest + offset), times * (highest + offset))


def read_id(reader: Reader) -> str:
    """The `id` of a mapping; empty after a problem."""
    value = reader.text("id")
    if value and not _ID.fullmatch(value):
        reader.note("id", "Use at most 64 letters, digits, dots, hyphens or underscores, a letter or digit first.")
    return value


def unique_ids(reader: Reader, key: str, inners: list[Reader]) -> tuple[str, ...]:
    """The ids of the mappings listed under `key`, in their order; one used twice is noted where it is the second."""
    if reader.raw.get(key) == []:
        reader.note(key, "There are none. Give at least one.")
    ids: list[str] = []
    for inner in inners:
        value = read_id(inner)
        if value and value in ids:
            inner.note("id", later('"%(value)s" is used twice. Give each its own.', value=value))
        ids.append(value)
    return tuple(ids)


def each_of_few(reader: Reader, key: str, most: int, *, needed: bool = True) -> list[Reader]:
    """A reader for each mapping listed under `key`; none where there are more than `most`, since each costs time."""
    inners = reader.each(key) if needed else reader.each(key, ())
    if len(inners) > most:
        reader.note(key, later("There are %(number)s. Give at most %(most)s.", number=len(inners), most=most))
        return []
    return inners


def read_language(reader: Reader) -> str:
    """The language tag of a definition."""
    value = reader.text("language")
    if value and not _LANGUAGE.fullmatch(value):
        reader.note("language", "Give a language tag, for example en or zh-Hans.")
    return value


def as_status(value: str) -> Status:
    """The status of this word, which must be one of `STATUSES`."""
    return next(status for status in STATUSES if status == value)


def read_measures(reader: Reader, interpretation: Interpretation) -> Measures:
    """What the scores may be taken for; "other" after a problem."""
    word = reader.choice("measures", MEASURES, "other")
    found = next(measures for measures in MEASURES if measures == word)
    fixed = FIXED.get(found)
    if fixed is not None and len(interpretation.order) != len(fixed):
        reader.note(
            "measures",
            later(
                "An instrument that measures %(found)s has six scales, named in interpretation.order as %(scales)s. "
                "Give six, or write other.",
                found=found,
                scales=", ".join(fixed),
            ),
        )
        return "other"
    return found


def read_options(reader: Reader) -> tuple[ResponseOption, ...]:
    """The possible answers, the lowest value first; values must go up by one."""
    options = []
    for inner in each_of_few(reader, "options", MOST_OPTIONS):
        inner.only(("value", "label", "short"))
        brief = inner.text("short") if "short" in inner.raw else ""
        if len(brief) > _LONGEST_SHORT:
            inner.note(
                "short",
                later("Give at most %(most)s letters or figures, or leave it out.", most=_LONGEST_SHORT),
            )
        # 0 stays free to mean "missed" in stored answers.
        options.append(ResponseOption(inner.whole("value", low=1, high=100), inner.text("label"), brief))
    values = [option.value for option in options]
    if values and (len(values) < 2 or values != list(range(values[0], values[0] + len(values)))):
        # Turning a reversed answer round (lowest + highest - answer) must land on an option.
        reader.note("options", "Give two or more answers whose values go up by one, the lowest first.")
    elif any(option.short for option in options) and not all(option.short for option in options):
        reader.note("options", "Give a short form for every answer or for none.")
    elif reader.raw.get("options") == []:
        reader.note("options", "There are none. Give at least two answers.")
    return tuple(options)


def read_items(reader: Reader, scale_ids: tuple[str, ...], options: tuple[ResponseOption, ...]) -> tuple[Item, ...]:
    """The questions in the order in which they are asked; in a ranking every one is a choice between two scales."""
    inners = reader.each("items")
    if len(inners) > MOST_ITEMS:
        reader.note(
            "items",
            later("There are %(number)s items. Give at most %(most)s.", number=len(inners), most=MOST_ITEMS),
        )
        return ()
    ids = unique_ids(reader, "items", inners)
    items = []
    orders: set[int] = set()
    for number, (inner, item_id) in enumerate(zip(inners, ids, strict=True), start=1):
        inner.only(("id", "text", "scale", "key", "order", "against", "other"))
        key = inner.raw.get("key", 1)
        if key not in (1, -1):
            inner.note("key", "Give 1, or -1 for an item that is scored the other way round.")
        order = inner.whole("order", number)
        if order in orders:
            inner.note("order", later("Another item has place %(order)s too. Give each its own.", order=order))
        orders.add(order)
        scale = read_scale_id(inner, scale_ids)
        against = read_scale_id(inner, scale_ids, "against") if "against" in inner.raw else ""
        other = inner.text("other") if "other" in inner.raw or against else ""
        if against and against == scale:
            inner.note("against", later('Both statements speak for "%(scale)s". Name another scale here.', scale=scale))
        if other and "against" not in inner.raw:
            inner.note("against", "Name the scale that the second statement speaks for, or remove it.")
        items.append(Item(item_id, inner.text("text"), scale, -1 if key == -1 else 1, order, against, other))
    if any(item.against for item in items):
        _check_ranking(reader, items, options)
    return tuple(sorted(items, key=lambda item: item.order))


def _check_ranking(reader: Reader, items: list[Item], options: tuple[ResponseOption, ...]) -> None:
    for number, item in enumerate(items):
        if not item.against:
            reader.note(f"items[{number}].against", "In a ranking every item compares two scales. Name the other one.")
        if item.key != 1:
            reader.note(f"items[{number}].key", "A choice between two statements is not reversed. Give 1.")
    if len(options) != 2:
        reader.note("options", "In a ranking there are two answers: the first statement or the second. Give two.")
    for key in ("norms", "reliabilities"):
        if reader.raw.get(key):
            reader.note(key, "A ranking compares somebody only with themselves, so there are none. Leave it out.")


def read_scale_id(reader: Reader, scale_ids: tuple[str, ...], key: str = "scale") -> str:
    """The id of a scale that must exist."""
    value = reader.text(key)
    if value and value not in scale_ids:
        reader.note(
            key,
            later(
                'There is no scale "%(value)s". Add it to scales or use one of: %(scales)s.',
                value=value,
                scales=", ".join(scale_ids),
            ),
        )
    return value


def read_scale(
    reader: Reader, items: tuple[Item, ...], options: tuple[ResponseOption, ...], whole: Mapping[str, tuple[str, ...]]
) -> Scale:
    """One scale with the range that its items and answers allow; `whole` are the scales that are made of others."""
    reader.only(("id", "title", "method", "offset", "range", "min_answered", "of"))
    scale_id = str(reader.raw.get("id", "")).strip()
    method: Method = "mean" if reader.choice("method", ("sum", "mean")) == "mean" else "sum"
    offset = reader.number("offset", 0.0, low=-1000, high=1000)
    low, high = 0.0, 0.0
    parts = whole.get(scale_id, ())
    count = sum(scale_id in (item.scale, item.against) or item.scale in parts for item in items)
    ranking = any(item.against for item in items)
    if parts and any(scale_id in (item.scale, item.against) for item in items):
        reader.note("of", "A scale made of others has no items of its own. Give its items to one of its parts.")
    if ranking and (offset or parts):
        reader.note("offset" if offset else "of", "In a ranking a score counts choices. Leave this out.")
    if not count:
        reader.note(
            "id",
            later('No item belongs to the scale "%(scale)s". Add items or remove the scale.', scale=scale_id),
        )
    elif options:
        lowest, highest = (0, 1) if ranking else (options[0].value, options[-1].value)
        low, high = score_range(count, method, offset, lowest, highest)
        if "range" in reader.raw and list(reader.list_of("range")) != [low, high]:
            reader.note(
                "range",
                later(
                    "Its items and answers give %(low)s to %(high)s. Write [%(low)s, %(high)s].",
                    low=f"{low:g}",
                    high=f"{high:g}",
                ),
            )
    return Scale(
        id=scale_id,
        title=reader.text("title"),
        method=method,
        offset=offset,
        low=low,
        high=high,
        min_answered=reader.number("min_answered", LEAST_ANSWERED, low=0.5, high=1),
        of=parts,
    )


def wholes(readers: list[Reader], scale_ids: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """The scales that are made of others, each with its parts, which must exist and have items of their own."""
    found = {}
    for inner, scale_id in zip(readers, scale_ids, strict=True):
        if "of" in inner.raw:
            found[scale_id] = inner.texts("of")
    for inner, scale_id in zip(readers, scale_ids, strict=True):
        for part in found.get(scale_id, ()):
            if part not in scale_ids or part in found:
                inner.note(
                    "of",
                    later('"%(part)s" is no scale with items of its own. Name scales that have items.', part=part[:64]),
                )
    return found


def read_interpretation(reader: Reader, scale_ids: tuple[str, ...]) -> Interpretation:
    """How results are shown; by default the scales in their order, without poles."""
    if "interpretation" not in reader.raw:
        return Interpretation(scale_ids, ())
    inner = reader.inner("interpretation")
    inner.only(("order", "poles"))
    order = inner.texts("order", scale_ids)
    if sorted(order) != sorted(scale_ids):
        inner.note("order", later("Name every scale once: %(scales)s.", scales=", ".join(scale_ids)))
    poles = []
    if "poles" in inner.raw:
        pairs = inner.inner("poles")
        for scale in pairs.raw:
            names = pairs.texts(scale)
            if scale not in scale_ids or len(names) != 2:
                pairs.note(str(scale), "Give the names of the low and the high pole of an existing scale.")
            else:
                poles.append((scale, names[0], names[1]))
    return Interpretation(order, tuple(sorted(poles)))


def read_reliability(reader: Reader, scale_ids: tuple[str, ...]) -> Reliability:
    """One reliability entry; its value is from 0 to 1."""
    reader.only(("scale", "type", "value", "n", "population", "source"))
    return Reliability(
        scale=read_scale_id(reader, scale_ids),
        kind=reader.text("type"),
        value=reader.number("value", low=0, high=1),
        n=reader.whole("n", low=2),
        population=reader.text("population"),
        source=reader.text("source"),
    )


def read_norm(reader: Reader, scale_ids: tuple[str, ...]) -> Norm:
    """One norm entry; its standard deviation is above 0."""
    reader.only(("scale", "group", "mean", "sd", "n", "source", "year"))
    sd = reader.number("sd", low=0)
    if sd == 0 and "sd" in reader.raw:
        reader.note("sd", "Give a standard deviation above 0.")
    return Norm(
        scale=read_scale_id(reader, scale_ids),
        group=reader.text("group"),
        mean=reader.number("mean"),
        sd=sd,
        n=reader.whole("n", low=2),
        source=reader.text("source"),
        year=reader.whole("year", low=1900, high=2200),
    )
