"""Values of given shapes, made while a test runs: no file holds one that other people's scanners would find."""

import base64
import random
import re
import string

LETTERS = string.ascii_letters + string.digits
ALPHABETS = {
    "L": LETTERS,
    "A": string.ascii_letters,
    "U": LETTERS + "-_",
    "H": string.digits + "abcdef",
    "C": string.ascii_uppercase + string.digits,
    "l": string.ascii_lowercase + string.digits,
    "D": string.digits,
    "Q": string.ascii_uppercase + "234567",
}


def some(count: int, rng: random.Random, chars: str = LETTERS) -> str:
    return "".join(rng.choices(chars, k=count))


def shape(text: str, seed: int = 11) -> str:
    """Fill a shape: ``gsk_<L52>`` is the prefix and 52 letters or digits; <UUID>, and <B30>: base64 of 30 bytes."""
    rng = random.Random(f"{text}{seed}")

    def filled(found: re.Match[str]) -> str:
        what, count = found[1], int(found[2] or 0)
        if what == "UUID":
            return "-".join(some(n, rng, ALPHABETS["H"]) for n in (8, 4, 4, 4, 12))
        if what == "B":
            return base64.b64encode(rng.randbytes(count)).decode()
        return some(count, rng, ALPHABETS[what])

    return re.sub(r"<(UUID|[A-Za-z])(\d*)>", filled, text).replace("<>", "")


def values(seed: int = 11) -> dict[str, str]:
    """The values that a line of ``spellings.txt`` may ask for."""
    rng = random.Random(seed)

    def mixed(count: int, chars: str = LETTERS) -> str:
        return some(count - 2, rng, chars) + rng.choice(string.digits) + rng.choice("abcdef")

    return {
        "P": "Tr" + mixed(5) + "!" + str(rng.randint(10, 99)),
        "V": mixed(32),
        "H": mixed(32, ALPHABETS["H"]),
        "G": mixed(40, ALPHABETS["H"]),
        "K": base64.b64encode(rng.randbytes(30)).decode(),
        "D": "4815" + "1623",
        "W": "correct" + "horse",
    }


def spelled(line: str, seed: int = 11) -> str:
    """A line of a list with its values in it."""
    for key, value in values(seed).items():
        line = line.replace("{" + key + "}", value)
    return line.replace(r"\n", "\n")
