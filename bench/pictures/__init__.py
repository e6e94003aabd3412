"""Pictures of digits as people take them, and how many of them the service reads.

    hand          the ink of a digit
    scene         paper, light and a camera
    conditions    the table of what people send
    screen        drawings, screenshots, scans, odd files
    photo         photographs

``python -m bench pictures`` makes them, reads them with the service's own decoder and the
model that is served, and writes the table.
"""
