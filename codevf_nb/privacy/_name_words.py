"""Words in names that show what a value is (a password, a secret, a key), and words that exclude a secret."""

from __future__ import annotations

import re
from enum import Enum


def words_in(text: str) -> frozenset[str]:
    """Return the set of words in a text, so that a table of words is easy to extend."""
    return frozenset(text.split())


class NameMeaning(Enum):
    """The kind of value that a name announces, by how much the value itself must look like a secret."""

    PASSWORD = "a password"  # noqa: S105 - a name, not a password
    SECRET = "a secret key"  # noqa: S105 - as above
    TOKEN = "a token"  # noqa: S105 - as above
    KEY = "a secret key, if it looks random"


# Words in names, in many languages. A long word also matches the end of a longer one: DBPASSWORD, apikey.
_PASSWORDS = (
    "password passwords passwd passwort passwörter passphrase passcode pwd pass passw pswd psw "
    "kennwort passe mdp motdepasse "
    "contraseña contrasena clave senha parola parolachiave haslo hasło heslo jelszo wachtwoord "
    "salasana losenord lösenord "
    "adgangskode passord sifre şifre 密码 密碼 口令 パスワード 비밀번호 пароль"
)
_SECRETS = (
    "secret secrets apikey geheimnis zugangsschlüssel zugangsschluessel pepper mnemonic seedphrase "
    "credential credentials "
    "secretkey privatekey skey 密钥"
)
_TOKENS = "token jeton 令牌"
_KEYS = "key schlüssel schluessel auth authorization cookie sessionid session sid pat sas"
_KEY_PAIRS = {
    "api",
    "access",
    "private",
    "secret",
    "auth",
    "signing",
    "encryption",
    "account",
    "subscription",
    "license",
}
# If one of these words precedes, in the same name, the value is no secret.
_NOT_AFTER = words_in(
    """
    no max min num n pad bos eos cls sep unk mask start end stop next page continuation cursor sync first last
    special prev previous forgot reset has is use show hide public primary foreign sort partition cache
    idempotency group index join merge object natural row dict hash unique lookup request correlation
    publishable site search count add socket websocket
    """
)
# If one of these words follows, in the same name, the value is no secret.
_NOT_BEFORE = words_in(
    """
    count counts len length type types name names field fields id ids url uri path file files filename env var
    variable column col policy min max size limit index at date expiry expires expiration ttl used usage label
    list tokenizer strength reset required changed change prompt hint error errors msg message help text title
    placeholder input valid validator validation check manager store provider class func function fn method
    format header prefix suffix pattern regex re endpoint dir folder directory map mapping dict set sets version
    versions algorithm alg attr attribute param parameter arg option kind ref reference location source host
    server mode style user username email keyword keywords through attributes sha md digest checksum fingerprint
    sources variant variants
    """
)
_ALONE = frozenset(word for word in (*_PASSWORDS.split(), *_SECRETS.split(), *_TOKENS.split()) if len(word) >= 6)
_MEANING = (
    dict.fromkeys(_PASSWORDS.split(), NameMeaning.PASSWORD)
    | dict.fromkeys(_SECRETS.split(), NameMeaning.SECRET)
    | dict.fromkeys((*_TOKENS.split(), "tokens"), NameMeaning.TOKEN)
    | dict.fromkeys(_KEYS.split(), NameMeaning.KEY)
)
# The texts to search in the lower-case content; each word above contains one of them.
ANCHORS = re.compile(
    "(?:pass|pwd|pswd|psw|kennwort|mdp|mot_de|contrase|clave|senha|parola|has(?:l|ł)|heslo|jelszo|wachtwoord|salasana|losenord|lösenord|adgangsk|"
    "sifre|şifre|密|口令|パスワード|비밀번호|пароль|secret|api|geheimnis|zugangsschl|pepper|mnemonic|seed|credential|"
    "token|jeton|令牌|key|schl|auth|cookie|session|sid|pat_|_pat|sas_|_sas|pin)".encode()
)
_WORDS = re.compile(r"[^\W\d_]+|\d+")
_CAMEL = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def words_of(name: str) -> list[str]:
    """Split a name into lower-case words: ``userPassword_1`` gives user, password, 1."""
    return [part.lower() for word in _WORDS.findall(name) for part in _CAMEL.split(word)]


def meaning(name: str) -> NameMeaning | None:
    """Return the kind of value that a name announces, or None if the name does not announce a secret."""
    words = [word for word in words_of(name) if not word.isdigit()]
    for at in range(len(words) - 1, -1, -1):
        named = _meaning_of(words, at)
        if named is None:
            continue
        if _NOT_BEFORE.intersection(words[at + 1 :]) or (at and words[at - 1] in _NOT_AFTER):
            return None
        if words[at - 2 : at] == ["public", "key"]:  # the public key token of a .NET assembly
            return None
        return named
    return None


def _meaning_of(words: list[str], at: int) -> NameMeaning | None:
    word = words[at]
    if word == "key" and at and words[at - 1] in _KEY_PAIRS:
        return NameMeaning.SECRET
    if word in _MEANING:
        return _MEANING[word]
    if at and words[at - 1] + word in _MEANING:
        return _MEANING[words[at - 1] + word]
    for known in _ALONE:
        if word.endswith(known):
            return _MEANING[known]
    return None


_PLACEHOLDER_WORDS = (
    "your|my|our|the|a|an|here|put|insert|replace|enter|change|changeme|changeit|me|this|it|with|example|sample|dummy|fake|placeholder|todo|fixme|"
    "redacted|masked|hidden|removed|secret|secrets|password|passwd|passwort|pass|pwd|pw|token|tokens|key|keys|api|apikey|access|auth|"
    "client|user|username|name|value|string|str|text|none|null|nil|true|false|undefined|empty|optional|required|bytes|"
    "int|env|test|testing|default|some|any|new|old|valid|invalid|wrong|bad|good|foo|bar|baz|xxx+|x+|goes|of|for|to|from|and|or|is|not|please|"
    "tiger|id|account|service|app|yourpassword|yourtoken|yourapikey|mypassword|mysecret|bearer|basic"
)
_PLACEHOLDER = re.compile(
    rf"(?i)(?:[<\[{{(]*(?:{_PLACEHOLDER_WORDS})(?:[\s_.-]*(?:{_PLACEHOLDER_WORDS}))*[>\]}})]*[.!?…:]*)|"
    r"<[^<>]*>|\[[A-Za-z _-]*\]|\$\{?[A-Za-z_][\w.:-]*\}?|\$\([^)]*\)|\{\{.*\}\}|\{[\w.\[\]'\"!:]*\}|"
    r"%\(\w+\)s?|%[A-Za-z_]\w*%|%[sdr]|@\w+@|"
    r"[:@/]?(?P<one>.)(?P=one)*|(?:[xX]{3,}|[*•.…_-]{3,}|\.\.\.)[\w*.…-]{0,4}|[\w-]{0,12}(?:\.\.\.|…|\*{3,})"
)

# The fields of a format string and their separators: ``%s:%s``, ``{user}/{password}``.
_FIELDS = re.compile(r"(?:(?:%s|%\(\w+\)s|\{[\w.\[\]]*\})[:/@ ,;=-]*)+")
_ESCAPED_END = re.compile(r"(?:\\+[nrt])+$")


def is_placeholder(value: str) -> bool:
    """Whether a whole value only marks the place of a secret: ``<your key>``, ``xxxx``, ``changeme``."""
    value = _ESCAPED_END.sub("", value.strip())
    return bool(_PLACEHOLDER.fullmatch(value) or _FIELDS.fullmatch(value))
