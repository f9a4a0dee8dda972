"""Clinical measures on reconstructed surfaces, each with its definition, its source and its uncertainty."""
