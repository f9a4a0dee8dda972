"""Rows of the panel for what an engine declares: one section for each option, by the option's type."""
