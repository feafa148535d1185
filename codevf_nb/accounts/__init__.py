"""The account a kernel talks to: settings, API keys, allowed hosts, defaults, working hours."""
