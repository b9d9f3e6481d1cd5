"""Makes the file that a print shop takes from a picture and a plan.

Sources are local files that were checked on their way in. *Keep pixels* (`retag`) writes the DPI and
changes no pixel; *exact size* (`exact_size`, `print_set`, `proof`) crops and resamples to the paper; *panels*
(`panels`) cuts that into sheets. Both work on a band of rows at a time, so that memory hardly grows with the picture
or the print. Meanwhile the decoded pixels are in a hidden file in the folder, 1.2 GB for 400 megapixels of colour, and
for panels those of the print as well.

Everything here takes seconds and belongs in a worker process: `start` hands any of these functions to an
executor and returns a `PrintJob` to poll and to stop.

Numbers that cannot be used raise ValueError, sources that cannot be read PictureRefused, and stopped work
Stopped, each with a sentence for people. A full disk is an OSError. Nothing half-written stays behind.
"""

from journey.printing.papers import FileFormat
from journey.printing.shop.background import PrintJob, start
from journey.printing.shop.making import SET_LIMIT, exact_size, print_set, proof, ratio_specs, retag
from journey.printing.shop.sheet import JPEG_QUALITY
from journey.printing.shop.specs import (
    FORMATS,
    MAX_PIXELS,
    PROOF_PAPER,
    SERVICE_LIMITS,
    Format,
    PrintFile,
    PrintSet,
    PrintSpec,
    file_name,
    product_warnings,
    service_warnings,
)
from journey.printing.shop.tiling import panels
from journey.printing.shop.weighing import LEAST_QUALITY, Told, told_sizes

__all__ = [
    "FORMATS",
    "JPEG_QUALITY",
    "LEAST_QUALITY",
    "MAX_PIXELS",
    "PROOF_PAPER",
    "SERVICE_LIMITS",
    "SET_LIMIT",
    "FileFormat",
    "Format",
    "PrintFile",
    "PrintJob",
    "PrintSet",
    "PrintSpec",
    "Told",
    "exact_size",
    "file_name",
    "panels",
    "print_set",
    "product_warnings",
    "proof",
    "ratio_specs",
    "retag",
    "service_warnings",
    "start",
    "told_sizes",
]
