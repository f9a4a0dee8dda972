"""Templates deformed onto the image, vertebra by vertebra: crops in, surfaces with uncertainty out."""
