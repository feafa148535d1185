"""What a key, a token or a password looks like: one table of kinds.

Each kind has an anchor, a piece of text that is in every one of its kind. Anchors are found at the speed of memory, and
a pattern is tried only around where its anchor stands, so megabytes of numbers cost next to nothing. High entropy alone
is no sign of a secret here: UUIDs, hashes and base64 are a data scientist's daily bread.

`detect-secrets` was weighed against this: 0.04 MB/s by ``scan_line``, a finding on nearly every line of a table (its
entropy plugins can be turned off only in settings that the whole process shares), no release since May 2024.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Neither may a token begin inside a longer run of letters, nor end in one: base64 holds everything, once it is long.
_BEFORE = rb"(?<![A-Za-z0-9+/_-])"
_AFTER = rb"(?![A-Za-z0-9_+/-])"


@dataclass(frozen=True)
class Kind:
    """One kind of secret: what it is called, the anchors in it, and its pattern. ``reach`` is in bytes around one."""

    name: str
    anchors: tuple[bytes, ...]
    pattern: re.Pattern[bytes]
    reach: int = 40


def _token(name: str, anchors: str, pattern: bytes) -> Kind:
    return Kind(name, tuple(anchors.encode().split()), re.compile(_BEFORE + rb"(?:" + pattern + rb")" + _AFTER))


TOKENS = (
    _token(
        "a CodeVF key", "cvf_live_ cvf_test_", rb"cvf_(?:live_[A-Za-z0-9_-]{4,}|test_(?!sandbox\b)[A-Za-z0-9_-]{6,})"
    ),
    _token("an AWS access key", "AKIA ASIA", rb"(?:AKIA|ASIA)[A-Z0-9]{16}"),
    _token("a GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", rb"gh[pousr]_[A-Za-z0-9]{20,}"),
    _token("a GitHub token", "github_pat_", rb"github_pat_[A-Za-z0-9_]{20,}"),
    _token("a GitLab token", "glpat-", rb"glpat-[A-Za-z0-9_.-]{16,}"),
    _token("a Slack token", "xox xapp-", rb"(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,}"),
    _token("a Slack webhook", "hooks.slack.com/", rb"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]{20,}"),
    _token("a Google API key", "AIza", rb"AIza[A-Za-z0-9_-]{35}"),
    _token("a Google OAuth secret", "GOCSPX- ya29.", rb"(?:GOCSPX-|ya29\.)[A-Za-z0-9_-]{16,}"),
    _token("a Stripe key", "k_live_ k_test_", rb"[sr]k_(?:live|test)_[A-Za-z0-9]{10,}"),
    _token("a Stripe webhook secret", "whsec_", rb"whsec_[A-Za-z0-9+/=]{16,}"),
    _token("an AI service's key", "sk-", rb"sk-(?:ant-|proj-|svcacct-|or-)?(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{20,}"),
    _token("a Hugging Face token", "hf_", rb"hf_[A-Za-z0-9]{30,}"),
    _token("an npm token", "npm_", rb"npm_[A-Za-z0-9]{36}"),
    _token("a PyPI token", "pypi-AgE", rb"pypi-AgE[A-Za-z0-9_-]{30,}"),
    _token("a SendGrid key", "SG.", rb"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    _token("a Databricks token", "dapi", rb"dapi[0-9a-f]{32}(?:-\d)?"),
    _token("a DigitalOcean token", "dop_v1_", rb"dop_v1_[0-9a-f]{40,}"),
    _token("a Shopify token", "shp", rb"shp(?:at|ss|ca|pa)_[0-9a-fA-F]{32}"),
    _token("a Telegram bot token", ":AA", rb"\d{8,10}:AA[A-Za-z0-9_-]{33}"),
    _token("a Mailchimp key", "-us", rb"[0-9a-f]{32}-us\d{1,2}"),
    _token("a JSON web token", "eyJ", rb"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    _token("an age key", "AGE-SECRET-KEY-1", rb"AGE-SECRET-KEY-1[A-Z0-9]{40,}"),
    Kind(
        "a private key",
        (b"PRIVATE KEY", b"PuTTY-User-Key-File"),
        re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-\d"),
    ),
    Kind(
        "a URL with a password",
        (b"://",),
        re.compile(
            rb"[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:/@\"'<>]{0,80}:(?P<value>[^\s:/@\"'<>]{3,200})@[A-Za-z0-9\[]"
        ),
        reach=320,
    ),
    Kind(
        "an authorization header",
        (b"uthorization", b"UTHORIZATION"),
        re.compile(
            rb"(?i:authorization)[\\\"']{0,2}\s*[:=,]\s*[fbr]?[\\\"']{0,2}(?i:bearer|basic|token)\s+(?P<value>[A-Za-z0-9._~+/=-]{12,})"
        ),
        reach=320,
    ),
    Kind(
        "an Azure storage key",
        (b"AccountKey=", b"SharedAccessKey="),
        re.compile(rb"(?:Account|SharedAccess)Key=[A-Za-z0-9+/]{30,}={0,2}"),
        reach=120,
    ),
)

# Words that name what is given to them as a secret. Anchors are their lower-case spellings.
_WORDS = (
    rb"passw(?:or)?d|passwort|kennwort|passphrase|pwd|secret(?:[_-]?(?:access)?[_-]?key)?|api[_-]?key|apikey|"
    rb"auth[_-]?token|access[_-]?token|refresh[_-]?token|bearer[_-]?token|private[_-]?key|client[_-]?secret|token"
)
ANCHORS = (b"passw", b"kennwort", b"passphrase", b"pwd", b"secret", b"api", b"token", b"private_key", b"private-key")
# A quoted value may be anything; an unquoted one ends at the first blank or delimiter.
ASSIGNMENT = re.compile(
    rb"(?P<name>[A-Za-z0-9_.-]{0,40}?(?i:" + _WORDS + rb")[A-Za-z0-9_]{0,12})"
    rb"(?:[\\\"']{0,3}\]?\s{0,8}(?::\s{0,4}str\s{0,4})?(?:=>?|:=?)\s{0,8}|[\\\"']{1,3}\s{0,4},\s{0,4}(?=[\\\"'fbr]))"
    rb"(?:[fbrFBR]{0,2}(?P<quote>\\?[\"'])(?P<quoted>[^\"'\\\r\n]{4,300})\\?[\"']?|(?P<bare>[^\s\"'`,;&<>(){}\[\]\\]{6,300}))"
)
# What follows the word in names that hold no secret: password_hash is one, password_length isn't.
_HARMLESS_NAME = re.compile(
    rb"(?i)(?:count|len(?:gth)?|type|name|field|id|ids|url|uri|path|file|env|var|column|col|policy|min|max|size|limit|"
    rb"index|at|date|expiry|expires|ttl|used|usage|label|list|ize|izer|s)$"
)
_PLACEHOLDER = re.compile(
    rb"(?i)^[<\[{$%].*|.*(?:your|example|placeholder|change[_-]?me|dummy|redacted|masked|insert|replace|todo|xxx|\*\*\*|\.\.\.|\xe2\x80\xa6).*|"
    rb"^(.)\1*$|^(?:none|null|nil|true|false|undefined|string|str|secret|password|passwd|token|api[_-]?key|env|test|"
    rb"hidden|empty|optional\S*|required|bytes|int)$"
)
_CODE = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)+|\$.*|%.*|@.*")
_IDENTIFIER = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")


def is_given(found: re.Match[bytes]) -> bool:
    """Whether an assignment that was found gives a secret as it stands, and not a name, a call or a placeholder."""
    name, quoted, bare = found["name"], found["quoted"], found["bare"]
    value = quoted if quoted is not None else bare
    if _HARMLESS_NAME.search(name) or _PLACEHOLDER.match(value.strip()):
        return False
    if quoted is not None:
        return _is_quoted_secret(name, quoted)
    if _CODE.fullmatch(bare) or not re.search(rb"[A-Za-z]", bare):
        return False
    if _IDENTIFIER.fullmatch(bare):  # a variable, unless this is a line of an environment file or the value has digits
        in_env_file = name.isupper() and b" " not in found[0]
        return in_env_file or (bool(re.search(rb"\d{2}|\d[a-z]|[a-z]\d[a-z]", bare)) and not _names_itself(bare))
    return not _names_itself(bare) or bool(re.search(rb"\d", bare))


def _is_quoted_secret(name: bytes, value: bytes) -> bool:
    """Prose in quotes and a single plain word after ``token`` (as in tables of language) are no secrets."""
    if value.count(b" ") > 3 or re.fullmatch(rb"\{.*\}|%\(.*", value):
        return False
    if re.search(rb"(?i)(?:passw|pwd|kennwort|passphrase)", name):
        return True
    if not re.search(rb"\d", value):
        return len(value) >= 20 and b" " not in value
    return len(value) >= 8 and b" " not in value


def _names_itself(value: bytes) -> bool:
    return bool(re.search(rb"(?i)passw|pwd|secret|token|key", value))


# What a table's column is called when each of its cells is a secret; "token" is also a word of a text.
SECRET_COLUMN = re.compile(
    r"(?:^|[_\W])(?:password|passwd|passwort|kennwort|pwd|passphrase|api_?key|secret_?key|client_?secret|private_?key|"
    r"(?:access|auth|refresh|bearer|session|api)_?token|secret|token)$",
    re.IGNORECASE,
)
_WEAK_COLUMN = re.compile(r"(?:^|[_\W])(?:secret|token)$", re.IGNORECASE)
_UNREADABLE = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[\w+/=.~-]{16,}")
_HASH = re.compile(r"(?i)[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}|[0-9a-f]{40}|[0-9a-f]{64}|masked-[0-9a-f]{12}")


def is_secret_cell(column: str, value: str) -> bool:
    """Whether a cell of a column that is named like a secret holds one."""
    if _HASH.fullmatch(value) or _PLACEHOLDER.match(value.strip().encode(errors="replace")) or not value.strip():
        return False
    if _WEAK_COLUMN.search(column):
        return bool(_UNREADABLE.fullmatch(value))
    return len(value) >= 4 and value.casefold() not in {"yes", "no", "set", "unset"}
