"""The admin's pages of consult; importing a module registers them."""

from consult.admin import calls, centres, consultations, prescriptions, quality, room, voices

__all__ = ["calls", "centres", "consultations", "prescriptions", "quality", "room", "voices"]
