"""Numbers that people typed as text, read by the spreadsheet's locale. Pure."""

import re
from decimal import Decimal, InvalidOperation

# Languages that write a decimal comma (Unicode CLDR), and the countries that differ from their language.
_COMMA_LANGUAGES = frozenset(
    "af az be bg bs ca cs da de el es et eu fi fr gl hr hu hy id is it ka kk ky lt lv mk mn nb nl nn no pl pt "  # noqa: SIM905
    "ro ru sk sl sq sr sv tr uk uz vi".split()
)
_POINT_LOCALES = frozenset({"de_CH", "de_LI", "it_CH", "es_MX", "es_US", "es_GT", "es_HN", "es_NI", "es_PA", "es_PE"})
_COMMA_LOCALES = frozenset({"en_ZA"})
_DIGITS = "[+-]?(?:[0-9]{{1,3}}(?:[{group}][0-9]{{3}})+|[0-9]+)?(?:{point}[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_SPACES = "\u0020\u00a0\u202f"
_WITH_POINT = re.compile(_DIGITS.format(group=rf",'’{_SPACES}", point=r"\."))
_WITH_COMMA = re.compile(_DIGITS.format(group=rf".'’{_SPACES}", point=","))
_GROUPING = str.maketrans("", "", f"'’{_SPACES}")


def has_decimal_comma(locale: str) -> bool:
    """Whether a spreadsheet of this `locale` (`de_DE`, `en_US`, `sr`) writes 1,5 for one and a half."""
    language = locale.partition("_")[0]
    return locale in _COMMA_LOCALES or (language in _COMMA_LANGUAGES and locale not in _POINT_LOCALES)


def parse_number(text: str, locale: str) -> Decimal | None:
    """The number in a text, None if it is not exactly one in the locale's way of writing."""
    stripped = text.strip()
    comma = has_decimal_comma(locale)
    if not re.search("[0-9]", stripped) or not (_WITH_COMMA if comma else _WITH_POINT).fullmatch(stripped):
        return None
    plain = stripped.translate(_GROUPING)
    try:
        return Decimal(plain.replace(".", "").replace(",", ".") if comma else plain.replace(",", ""))
    except InvalidOperation:  # an exponent of twenty digits
        return None
