"""PDF: one page, its boxes set for the trim."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from PIL import Image

from journey.printing import MM_PER_INCH
from journey.printing.shop.sheet import Sheet, deflated

POINTS_PER_INCH = 72
"""PDF measures in points."""


def write_pdf(file: BinaryIO, bands: Iterator[Image.Image], sheet: Sheet) -> None:
    """One page with one lossless picture from edge to edge, its boxes set for the trim."""
    # Loaded here, because most programs that import this module never write a PDF.
    from pypdf import PdfWriter
    from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NumberObject, RectangleObject, StreamObject

    colours = NumberObject(len(sheet.mode))
    writer = PdfWriter()
    profile = StreamObject()
    profile.set_data(sheet.icc)
    profile.update({NameObject("/N"): colours})
    picture = StreamObject()
    picture.set_data(b"".join(deflated(bands)))
    picture.update(
        {
            NameObject("/Type"): NameObject("/XObject"),
            NameObject("/Subtype"): NameObject("/Image"),
            NameObject("/Width"): NumberObject(sheet.size[0]),
            NameObject("/Height"): NumberObject(sheet.size[1]),
            NameObject("/BitsPerComponent"): NumberObject(8),
            NameObject("/ColorSpace"): ArrayObject([NameObject("/ICCBased"), writer._add_object(profile)]),
            NameObject("/Filter"): NameObject("/FlateDecode"),
            NameObject("/DecodeParms"): DictionaryObject(
                {
                    NameObject("/Predictor"): NumberObject(15),
                    NameObject("/Colors"): colours,
                    NameObject("/BitsPerComponent"): NumberObject(8),
                    NameObject("/Columns"): NumberObject(sheet.size[0]),
                }
            ),
        }
    )
    trim = sheet.trim
    assert trim is not None  # noqa: S101 - for the type checker: a PDF always has a paper
    bleed = sheet.bleed_mm / MM_PER_INCH * POINTS_PER_INCH
    across, down = (side * POINTS_PER_INCH + 2 * bleed for side in (trim.size.width_in, trim.size.height_in))
    drawing = StreamObject()
    drawing.set_data(f"{across:.4f} 0 0 {down:.4f} 0 0 cm /Picture Do".encode())
    page = writer.add_blank_page(across, down)
    page.bleedbox = RectangleObject((0, 0, across, down))
    page.trimbox = RectangleObject((bleed, bleed, across - bleed, down - bleed))
    page[NameObject("/Contents")] = writer._add_object(drawing)
    page[NameObject("/Resources")] = DictionaryObject(
        {NameObject("/XObject"): DictionaryObject({NameObject("/Picture"): writer._add_object(picture)})}
    )
    writer.write(file)
