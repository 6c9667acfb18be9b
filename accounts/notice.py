"""Which privacy notice is in force. Its words stand in templates/accounts/privacy.html."""

NOTICE_VERSION = "2026-11-24"
