import numpy as np

from service import images, pictures
from training.report import frames


def glyph():
    stroke = [[0.3, 0.2], [0.7, 0.2], [0.45, 0.85]]
    return images.frame(images.draw([stroke])).reshape(-1)


def test_a_digit_in_its_frame_comes_back_as_it_was_and_a_shifted_one_too():
    digit = glyph()
    shifted = np.roll(digit.reshape(28, 28), (-2, 2), axis=(0, 1)).reshape(-1)
    framed = frames.through_service(np.stack([digit, shifted]))
    assert not framed.refused.any()
    assert np.abs(framed.frames.astype(int) - digit).max() <= 1


def test_what_the_service_refuses_is_said_and_is_blank():
    framed = frames.through_service(np.stack([np.zeros(784, np.uint8), glyph()]))
    assert framed.refused.tolist() == [True, False]
    assert not framed.frames[0].any()


def test_the_way_is_the_services_own(noise):
    framed = frames.through_service(noise[:3])
    for image, frame, refused in zip(noise, *framed):
        if not refused:
            expected = pictures.decode(frames._png(image), 784)
            assert np.array_equal(frame, expected)
