"""The recipe behind the bundled model. Imports the rest; nothing imports it.

`trainer.train` is the way in.
"""
