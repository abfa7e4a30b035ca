"""One file for each command; `auricle_cli.main` loads the one that was called."""
