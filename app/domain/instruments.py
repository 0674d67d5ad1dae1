"""Instrument definitions: scored questionnaires, loaded from files that a tenant brings.

No item text of others lives in the program. A definition is checked whole when it is read, so that everything after
`parse_definition` may trust it: every item belongs to a scale, ranges follow from the answers possible, and
a checksum names the exact text that people answered.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.domain.canonical import digest
from app.domain.errors import InvalidInput
from app.domain.instrument_parts import (
    FIXED,
    STATUSES,
    Interpretation,
    Item,
    Measures,
    Norm,
    Reliability,
    ResponseOption,
    Scale,
    Status,
)
from app.domain.instrument_reading import (
    MOST_FIGURES,
    MOST_SCALES,
    as_status,
    each_of_few,
    read_id,
    read_interpretation,
    read_items,
    read_language,
    read_measures,
    read_norm,
    read_options,
    read_reliability,
    read_scale,
    unique_ids,
    wholes,
)
from app.domain.instrument_texts import Translation, best_language, read_translations, translations_as_json
from app.domain.reading import Reader

_FIELDS = (
    *("id", "version", "language", "title", "status", "licence", "attribution", "citation", "allowed_uses"),
    *("options", "items", "scales", "interpretation", "reliabilities", "norms", "checksum"),
    *("measures", "retest_days", "instructions", "translations"),
)


class DefinitionError(InvalidInput):
    """An instrument definition that cannot be used, with every problem, its place and the remedy."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """A checked definition; items are in the order in which they are asked.

    `measures` says what later steps may take the scores for; `retest_days` is how many days must lie between two
    takings, since a difference within them is mostly error (0: any).
    """

    id: str
    version: str
    language: str
    title: str
    status: Status
    licence_name: str
    licence_text: str
    attribution: str
    citation: str
    allowed_uses: tuple[str, ...]
    options: tuple[ResponseOption, ...]
    items: tuple[Item, ...]
    scales: tuple[Scale, ...]
    interpretation: Interpretation
    reliabilities: tuple[Reliability, ...]
    norms: tuple[Norm, ...]
    measures: Measures = "other"
    retest_days: int = 0
    instructions: str = ""
    # Pairs, so that the whole stays hashable by its fields' order and equal by content.
    translations: tuple[tuple[str, Translation], ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """What the scales are known by outside, in their order: R I A S E C for interests, else the scales' ids."""
        fixed = FIXED.get(self.measures)
        if fixed is None:
            return tuple(scale.id for scale in self.scales)
        names = dict(zip(self.interpretation.order, fixed, strict=True))
        return tuple(names[scale.id] for scale in self.scales)

    def in_language(self, wanted: str) -> "Instrument":
        """The same instrument with the texts closest to a language or locale; ids, keys and scores do not change."""
        texts = dict(self.translations)
        language = best_language(self.language, list(texts), wanted)
        if language not in texts:
            return self
        told = texts[language]
        return replace(
            self,
            language=language,
            title=told.title,
            instructions=told.instructions or self.instructions,
            attribution=told.attribution or self.attribution,
            citation=told.citation or self.citation,
            allowed_uses=told.allowed_uses or self.allowed_uses,
            options=tuple(
                replace(option, label=label) for option, label in zip(self.options, told.options, strict=True)
            ),
            items=tuple(
                replace(item, text=told.items[item.id], other=told.others.get(item.id, item.other))
                for item in self.items
            ),
            scales=tuple(replace(scale, title=told.scales[scale.id]) for scale in self.scales),
            interpretation=replace(
                self.interpretation, poles=tuple((scale, *names) for scale, names in sorted(told.poles.items()))
            ),
        )

    def number_of_items(self, scale: Scale) -> int:
        """How many questions bear on a scale's score."""
        return sum(scale.takes(item) for item in self.items)

    @property
    def ranking(self) -> bool:
        """Whether every item is a choice between two scales: scores then say only what comes before what."""
        return bool(self.items and self.items[0].against)

    @property
    def lowest(self) -> int:
        """The smallest answer value."""
        return self.options[0].value

    @property
    def highest(self) -> int:
        """The largest answer value."""
        return self.options[-1].value


def parse_definition(raw: Mapping[str, Any]) -> Instrument:
    """The instrument described by a plain JSON object; `definition_as_json` shows the form.

    `range` of a scale may be left out; given, it must be what the items and answers allow. A `checksum`
    given must be right. Raises `DefinitionError` with every problem found.
    """
    reader = Reader(raw)
    reader.only(_FIELDS)
    licence = reader.inner("licence")
    licence.only(("name", "text"))
    options = read_options(reader)
    scale_readers = each_of_few(reader, "scales", MOST_SCALES)
    scale_ids = unique_ids(reader, "scales", scale_readers)
    items = read_items(reader, scale_ids, options)
    made_of = wholes(scale_readers, scale_ids)
    interpretation = read_interpretation(reader, scale_ids)
    translations = read_translations(
        reader,
        options=len(options),
        items=[item.id for item in items],
        others=[item.id for item in items if item.other],
        scales=scale_ids,
        poles=[scale for scale, _, _ in interpretation.poles],
    )
    instrument = Instrument(
        id=read_id(reader),
        version=reader.text("version"),
        language=read_language(reader),
        title=reader.text("title"),
        status=as_status(reader.choice("status", STATUSES)),
        licence_name=licence.text("name"),
        licence_text=licence.text("text"),
        attribution=reader.text("attribution"),
        citation=reader.text("citation"),
        allowed_uses=reader.texts("allowed_uses", ()),
        options=options,
        items=items,
        scales=tuple(read_scale(inner, items, options, made_of) for inner in scale_readers),
        interpretation=interpretation,
        reliabilities=tuple(
            read_reliability(inner, scale_ids)
            for inner in each_of_few(reader, "reliabilities", MOST_FIGURES, needed=False)
        ),
        norms=tuple(read_norm(inner, scale_ids) for inner in each_of_few(reader, "norms", MOST_FIGURES, needed=False)),
        measures=read_measures(reader, interpretation),
        retest_days=reader.whole("retest_days", 0, low=0, high=3650),
        instructions=reader.text("instructions") if reader.raw.get("instructions") else "",
        translations=tuple(sorted(translations.items())),
    )
    reader.finish(DefinitionError)
    if "checksum" in raw and raw["checksum"] != checksum(instrument):
        reader.note(
            "checksum",
            "The checksum does not fit the content, so the file was changed after it was made. "
            "Get it from its source again, or remove the checksum if the change is meant.",
        )
        reader.finish(DefinitionError)
    return instrument


def definition_as_json(instrument: Instrument) -> dict[str, Any]:
    """A plain JSON object from which `parse_definition` makes the same instrument again."""
    return {
        "id": instrument.id,
        "version": instrument.version,
        "language": instrument.language,
        "title": instrument.title,
        "status": instrument.status,
        "licence": {"name": instrument.licence_name, "text": instrument.licence_text},
        "attribution": instrument.attribution,
        "citation": instrument.citation,
        "allowed_uses": list(instrument.allowed_uses),
        "options": [
            {"value": option.value, "label": option.label} | ({"short": option.short} if option.short else {})
            for option in instrument.options
        ],
        "items": [
            {"id": item.id, "text": item.text, "scale": item.scale, "key": item.key, "order": item.order}
            # What few have is left out elsewhere: the checksums of what is loaded stay what they were.
            | ({"against": item.against, "other": item.other} if item.against else {})
            for item in instrument.items
        ],
        "scales": [
            {
                "id": scale.id,
                "title": scale.title,
                "method": scale.method,
                "offset": scale.offset,
                "range": [scale.low, scale.high],
                "min_answered": scale.min_answered,
            }
            | ({"of": list(scale.of)} if scale.of else {})
            for scale in instrument.scales
        ],
        "interpretation": {
            "order": list(instrument.interpretation.order),
            "poles": {scale: [low, high] for scale, low, high in instrument.interpretation.poles},
        },
        "reliabilities": [
            {
                "scale": entry.scale,
                "type": entry.kind,
                "value": entry.value,
                "n": entry.n,
                "population": entry.population,
                "source": entry.source,
            }
            for entry in instrument.reliabilities
        ],
        "norms": [
            {
                "scale": norm.scale,
                "group": norm.group,
                "mean": norm.mean,
                "sd": norm.sd,
                "n": norm.n,
                "source": norm.source,
                "year": norm.year,
            }
            for norm in instrument.norms
        ],
        "measures": instrument.measures,
        "retest_days": instrument.retest_days,
        "instructions": instrument.instructions,
        "translations": translations_as_json(dict(instrument.translations)),
    }


def checksum(instrument: Instrument) -> str:
    """The SHA-256 (hexadecimal) of the definition's canonical JSON; any change of content changes it."""
    return digest(definition_as_json(instrument))
