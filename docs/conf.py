"""How Sphinx builds these pages: ``sphinx-build -W docs docs/_build``."""

from importlib.metadata import version as installed_version

project = 'hiclr_mmaction'
author = 'the hiclr_mmaction contributors'
copyright = f'2026, {author}'
release = version = installed_version('hiclr-mmaction')

extensions = [
    'myst_parser',
    'sphinx.ext.autodoc',
    'sphinx.ext.napoleon',
    'sphinx.ext.viewcode',
]
exclude_patterns = ['_build', 'images/README.md']
myst_enable_extensions = ['colon_fence', 'deflist', 'dollarmath']
myst_heading_anchors = 3  # pages and README link to headings, as on GitHub

autodoc_member_order = 'bysource'
autodoc_typehints = 'none'  # the docstrings give them, with shapes and units
autodoc_preserve_defaults = True
napoleon_custom_sections = [
    ('Required Keys', 'params_style'),
    ('Modified Keys', 'params_style'),
    ('Added Keys', 'params_style'),
]

html_theme = 'furo'
html_title = project
