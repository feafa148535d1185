"""The limits of the API and of this client.

Sources: [D] CodeVF's documentation, [P] published elsewhere, unverified, [A] an assumption of this client.
"""

BASE_URL = "https://codevf.com/api/v1/"  # [D]

PROMPT_LENGTH = (10, 10_000)  # [D] characters; [A] counted as in Python
CREDITS = (60, 115_200)  # [D]
MAX_ATTACHMENTS = 5  # [D]
MAX_ATTACHMENT_BYTES = 50 * 1024 * 1024  # [D] 50 MB; [A] binary megabytes, so that no allowed size is refused
MAX_BODY_BYTES = 100 * 1024 * 1024  # [A] not documented; enough for one attachment of 50 MB in base64
MAX_FILE_NAME = 255  # [A] characters

MAX_ANSWER_BYTES = 64 * 1024 * 1024  # [A] the rest of a larger response is not read
MAX_DOWNLOAD_BYTES = 256 * 1024 * 1024  # [A]
DOWNLOAD_SECONDS = 600.0  # [A]

TIMEOUT = 60.0  # seconds for one call with all its attempts and waits
MAX_RETRIES = 3
MAX_REDIRECTS = 3
CONNECT_SECONDS = 10.0  # for one address of the service
BACKOFF_BASE = 1.0  # seconds: the service takes one request per second [D]
BACKOFF_CAP = 16.0
HINT_CAP = 300.0  # [A] seconds; a longer Retry-After is shortened to this
