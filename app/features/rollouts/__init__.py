"""A new version of a template brought to the plans that follow an older one, in stages, and back."""
