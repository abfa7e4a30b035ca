"""Whisper (Radford et al. 2022): its files, features, tokens, prompts, rules and times."""
