"""What a person may have meant by a word that is unknown."""

from collections.abc import Iterable


def closest(word: str, known: Iterable[str]) -> str | None:
    """The one of `known` that is most like `word` in any case; None when none is."""
    import difflib

    folded = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.casefold(), folded, 1)
    return folded[found[0]] if found else None


def hint(word: str, known: Iterable[str]) -> str:
    """` (did you mean X?)`, or nothing."""
    meant = closest(word, known)
    return f" (did you mean {meant}?)" if meant else ""
