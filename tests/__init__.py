"""Tests of fl0p, one folder a layer; `support` holds what they share."""
