"""The panel, one small file per section, in the order a person works."""
