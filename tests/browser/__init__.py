"""Scenes in real browsers. A package, for what is started once for all of them (conftest.py)."""
