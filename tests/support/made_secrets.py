"""Secrets that open nothing, for the checks before sending."""

# One of each kind, in pieces: so this file holds none that others' scanners would find.
SECRETS = {
    "a CodeVF key": "cvf_" + "live_8f3kd92kd0aQ",
    "an AWS access key": "AKIA" + "IOSFODNN7QXAMPLZ",
    "a GitHub token": "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
    "a GitLab token": "glpat-" + "x8Kd92kdlaPQ01mzLL4t",
    "a Slack token": "xoxb-" + "123456789012-abcdefGHIJKL",
    "a Google API key": "AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q",
    "a Stripe key": "sk_" + "live_4eC39HqLyjWDarjtT1zdp7dc",
    "an AI service's key": "sk-" + "proj-a1B2c3D4e5F6g7H8i9J0k1L2",
    "a Hugging Face token": "hf_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZ01234567",
    "a JSON web token": "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N",
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "a URL with a password": "postgresql://anna:" + "k9Qz7wLp@db.corp.de/sales",
    "an Azure storage key": "AccountKey=" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0==",
    "an authorization header": "Authorization: Bearer " + "a1B2c3D4e5F6g7H8i9J0",
    "a password": "password = '" + "k9Qz7wLp'",
    "a token": "access_token=" + "a1B2c3D4e5F6g7H8",
    "a secret key": "api_key: '" + "a1B2c3D4e5F6g7H8'",
}
