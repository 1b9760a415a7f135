"""One function per job: settings in, results out, progress by callback.

No job prints, reads flags or ends the process; ``pipeline.cli`` and Python users do.
"""
