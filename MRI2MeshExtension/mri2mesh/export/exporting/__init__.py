"""``mri2mesh export``: what is wanted, where it comes from, and the files with their sidecars."""
