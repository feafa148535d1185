"""What the check for secrets and personal data finds, and what it lets pass."""
