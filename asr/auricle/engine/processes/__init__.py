"""Engines in processes of their own: the worker, its owner, a pool of them, and what they say."""
