"""Which words of consent are in force. They stand in templates/consult/_consent.html."""

CONSENT_VERSION = "2026-11-23"
