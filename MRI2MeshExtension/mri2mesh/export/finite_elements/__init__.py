"""Surfaces made ready for finite elements, and tetrahedra inside them."""
