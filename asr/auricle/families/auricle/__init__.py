"""Auricle's own small models: SentencePiece tokens, log-mel features, a CTC head."""
