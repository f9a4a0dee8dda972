"""Exports of finished results: whether other libraries read back what was written, and how good elements are."""
