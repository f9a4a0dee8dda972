"""The mri2mesh engine on simulated MRI, where whole vertebrae are known: also their arches, facets and processes."""
