"""Turn pictures of digits into the frames that the network was trained on.

In: untrusted bytes of a PNG, JPEG, WebP or GIF, or pen strokes. Out: uint8 grey levels,
28 × 28, white on black, or a RequestError that names the reason.

From bytes to grey levels:

- `kinds`: what a file is by its first bytes, and what is said of those that are not read.
- `files`: its parts: what decoding costs, which of them it needs.
- `strips`: decode a large PNG a strip at a time.
- `grey`: the grey levels of a decoded picture, in the channel that separates, and with dots
  averaged.
- `decode`: bytes to frame: limits, Pillow, orientation, and all of the steps here.

From grey levels to the digit:

- `ink`: separate ink from paper, and the digit from all else.
- `reading`: choose among the ways to see a picture the one with a whole digit.
- `paper`: which grey levels the paper has, and how bright it is where.
- `digit`: the parts of the ink, and their roles: digit, frame, line, cut, speck.
- `shapes`: grow, shrink, close, and take connected parts apart.
- `frame`: draw strokes; crop, scale and centre ink as in the training set.

`steps` writes a picture of each: ``python -m service frame FILE --steps``.
"""
