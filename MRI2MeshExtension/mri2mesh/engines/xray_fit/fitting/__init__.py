"""Fitting shape models to images by least squares: parameters, image terms, the solver, what stays uncertain."""
