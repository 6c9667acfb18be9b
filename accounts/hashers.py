"""How passwords are hashed. Only staff have one, and it never opens anything without the second factor."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class LeanArgon2(Argon2PasswordHasher):
    """Argon2id with the parameters of OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane.

    Django's own take 100 MiB and ten times the CPU: when a state's doctors sign in at nine o'clock, a small
    machine has neither. A hash made with other parameters is made anew at its next sign-in.
    """

    time_cost = 2  # passes
    memory_cost = 19 * 1024  # KiB
    parallelism = 1  # lanes
