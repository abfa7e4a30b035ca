"""The one command `auricle`: thin commands over the other rooms, which they import late."""
