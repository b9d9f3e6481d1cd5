"""How Sphinx builds these documents: `make docs`. Nothing in the result is loaded from elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

project = "Journey Print Studio"
language = "en"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["pictures"]
default_role = "code"

# Docstrings name types in their own words, and signatures stay short enough to be read.
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
maximum_signature_line_length = 88

html_theme = "furo"
html_title = project
html_static_path = ["static"]
html_css_files = ["studio.css"]
html_show_sphinx = False
html_show_copyright = False
html_show_sourcelink = False
html_copy_source = False
html_last_updated_fmt = None
# The colours of the studio's own pages, as in .streamlit/config.toml.
html_theme_options = {
    "navigation_with_keys": True,
    "footer_icons": [],
    "light_css_variables": {
        "color-brand-primary": "#0b5f73",
        "color-brand-content": "#0b5f73",
        "color-brand-visited": "#0b5f73",
        "color-background-primary": "#fdfcf9",
        "color-background-secondary": "#f1eee7",
        "color-foreground-primary": "#101719",
        "color-sidebar-caption-text": "#565b60",
    },
    "dark_css_variables": {
        "color-brand-primary": "#76cfd9",
        "color-brand-content": "#76cfd9",
        "color-brand-visited": "#76cfd9",
        "color-background-primary": "#11171a",
        "color-background-secondary": "#1b2428",
        "color-foreground-primary": "#e8e6df",
        "color-sidebar-caption-text": "#a3a9ae",
    },
}
