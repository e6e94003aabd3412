"""Load the model's versions and predict with ONNX Runtime.

In: the model's folder from the settings, then float32 images ``[n, 784]``. Out: float32
probabilities ``[n, 10]``.

- `snapshot`: read the files of all versions, and the API keys, once.
- `repository`: load the usable versions and find one by name and number.
- `version`: check one version and predict.
- `layers`: read its dense layers and compute the output of each, for ``/explain``.
- `digits`: the project's own digits, used by the self-check and the load test.
"""
