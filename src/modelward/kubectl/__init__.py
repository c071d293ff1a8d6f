"""`kubectl modelward`: what people ask of endpoints from a shell, with their own kubectl and nothing but Python.

Standard library alone: `modelward plugin` packs this package into one file that runs wherever Python 3.11 does.
"""
