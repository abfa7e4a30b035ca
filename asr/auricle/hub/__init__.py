"""Models on the Hugging Face Hub: their names, the cache, and downloads."""
