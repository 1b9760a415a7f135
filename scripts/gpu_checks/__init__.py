"""The parts of `check_gpu.py`, one module for each kind of work."""
