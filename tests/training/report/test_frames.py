import numpy as np

from service.pictures.decode import decode
from service.pictures.frame import draw, frame
from training.report import frames


def glyph():
    stroke = [[0.3, 0.2], [0.7, 0.2], [0.45, 0.85]]
    return frame(draw([stroke]))


def test_a_digit_in_its_frame_comes_back_as_it_was_and_a_shifted_one_too():
    digit = glyph()
    shifted = np.roll(digit, (-2, 2), axis=(0, 1))
    framed = frames.through_service(np.stack([digit, shifted]))
    assert not framed.refused.any()
    assert np.abs(framed.frames.astype(int) - digit.reshape(-1)).max() <= 1


def test_what_the_service_refuses_is_said_and_is_blank():
    framed = frames.through_service([np.zeros((28, 28), np.uint8), glyph()])
    assert framed.refused.tolist() == [True, False]
    assert not framed.frames[0].any()


def test_a_larger_picture_of_the_same_digit_gives_nearly_the_same_frame():
    stroke = [[0.3, 0.2], [0.7, 0.2], [0.45, 0.85]]
    small, large = (
        np.rint(255 * draw([stroke], side)).astype(np.uint8) for side in (112, 336)
    )
    framed = frames.through_service([small, large])
    assert not framed.refused.any()
    assert np.abs(np.subtract(*framed.frames.astype(float))).mean() < 2


def test_the_way_is_the_services_own(noise):
    pixels = noise[:3].reshape(-1, 28, 28)
    framed = frames.through_service(pixels)
    for image, found, refused in zip(pixels, framed.frames, framed.refused):
        if not refused:
            expected = decode(frames._png(image), 784)
            assert np.array_equal(found, expected)
