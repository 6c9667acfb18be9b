"""The open pages of a consultation, a health centre and a doctor's desk: what their sockets tell them.

A `..._page.py` is a consumer (consult/consumers.py), made for one kind of page. What each page should
know is read by its `...tips.py`, for all pages of a process in one statement (tips.py). What a page says
itself comes by signalling.py: to the others of a call (seat.py), and into the talk (talk.py).
"""
