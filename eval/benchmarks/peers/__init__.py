"""Other services over the same passages: programs that run in environments of their own, never in ours.

Each takes ``index MODEL PASSAGES FOLDER`` and ``serve MODEL FOLDER PORT``. ``MODEL`` is the folder of the model,
``PASSAGES`` JSON Lines with ``id`` and ``text``, ``FOLDER`` where the index lies.
"""
