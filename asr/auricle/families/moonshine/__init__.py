"""Moonshine (Jeffries et al. 2024): its files and its decoding."""
