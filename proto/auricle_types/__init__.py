"""The nouns that client, server, command and recogniser share; standard library only."""
