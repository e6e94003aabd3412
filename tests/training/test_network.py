import pytest

from training import network


def test_network_is_the_lessons():
    layers = network.build().layers
    assert [(layer.units, layer.activation.__name__) for layer in layers] == [
        (128, "relu"),
        (64, "relu"),
        (10, "softmax"),
    ]


def test_network_has_109386_parameters():
    assert network.build().count_params() == 109_386


@pytest.mark.parametrize("hidden", [(), (5,), (32, 16, 8)])
def test_network_takes_other_widths(hidden):
    built = network.build(hidden)
    assert built.input_shape == (None, 784)
    assert [layer.units for layer in built.layers] == [*hidden, 10]
