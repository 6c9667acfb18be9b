"""The admin's pages of accounts; importing a module registers them."""

from accounts.admin import audit, devices, doctors, keys, messages, patients, people, places

__all__ = ["audit", "devices", "doctors", "keys", "messages", "patients", "people", "places"]
