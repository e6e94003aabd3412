"""MLServer: a custom runtime, for V2 tensors of numbers and of base64."""

import numpy as np
from mlserver import MLModel
from mlserver.codecs import Base64Codec, NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse

from bench.peers.model import Model


class Digits(MLModel):
    """The model behind the Open Inference Protocol."""

    async def load(self) -> bool:
        """Load the model when the server starts."""
        self._model = Model()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Decode by the input's content type, run the model, encode."""
        (tensor,) = payload.inputs
        if tensor.datatype == "BYTES":
            pixels = b"".join(Base64Codec.decode_input(tensor))
            probabilities = self._model.predict_bytes(pixels)
        else:
            probabilities = self._model.predict(self.decode(tensor, NumpyCodec))
        output = NumpyCodec.encode_output("probabilities", np.asarray(probabilities))
        return InferenceResponse(model_name=self.name, outputs=[output])
