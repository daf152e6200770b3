"""Spellings of SKU texts: the ones that read alike, and the ones that nothing can read.

Source: docs/rules.md section 1.
"""

from __future__ import annotations

import random
from typing import Final

BLANKS: Final = (
    " \t\n\v\f\r\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""Every character that counts as a blank."""

NOT_BLANKS: Final = "\x1c\x1d\x1e\x1f\u180e\u200b\u200d\u2060"
"""Characters that look blank, and that some languages strip, but that are not blanks here."""

NOT_HYPHENS: Final = "\u00ad\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d_/:"
# Arabic-Indic, full-width, superscript, mathematical and Devanagari digits, and a letter O
_NOT_DIGITS: Final = (
    "\u0661\u0667\u0666\u0661\u0662",
    "\uff11\uff17\uff16\uff11\uff12",
    "1761\u00b2",
    "\U0001d7cf\U0001d7d5\U0001d7d4\U0001d7cf\U0001d7d0",
    "1761O",
    "\u0967\u096d\u096c\u0967\u0968",
)
_NOT_LOTS: Final = (
    "25030O",
    "\u0662\u0665\u0660\u0663\u0660\u0660",
    "25 0300",
    "250.300",
    "2e5300",
    "+250300",
)

_GARBAGE: Final = (
    "ABC",
    "nan",
    "None",
    "NULL",
    "{sku} - ",
    "- {lot}",
    "-",
    "{sku} - {lot} - 1",
    "{sku} -- {lot}",
    "{sku} {lot}",
    "{sku}, {lot}",
    "{sku}|17914",
    "'{sku} - {lot}'",
    '"{sku}"',
    "{sku}' OR '1'='1",
    "{sku}; --",
    "{{{{ {sku} }}}}",
    "%{sku}%",
    "{sku} - {lot}\x00",
    "{sku}\x00 - {lot}",
    "\x00",
    "\x00{sku}",
    "-{sku}",
    "+{sku}",
    "{sku}.0",
    "{sku}e0",
    "0x{sku}",
    "#{sku}",
    "\U0001f4e6 {sku}",
)


def spellings(rng: random.Random, sku: str, lot: str, count: int) -> list[str]:
    """`count` different texts that all mean `sku` and `lot`."""
    texts = {f"{sku} - {lot}", f"{sku}-{lot}", f"{sku} -{lot}", f"{sku}- {lot}", f" {sku} - {lot} "}
    for _ in range(2 * count):
        before, after, left, right = (blanks(rng) for _ in range(4))
        texts.add(f"{before}{sku}{left}-{right}{lot}{after}")
    return rng.sample(sorted(texts), count)


def blanks(rng: random.Random) -> str:
    """Up to two blanks of any kind, often none."""
    return "".join(rng.choices(BLANKS, k=rng.choice((0, 0, 1, 2))))


def nothing(rng: random.Random, count: int = 1) -> list[str]:
    """`count` different texts with nothing but blanks in them; the first is often the empty one."""
    texts = sorted({"", " ", "   ", "\t", *rng.sample(BLANKS, 6)})
    return rng.sample(texts, count) if count > 1 or rng.random() < 0.3 else [""]


def garbage(rng: random.Random, sku: str, lot: str) -> str:
    """A text that does not parse."""
    kind = rng.randrange(6)
    if kind == 0:
        return f"{sku} {rng.choice(NOT_HYPHENS)} {lot}"
    if kind == 1:
        odd = rng.choice(NOT_BLANKS)
        return rng.choice((odd, f"{sku}{odd}-{lot}", f"{odd}{sku} - {lot}", f"{sku} - {lot}{odd}", sku + odd))
    if kind == 2:
        digits = rng.choice(_NOT_DIGITS)
        return rng.choice((digits, f"{digits} - {lot}", f"{sku} - {rng.choice(_NOT_LOTS)}"))
    if kind == 3 and rng.random() < 0.2:
        return rng.choice((f"{sku} - {lot} " + "x" * 20_000, "1" * 3_000 + "a", f"{sku} -{' ' * 5_000}"))
    return rng.choice(_GARBAGE).format(sku=sku, lot=lot)
