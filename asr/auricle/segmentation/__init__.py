"""Where speech is: voice activity, endpoints, pieces of long audio, and how answers are joined."""
