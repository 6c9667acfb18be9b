"""The demonstration: invented people at true places, written by `manage.py demo` where DEMO is set."""
