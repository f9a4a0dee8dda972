"""Checks that say how far a reconstruction can be trusted, and the repairs that precede them."""
