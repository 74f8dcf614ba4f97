"""SSH servers and clients of several makes, and how to work them."""
