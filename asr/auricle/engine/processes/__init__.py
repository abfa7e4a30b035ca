"""Engines in processes of their own: the worker, its owner, a pool of them, their messages."""
