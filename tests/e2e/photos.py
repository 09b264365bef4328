"""Photographs that a worker must refuse or cope with, made from the samples."""

import io
import struct

from PIL import Image

from jobs import photo


def encoded(image, kind="JPEG", **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def plain(width, height, kind="JPEG"):
    """One colour, so certainly no face."""
    return encoded(Image.new("RGB", (width, height), (90, 120, 150)), kind)


def side_by_side(*names):
    """Several samples in one picture."""
    pictures = [Image.open(io.BytesIO(photo(name))) for name in names]
    whole = Image.new("RGB", (sum(p.width for p in pictures), max(p.height for p in pictures)))
    x = 0
    for picture in pictures:
        whole.paste(picture, (x, 0))
        x += picture.width
    return encoded(whole, quality=92)


def as_png(name):
    return encoded(Image.open(io.BytesIO(photo(name))), "PNG")


def upside_down(name):
    """Turned by 180°, with the EXIF orientation that says so."""
    picture = Image.open(io.BytesIO(photo(name))).transpose(Image.ROTATE_180)
    exif = Image.Exif()
    exif[0x0112] = 3
    return encoded(picture, exif=exif, quality=92)


def with_jpeg_size(data, width, height):
    """The same JPEG with another size in its frame header."""
    at = 2
    while data[at + 1] not in (0xC0, 0xC1, 0xC2):
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]
