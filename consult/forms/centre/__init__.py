"""The shape of what health workers type."""
