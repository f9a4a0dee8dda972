"""Whole folders of images: which belong together, one after the other or several at once, and a table of all."""
