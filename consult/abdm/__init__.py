"""The national gateway (ABDM): verify an ABHA, share records under consent, ask for records.

Designed for ABDM; not certified. Off unless credentials are set. Calls are asynchronous: what we send
is answered with 202 and, later, by a callback; so every message is a row, done by a task that may run
twice, and a sweep goes on where a crash or a slow gateway left off.
"""
