"""Pixels to paper: how large a picture prints, what a paper needs, and which multiplier gets there.

Pure arithmetic, below everything that knows about tasks. Every number that cannot be used raises ValueError with a
sentence for the person who typed it. Widths come before heights, and pixels are whole. The DPI tag of a file plays no
part, since it adds no detail.

numbers   what people type, checked           fitting  what covers what, and what is cut away
sizes     inches, centimetres, millimetres    plans    1x to 16x of a picture on a paper
papers    the sheets by name                  screens  the same for displays
ratios    shapes that sellers deliver         own_papers  the list of one's own
grades    DPI as words and distances          panels   a large print cut into sheets
drawing   a plan as a picture                 inputs   reads what people type
shop/     files for the print shop
"""

from journey.printing.fitting import (
    TOLERANCE_PX,
    Box,
    Fit,
    Orientation,
    crop_box,
    effective_dpi,
    pixels_needed,
    turn,
)
from journey.printing.grades import (
    GRADES,
    Grade,
    distance_text,
    dpi_for_distance,
    grade_of,
    sharp_from_cm,
    usual_distance_cm,
)
from journey.printing.panels import Cut, Panel, Panels, cut_into_panels
from journey.printing.papers import FAMILIES, PAPER_LIMITS, PAPERS, FileFormat, Paper, Product, custom_paper
from journey.printing.plans import FURTHER, MULTIPLIERS, STEPS, Multiplier, Option, Plan, papers_for, plan
from journey.printing.ratios import RATIOS, Ratio, cut_away, largest
from journey.printing.screens import SCREENS, Screen, ScreenPlan, screen_plan
from journey.printing.sizes import MM_PER_INCH, PER_INCH, PrintSize, Unit, print_size

__all__ = [
    "FAMILIES",
    "FURTHER",
    "GRADES",
    "MM_PER_INCH",
    "MULTIPLIERS",
    "PAPERS",
    "PAPER_LIMITS",
    "PER_INCH",
    "RATIOS",
    "SCREENS",
    "STEPS",
    "TOLERANCE_PX",
    "Box",
    "Cut",
    "FileFormat",
    "Fit",
    "Grade",
    "Multiplier",
    "Option",
    "Orientation",
    "Panel",
    "Panels",
    "Paper",
    "Plan",
    "PrintSize",
    "Product",
    "Ratio",
    "Screen",
    "ScreenPlan",
    "Unit",
    "crop_box",
    "custom_paper",
    "cut_away",
    "cut_into_panels",
    "distance_text",
    "dpi_for_distance",
    "effective_dpi",
    "grade_of",
    "largest",
    "papers_for",
    "pixels_needed",
    "plan",
    "print_size",
    "screen_plan",
    "sharp_from_cm",
    "turn",
    "usual_distance_cm",
]
