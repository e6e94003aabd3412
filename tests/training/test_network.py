from tests.support.lazy import lazy

network = lazy("training.network")


def test_network_is_the_lessons():
    layers = network.build().layers
    assert [(layer.units, layer.activation.__name__) for layer in layers] == [
        (128, "relu"),
        (64, "relu"),
        (10, "softmax"),
    ]


def test_network_takes_784_pixels_and_has_109386_parameters():
    built = network.build()
    assert built.input_shape == (None, 784)
    assert built.count_params() == 109_386
