"""File formats that no library we use writes with everything that a mesh of ours holds."""
