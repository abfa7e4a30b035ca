"""`python -m auricle_cli` is `auricle`."""

from auricle_cli.main import main

main()
