"""Find secrets by the name of their variable, option, element or header: ``password = '…'``, ``--token …``.

The lower-case text is searched for words that can name a secret. At each word, the whole name is read, then the
operator, then the value. The name determines how much the value itself must look like a secret (``NameMeaning``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from codevf_nb.privacy._name_words import (
    ANCHORS,
    NameMeaning,
    is_placeholder,
    meaning,
    words_of,
)
from codevf_nb.privacy._randomness import changes, is_random, is_uuid

_NAME = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-" + bytes(range(128, 256)))
_REST = re.compile(rb"[\w.\x80-\xff-]{0,64}")
_QUOTED = (
    rb"(?P<open>[(\[]?\s{0,12})(?P<prefix>[fbruFBRU]{0,2}|N|new String\()(?:"
    rb"\"\"\"(?P<q1>[^\r\n]{1,300}?)\"\"\"|'''(?P<q2>[^\r\n]{1,300}?)'''|"
    rb"\"(?P<q3>[^\"\r\n]{1,300})\"|'(?P<q4>[^'\r\n]{1,300})'|`(?P<q5>[^`\r\n]{1,300})`|"
    rb"[\"'](?P<q6>[^\"'\r\n]{4,300})"
)
_BARE = rb"|\{{0,2}(?P<bare>[^\s\"'`,;&<>(){}\[\]\\]{3,300})(?P<next>[(\[{]?))"
_VALUE = re.compile(_QUOTED + _BARE)
_STRING = re.compile(_QUOTED + rb")")
# The text between a name and its value.
_OPERATOR = re.compile(
    rb"(?P<closed>[\"'`\])]{0,3}|\"\")[ \t]{0,12}(?::[ \t]{0,4}[A-Za-z_][\w.\[\], |]{0,60}(?==[ \t]{0,4}[(fbru\"']))?"
    rb"(?P<sign>==|=>|:=|\?=|\|\|=|\.=|\+=|=|<-|:(?!:)|-(?=[ \t]{1,4}[\"'][^\"'\s]{16})|\bis\b:?|\b[iI][sS][tT]\b:?|"
    rb"string[ \t]{0,2}=)(?P<gap>[ \t]{0,12}(?:[|>]-?)?(?:\r?\n[ \t]{1,20})?)"
)
_NEXT_ARGUMENT = re.compile(rb"[\"'][ \t]{0,4},[ \t]{0,4}(?=[\"'fbr])")
_XML = re.compile(rb"[^<>\n]{0,80}>(?P<value>[^<>\r\n]{3,300})</")
_ATTRIBUTE = re.compile(
    rb"[\"']?[ \t]{0,4},?[ \t\r\n]{0,12}[\"']?(?:value|default|content)[\"']?[ \t]{0,4}[=:][ \t]{0,4}(?=[\"'])"
)
_OPTION = re.compile(rb"[ \t]{1,4}(?P<value>[^\s\"'<>-][^\s\"'<>]{3,300}|'[^'\n]{3,200}'|\"[^\"\n]{3,200}\")")
_SQL = re.compile(rb"[ \t]{1,4}(?=')")
_SCHEME = rb"(?i:bearer|basic|token|apikey|api-key|key|digest|negotiate|splunk|sso-key|ssws|genie(?:key)?)"
_HEADER = re.compile(
    rb"[\"'`]{0,2}\]?[ \t]{0,4}[:=,][ \t]{0,4}[fbr]?[\"'`]{0,2}(?:(?P<scheme>"
    + _SCHEME
    + rb")[ \t]{0,3}(?:[\"'][ \t]{0,3}\+[ \t]{0,3}[fbr]?[\"'])?)?"
    rb"(?P<value>[A-Za-z0-9._~+/=:-]{8,})(?P<next>[(\[{]?)"
)
_PATH = re.compile(
    rb"(?:\.{0,2}/|~/|[A-Za-z]:[\\/]).*|[a-z][a-z0-9+.-]*://[^?]*|[\w.-]*/[\w./-]*\.\w{1,8}|[\w/-]+\.(?:py|txt|json|ya?ml|csv|pem|key|pt|bin|model)"
)
_WORDS_ONLY = re.compile(rb"[A-Za-z]+(?:[\s_./:-]+[A-Za-z]+)*[:?.!]?")
_NAMES_BEFORE = re.compile(rb"\s*(?:\w+[ \t]*,[ \t]*)+")
_STRINGS = re.compile(rb"([\"'])([^\"'\n]*)\1")
_DOTTED = re.compile(rb"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_OF_NAMES = frozenset({"pw", "hash", "hashed", "field", "column", "input", "label", "user", "name", "prompt"})
_FILLED_IN = re.compile(rb"\{[^{}]*\}")
_KEY_CHARACTERS = re.compile(rb"[A-Za-z0-9+/=_~.:!@#%&$^,;-]+")
_IDENTIFIER = re.compile(rb"[A-Za-z_]\w*")
_SECTION = re.compile(rb"(?m)^(?:\[[\w. -]+\]|(?!class |def |else|try)[\w-]+:)[ \t]*$")
_EXPRESSION = re.compile(rb"\(\?[:=!iP<]|\[\^?(?:[\w\\-]{0,12}(?:a-z|A-Z|0-9|a-f))|\\[wdsb][+*]")
_WORD = re.compile(rb"[A-Z]?[a-z]{3,}")
_HOST = re.compile(rb"[\w-]+(?:\.[\w-]+)*:\d{2,5}")
_IMPORTED = re.compile(rb"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*){1,8}:[A-Za-z_]\w*")
_SHORT_NAMES = frozenset({"pass", "pwd", "pw", "psw", "pswd"})
_DIGITS = b"01234567890123456789"
_OF_TYPE = re.compile(
    rb"(?i)(?:str|string|secretstr|bytes|int|optional|text|any|none|null|true|false|charfield|varchar|sequence|list|dict|object)\d{0,3}"
)


def assigned_secrets(content: bytes) -> Iterator[tuple[str, int]]:
    """Yield each value whose name says that it is secret: the kind of secret, and the offset of the name."""
    lowered = content.lower()
    read = -1
    for found in ANCHORS.finditer(lowered):
        if found.start() < read:
            continue
        start, end = _name_around(content, found.start(), found.end())
        read = end
        what = _assigned_secret(content, start, end)
        if what is not None:
            yield what, start


def _name_around(content: bytes, start: int, end: int) -> tuple[int, int]:
    first = start
    while first > 0 and start - first < 48 and content[first - 1] in _NAME:
        first -= 1
    rest = _REST.match(content, end)
    return first, rest.end() if rest else end


def _assigned_secret(content: bytes, start: int, end: int) -> str | None:
    name = content[start:end].rstrip(b".-")
    end = start + len(name)
    if name[-13:].lower() == b"authorization" and _is_header(content, end):
        return "an authorization header"
    named = None if content[start - 2 : start] == b"::" else meaning(name.decode(errors="replace"))
    if named is None:
        return None
    for value, quoted, in_code in _values(content, start, end, name, named):
        if _is_secret(named, name, value, quoted=quoted, in_code=in_code):
            return _CALLED[named]
    return None


_CALLED = {
    NameMeaning.PASSWORD: "a password",
    NameMeaning.SECRET: "a secret key",
    NameMeaning.TOKEN: "a token",
    NameMeaning.KEY: "a secret key",
}


def _values(
    content: bytes, start: int, end: int, name: bytes, named: NameMeaning
) -> Iterator[tuple[bytes, bool, bool]]:
    """Yield possible values of a name: the value, whether it is quoted, and whether an unquoted one may be code."""
    operator = _OPERATOR.match(content, end, end + 160)
    if operator:
        yield from _after_operator(content, start, operator, name)
        return
    follows = _ATTRIBUTE.match(content, end, end + 80)
    is_list = follows is None
    follows = follows or _NEXT_ARGUMENT.match(content, end)
    if follows is None and named is not NameMeaning.KEY:
        follows = _SQL.match(content, end)
    if follows:
        string = _STRING.match(content, follows.end(), follows.end() + 320)
        value = _inside(string) if string else b""
        alone = named is NameMeaning.PASSWORD and is_strong(value) and b" " not in value and not _HOST.fullmatch(value)
        if value and (not is_list or alone or (is_random(value) and not _is_of_words(value))):
            yield value, True, False
        return
    yield from _values_without_operator(content, start, end, name)


def _after_operator(
    content: bytes, start: int, operator: re.Match[bytes], name: bytes
) -> Iterator[tuple[bytes, bool, bool]]:
    sign = operator["sign"].lower()
    found = _VALUE.match(content, operator.end(), operator.end() + 330)
    if found is None:
        return
    bare = found["bare"]
    if bare is None:
        yield _value_of_tuple(content, start, found), True, False
    elif (
        found["open"] in {b"", b"{"} and not found["next"] and (b"\n" not in operator["gap"] or b"|" in operator["gap"])
    ):
        in_prose = sign[:2] in {b"is"}
        if in_prose:
            bare = bare.rstrip(b".,;?")
            if not is_strong(bare):
                return
        yield bare, False, not _in_settings(content, start, operator, name)


def _value_of_tuple(content: bytes, start: int, found: re.Match[bytes]) -> bytes:
    """Return the value of a name; in ``user, password = 'ana', '…'`` it is the second one."""
    before = content[content.rfind(b"\n", 0, start) + 1 : start]
    if not _NAMES_BEFORE.fullmatch(before):
        return _inside(found)
    values = _STRINGS.findall(content[found.start() : found.start() + 400].partition(b"\n")[0])
    at = before.count(b",")
    value = values[at][1] if at < len(values) else _inside(found)
    return b"" if value.isalpha() else value


def _values_without_operator(content: bytes, start: int, end: int, name: bytes) -> Iterator[tuple[bytes, bool, bool]]:
    before = content[max(0, start - 8) : start]
    if name.startswith(b"--") or before.endswith(b"--"):
        option = _OPTION.match(content, end, end + 320)
        if option and (value := option["value"].strip(b"\"'")) and not value.isalpha():
            yield value, False, False
    elif before.endswith(b"<") or b"<" in before[-2:]:
        element = _XML.match(content, end, end + 400)
        if element:
            yield element["value"], True, False
    elif before.lower().endswith(b"env ") or _is_netrc(content, start):
        option = _OPTION.match(content, end, end + 320)
        if option:
            yield option["value"], False, False


def _is_netrc(content: bytes, start: int) -> bool:
    before = content[max(0, start - 120) : start]
    return b"login " in before and b"machine " in content[max(0, start - 300) : start]


def _inside(found: re.Match[bytes]) -> bytes:
    return next(value for value in (found[f"q{n}"] for n in range(1, 7)) if value is not None)


def _in_settings(content: bytes, start: int, operator: re.Match[bytes], name: bytes) -> bool:
    """Whether a bare word is a value and not a variable: in a line of an environment, INI or YAML file."""
    closed, gap = operator["closed"], operator["gap"]
    line = content.rfind(b"\n", 0, start) + 1
    before = content[line:start]
    if (
        operator["sign"] == b"="
        and not closed
        and not gap
        and (name.isupper() or content[start - 1 : start] in {b"?", b"&"})
    ):
        return True
    if before.strip(b" \t-") or closed:
        return False
    above = content[max(0, line - 200) : line]
    sections = list(_SECTION.finditer(above))
    return bool(sections) and b"(" not in above[sections[-1].start() :] and operator["sign"] in {b"=", b":"}


def _is_header(content: bytes, end: int) -> bool:
    found = _HEADER.match(content, end, end + 400)
    if found is None or found["next"]:
        return False
    value = found["value"]
    if is_placeholder(value.decode()) or _DOTTED.fullmatch(value):
        return False
    if found["scheme"]:
        return (
            len(value) >= 12 and bool(re.search(rb"[0-9]|[a-z][A-Z]", value)) and not _IDENTIFIER.fullmatch(value)
        ) or is_random(value, 12)
    return is_random(value, 20)


def is_strong(value: bytes) -> bool:
    """Whether a bare word in prose looks like a password: letters and digits, but not only a word with a number."""
    return (
        len(value) >= 6
        and bool(re.search(rb"[A-Za-z]", value))
        and bool(re.search(rb"\d", value))
        and not re.fullmatch(rb"[A-Za-z]+-?\d{1,4}|[\d.:/-]+[a-z]{0,2}", value)
    )


def _is_secret(named: NameMeaning, name: bytes, value: bytes, *, quoted: bool, in_code: bool) -> bool:
    """Decide by name and value. A placeholder, a path, a command or a name is not a secret."""
    value = value.strip()
    if quoted and b"{" in value:
        value = _FILLED_IN.sub(b"", value).strip(b" -_/:.")
    text = value.decode(errors="replace")
    if (
        len(value) < 3
        or is_placeholder(text)
        or (value.startswith((b"!", b"$(")) and not quoted)
        or value.lower() == name.lower()
        or _EXPRESSION.search(value)
    ):
        return False
    if named is NameMeaning.PASSWORD:
        return _is_password(name, value, quoted=quoted, in_code=in_code)
    if _PATH.fullmatch(value) or (is_uuid(value) and (named is NameMeaning.KEY or not quoted)):
        return False
    if named is NameMeaning.KEY:
        is_name = _DOTTED.fullmatch(value) or (in_code and len(value) < 24 and _IDENTIFIER.fullmatch(value))
        return is_random(value, 16) and not is_name and not _is_of_words(value)
    if not _KEY_CHARACTERS.fullmatch(value) and b" " not in value:
        return False
    return _is_key(named, name, value, quoted=quoted, in_code=in_code)


def _is_password(name: bytes, value: bytes, *, quoted: bool, in_code: bool) -> bool:
    if b" " in value and quoted:
        return b"phrase" in name.lower() or any(map(is_strong, value.split()))
    if value.isdigit():
        return len(value) >= 4
    if _names_itself(value) or _PATH.fullmatch(value) or _IMPORTED.fullmatch(value):
        return False
    if value.isalpha() and _SHORT_NAMES.intersection(words_of(name.decode(errors="replace"))):
        return False  # an ambiguous word: a passed test, the working directory
    if quoted:
        return len(value) >= 4 or bool(re.search(rb"\d", value))
    return _is_bare_value(value, in_code=in_code, least=4)


def _is_key(named: NameMeaning, name: bytes, value: bytes, *, quoted: bool, in_code: bool) -> bool:
    words = value.split(b" ")
    if len(words) >= 12 and len(words) % 3 == 0 and value.replace(b" ", b"").islower():
        return b"mnemonic" in name.lower() or b"seed" in name.lower() or b"phrase" in name.lower()
    if b" " in value or value in _DIGITS or _is_setting(value) or _names_itself(value):
        return False
    if not quoted:
        return (
            len(value) >= 8
            and _is_bare_value(value, in_code=in_code, least=8)
            and (changes(value) >= 0.1 or is_random(value))
        )
    if re.search(rb"\d", value):
        return len(value) >= 8 and not _WORDS_ONLY.fullmatch(re.sub(rb"\d{1,4}$", b"", value))
    if not value.isalpha() or len(set(value.lower())) <= 4:
        return False
    return len(value) >= 20 or (named is NameMeaning.SECRET and len(value) >= 8)


def _is_bare_value(value: bytes, *, in_code: bool, least: int) -> bool:
    """Whether unquoted text is a literal value and not a variable, an attribute or a type."""
    if len(value) < least or _OF_TYPE.fullmatch(value) or value[:1] in b"$%@*|":
        return False
    if not in_code:
        return not _DOTTED.fullmatch(value) or bool(re.search(rb"\d", value))
    if _DOTTED.fullmatch(value) or not re.search(rb"[A-Za-z]", value):
        return False
    if _IDENTIFIER.fullmatch(value):
        return (
            not _is_of_words(value)
            and bool(re.search(rb"\d{2}|\d[a-zA-Z]|[a-z]\d[a-z]", value))
            and changes(value) >= 0.2
        )
    return (
        bool(re.search(rb"\d", value))
        and changes(value) >= 0.15
        and not re.search(rb"[=*/+-]{2}|[A-Za-z_]\.[A-Za-z_]", value)
    )


def _is_of_words(value: bytes) -> bool:
    """Whether a value is mostly words, like names in code: ``PKCS7PrivateKeyTypes``."""
    return 2 * sum(map(len, _WORD.findall(value))) > len(value)


def _is_setting(value: bytes) -> bool:
    """Whether a value is the name of a setting or option for a secret: ``s3.secret-access-key``."""
    is_name = re.fullmatch(rb"[a-z][a-z0-9]{0,10}(?:[._-][a-z]+)+", value)
    return bool(is_name) and meaning(value.decode()) is not None


def _names_itself(value: bytes) -> bool:
    """Whether a value is a name that describes its own content: ``db_password``, ``user-password``, ``pw_hash``."""
    text = value.decode(errors="replace")
    return bool(_WORDS_ONLY.fullmatch(value)) and (
        meaning(text) is not None or bool(_OF_NAMES.intersection(words_of(text)))
    )
