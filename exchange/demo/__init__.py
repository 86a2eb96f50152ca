"""A province to look at: agencies, keys and letters made by rule."""
