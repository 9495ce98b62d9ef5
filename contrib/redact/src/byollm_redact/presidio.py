"""Presidio's recognizers that are patterns, asked beside ours. No language model, and no network.

`spacy.blank` cuts the text into words for its context; the list of public suffixes is the one that tldextract brings.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from byollm.errors import PluginError
from byollm_redact.kinds import Kind, Span

NOT_PERSONAL: Final = frozenset({"DATE_TIME", "URL", "UUID"})
"""What presidio finds and nobody asked for: only `entities:` brings it."""


class Presidio(BaseModel):
    """`presidio:`: its recognizers that are patterns are asked too. `entities`: which (default: the personal ones)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    language: str = "en"
    entities: tuple[str, ...] = ()
    score: float = 0.5


def recognizers(settings: Presidio) -> list[Kind]:
    """A kind for each entity that presidio's patterns know. Raises PluginError where it is not installed."""
    found = _entities(settings)
    wanted = settings.entities or tuple(sorted(found.keys() - NOT_PERSONAL))
    unknown = [name for name in wanted if name not in found]
    if unknown:
        raise PluginError(f"presidio has no pattern for {unknown[0]}", hint=f"it has {', '.join(sorted(found))}")
    return [_kind(name, found[name], settings) for name in wanted]


def _kind(entity: str, recognizers: list[Any], settings: Presidio) -> Kind:
    nlp = _blank(settings.language)

    def spans(text: str, start: int, end: int) -> Iterator[Span]:
        artifacts = nlp.process_text(text, settings.language)
        for recognizer in recognizers:
            results = recognizer.analyze(text, [entity], artifacts) or []
            enhanced = recognizer.enhance_using_context(text, results, results, artifacts)
            for result in enhanced:
                if result.score >= settings.score and result.end > result.start:
                    yield result.start, result.end

    return Kind(entity.replace("_", "")[:24], spans)


def _entities(settings: Presidio) -> dict[str, list[Any]]:
    """Recognizers by entity. Those that need a language model or a network are left out."""
    try:
        from presidio_analyzer import PatternRecognizer, RecognizerRegistry
    except ImportError:
        pass
    else:
        _no_network()
        registry = RecognizerRegistry()
        registry.load_predefined_recognizers(languages=[settings.language], nlp_engine=_blank(settings.language))
        found: dict[str, list[Any]] = {}
        for recognizer in registry.recognizers:
            if isinstance(recognizer, PatternRecognizer) and recognizer.supported_language == settings.language:
                for entity in recognizer.supported_entities:
                    found.setdefault(entity, []).append(recognizer)
        return found
    raise PluginError("redact: `presidio:` needs presidio-analyzer", hint="pip install byollm-redact[presidio]")


def _blank(language: str) -> Any:
    import spacy
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    engine = SpacyNlpEngine()
    engine.nlp = {language: spacy.blank(language)}
    return engine


def _no_network() -> None:
    """tldextract fetches its list of suffixes at first use unless told not to: the snapshot it brings will do."""
    import tldextract.tldextract as extract

    extract.TLD_EXTRACTOR = extract.TLDExtract(cache_dir=None, suffix_list_urls=())
