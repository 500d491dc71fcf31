"""The runner's parts: run.py is where to begin."""
