"""Tables of items that Octant knows by their shape: what such a table does not say itself, as facts about its source.

No item text is here. A table is recognized by its columns and its number of rows; whether its items are word for word
those that Octant knows is told by a fingerprint of their texts, so that *published, unaltered* is never claimed for a
changed list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from app.domain.canonical import digest
from app.domain.instrument_parts import Measures
from app.domain.item_csv import ItemColumns, ScaleRule


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTable:
    """One published questionnaire: how its table is read, and the facts for its definition.

    `rows` are how many items it has, `heading` the columns that tell it from others of that size; `wholes` are scales
    made of others (id to parts); `fingerprint` is `fingerprint_of` its items.
    """

    id: str
    title: str
    measures: Measures
    rows: int
    heading: tuple[str, ...]
    fingerprint: str
    columns: ItemColumns
    rule: ScaleRule
    options: tuple[str, ...]
    instructions: str
    licence: tuple[str, str]
    attribution: str
    citation: str
    allowed_uses: tuple[str, ...]
    scale_titles: Mapping[str, str]
    order: tuple[str, ...]
    wholes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    retest_days: int = 180


_USES: Final = ("self-knowledge", "counselling", "research", "not for selecting or hiring anybody")
_AGREEMENT: Final = (
    *("Very inaccurate", "Moderately inaccurate", "Neither accurate nor inaccurate"),
    *("Moderately accurate", "Very accurate"),
)
_DESCRIBE: Final = "How well does each sentence describe you as you are now, compared with what you know of yourself?"
IPIP_LICENCE: Final = (
    "Public domain",
    "The items of the International Personality Item Pool are in the public domain, as the pool itself states: they "
    "may be used, reworded and translated for any purpose without asking.",
)
IPIP_ATTRIBUTION: Final = "International Personality Item Pool (ipip.ori.org)."
_FIVE: Final = {
    "E": "Extraversion",
    "A": "Agreeableness",
    "C": "Conscientiousness",
    "N": "Neuroticism",
    "O": "Intellect or imagination",
}
_FACETS: Final = {
    "N": ("Anxiety", "Anger", "Depression", "Self-consciousness", "Immoderation", "Vulnerability"),
    "E": ("Friendliness", "Gregariousness", "Assertiveness", "Activity level", "Excitement-seeking", "Cheerfulness"),
    "O": ("Imagination", "Artistic interests", "Emotionality", "Adventurousness", "Intellect", "Liberalism"),
    "A": ("Trust", "Morality", "Altruism", "Cooperation", "Modesty", "Sympathy"),
    "C": ("Self-efficacy", "Orderliness", "Dutifulness", "Achievement-striving", "Self-discipline", "Cautiousness"),
}
_FACET_TITLES: Final = {f"{domain}{n}": name for domain, names in _FACETS.items() for n, name in enumerate(names, 1)}

SHORT_FORM: Final = KnownTable(
    id="onet-ip-short-form",
    title="O*NET Interest Profiler Short Form",
    measures="interests",
    rows=60,
    heading=("index", "area", "text"),
    fingerprint="cd4c401ad9f106ce13bd3d846e74478614d4800b688d40fd50189908d4c45888",
    columns=ItemColumns(scale="area", key=None),
    rule=ScaleRule(method="sum", offset=-1),
    options=("Strongly dislike", "Dislike", "Unsure", "Like", "Strongly like"),
    instructions="How would you like doing each of these at work? Leave aside pay, and whether you have learned it.",
    licence=(
        "Terms of USDOL/ETA for the O*NET Career Exploration Tools",
        "Owned by the U.S. Department of Labor, Employment and Training Administration (USDOL/ETA). May be copied "
        "whole, used and distributed without a further licence for career exploration, planning and counselling. "
        "Notices must stay. Not to be changed or translated without asking the owner. Not for hiring.",
    ),
    attribution="O*NET Interest Profiler Short Form, U.S. Department of Labor, Employment and Training Administration. "
    "O*NET is a trademark of USDOL/ETA.",
    citation="National Center for O*NET Development for USDOL/ETA: O*NET Interest Profiler Short Form.",
    allowed_uses=(
        *("career exploration", "career planning", "career counselling"),
        "not for selecting or hiring anybody",
    ),
    scale_titles={},
    order=("Realistic", "Investigative", "Artistic", "Social", "Enterprising", "Conventional"),
)
_IPIP_50: Final = KnownTable(
    id="ipip-50",
    title="IPIP Big Five markers, 50 items",
    measures="personality",
    rows=50,
    heading=("index", "text", "domain", "key"),
    fingerprint="efd30882cf586dccf1861573a6a6cc148bb2b482dc34e0d1c4b21bff31a4f454",
    columns=ItemColumns(),
    rule=ScaleRule(),
    options=_AGREEMENT,
    instructions=_DESCRIBE,
    licence=IPIP_LICENCE,
    attribution=IPIP_ATTRIBUTION,
    citation="Goldberg, L. R.: 50-item Big Five factor markers of the International Personality Item Pool. N is keyed "
    "as Neuroticism here; the original scores the opposite pole, Emotional Stability.",
    allowed_uses=_USES,
    scale_titles=_FIVE,
    order=tuple("EACNO"),
)
_MINI_IPIP: Final = replace(
    _IPIP_50,
    id="mini-ipip",
    title="Mini-IPIP",
    rows=20,
    fingerprint="77787dc731ed63278f0f75015883a0719dfbd3fd3deca1ce6b48a17b37370462",
    citation="Donnellan, M. B., Oswald, F. L., Baird, B. M. and Lucas, R. E. (2006): the Mini-IPIP scales.",
)
_NEO_120: Final = KnownTable(
    id="ipip-neo-120",
    title="IPIP-NEO, 120 items",
    measures="personality",
    rows=120,
    heading=("index", "text", "domain", "facet", "key"),
    fingerprint="f848e2c3b11bf5ab6bbea20f77ec663349fa817444b08a6b99087050f2ea1692",
    columns=ItemColumns(facet="facet"),
    rule=ScaleRule(),
    options=_AGREEMENT,
    instructions=_DESCRIBE,
    licence=IPIP_LICENCE,
    attribution=IPIP_ATTRIBUTION,
    citation="Johnson, J. A. (2014): the 120-item version of the IPIP-NEO.",
    allowed_uses=_USES,
    scale_titles=_FIVE | {"O": "Openness to experience"} | _FACET_TITLES,
    order=tuple(scale for domain in "NEOAC" for scale in (domain, *(f"{domain}{n}" for n in range(1, 7)))),
    wholes={domain: tuple(f"{domain}{n}" for n in range(1, 7)) for domain in "NEOAC"},
)
KNOWN_TABLES: Final = (SHORT_FORM, _IPIP_50, _MINI_IPIP, _NEO_120)


def recognized(heading: Sequence[str], rows: int) -> KnownTable | None:
    """The published questionnaire whose table has these columns and so many rows; None for any other table.

    The one with the most columns in common comes first, so that facets are not overlooked.
    """
    fitting = [known for known in KNOWN_TABLES if known.rows == rows and set(known.heading) <= set(heading)]
    return max(fitting, key=lambda known: len(known.heading), default=None)


def fingerprint_of(items: Sequence[Mapping[str, object]]) -> str:
    """The SHA-256 (hexadecimal) of the items of a definition: their order, texts, scales and keys, nothing else."""
    return digest([[item["order"], item["text"], item["scale"], item["key"]] for item in items])
