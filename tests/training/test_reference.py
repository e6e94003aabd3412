import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.support.lazy import lazy
from training import data, evaluate, reference

network = lazy("training.network")

floats = st.floats(-1e6, 1e6)
vectors = arrays.arrays(np.float64, st.integers(1, 20), elements=floats)


def test_neuron_of_the_lesson():
    assert round(reference.neuron([0.5, 0.3, 0.2], [0.4, 0.6, 0.8], 0.1), 4) == 0.6548


@given(st.floats(-30, 30))
def test_sigmoid_is_the_formula(z):
    assert reference.sigmoid(z) == pytest.approx(1 / (1 + math.exp(-z)), rel=1e-12)


def test_sigmoid_does_not_overflow():
    assert reference.sigmoid([-1e9, 0, 1e9]).tolist() == [0, 0.5, 1]


@given(vectors)
def test_relu_keeps_what_is_positive(z):
    assert reference.relu(z).tolist() == [value if value > 0 else 0 for value in z]


@given(vectors)
def test_softmax_is_a_distribution_in_the_order_of_its_input(z):
    probabilities = reference.softmax(z)
    assert probabilities.sum() == pytest.approx(1)
    assert (probabilities >= 0).all()
    assert probabilities[z.argmax()] == probabilities.max()


@given(vectors, floats)
def test_softmax_is_blind_to_a_shift(z, shift):
    shifted = reference.softmax(z + shift)
    assert shifted == pytest.approx(reference.softmax(z), abs=1e-9)


def test_softmax_is_the_formula():
    e = [math.exp(z) for z in (1, 2, 3)]
    assert reference.softmax([1, 2, 3]) == pytest.approx([v / sum(e) for v in e])


def test_read_layers_finds_the_lessons_network(version_1):
    layers = reference.read_layers(version_1 / "model.onnx")
    shapes = [(layer.weights.shape, layer.biases.shape) for layer in layers]
    assert shapes == [((784, 128), (128,)), ((128, 64), (64,)), ((64, 10), (10,))]


def test_numpy_keras_and_onnx_runtime_agree_on_the_test_set(mnist, version_1):
    layers = reference.read_layers(version_1 / "model.onnx")
    keras_network = network.build()
    keras_network.set_weights([tensor for layer in layers for tensor in layer])
    images = data.scale(mnist.x_test)
    by_numpy = reference.forward(layers, images)
    by_keras = keras_network.predict(images, batch_size=1000, verbose=0)
    by_onnx = evaluate.probabilities((version_1 / "model.onnx").read_bytes(), mnist.x_test)
    for found in (by_keras, by_onnx):
        assert np.array_equal(found.argmax(axis=1), by_numpy.argmax(axis=1))
        assert np.abs(found - by_numpy).max() <= 1e-5
