"""A picture file, or its bytes, to BGR pixels, or one sentence why not.

    image = read_image(Path("ada.jpg"))      # uint8 (H, W, 3) BGR, turned as its EXIF orientation says

The header is read before a decoder sees the file, so a bomb costs nothing (`header`); what a decoder writes to standard
error while it reads is caught (`decoder_warnings`).
"""

from edge.pictures.decode import ENDINGS, decode_image, in_order, is_picture, pictures_in, read_image

__all__ = ["ENDINGS", "decode_image", "in_order", "is_picture", "pictures_in", "read_image"]
