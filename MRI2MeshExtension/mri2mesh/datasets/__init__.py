"""Paired data (images with the surfaces they show) in the layouts in which they are published, read and written."""
