"""Payload searched by pattern or by distance: what the command flowgrep is made of."""
