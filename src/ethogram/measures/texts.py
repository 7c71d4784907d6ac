"""How varied texts are."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ethogram.errors import DataError

__all__ = ["distinct"]


def distinct(texts: Iterable[str], n: int = 1) -> float:
    """Distinct-n: different n-grams of words over all n-grams, pooled over the texts, in (0, 1].

    Li et al. (NAACL 2016), "A diversity-promoting objective function for neural conversation models". Words are runs of
    letters and digits, in lower case. It falls as texts grow in number and length, so compare equal amounts of text.

    Args:
        texts: any number of texts; n-grams do not reach across two of them.
        n: words of an n-gram.

    Raises:
        DataError: no text has n words.
    """
    grams: list[tuple[str, ...]] = []
    for text in texts:
        words = re.findall(r"\w+", text.lower())
        grams += zip(*(words[i:] for i in range(n)), strict=False)
    if not grams:
        raise DataError(f"distinct-{n} needs a text of at least {n} words")
    return len(set(grams)) / len(grams)
