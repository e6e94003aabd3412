"""Turn pictures of digits into the frames that the network was trained on.

In: untrusted PNG or JPEG bytes, or pen strokes. Out: uint8 grey levels, 28 × 28, white on
black, or a RequestError that names the reason.

- `files`: bytes to parts: what decoding costs, which parts of the file it needs.
- `decode`: bytes to frame: limits, Pillow, orientation, transparency.
- `frame`: arrays to frame: draw strokes, separate ink from paper, crop, scale and centre.
"""
