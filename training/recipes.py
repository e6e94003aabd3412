"""Every number of the two recipes. Importing this does not import TensorFlow."""

from dataclasses import astuple, dataclass


@dataclass(frozen=True)
class Lesson:
    """The lesson's recipe.

    Adam's rate is Keras's default, 0.001 (Kingma and Ba, 2014), as the lesson compiles
    with ``optimizer="adam"``.

    Attributes:
        name: of the recipe.
        epochs: passes over the images.
        batch_size: images per step.
        validation_split: fraction of the images, the last, held out.
        learning_rate: Adam's.
        patience: epochs without a lower validation loss after which fitting stops and
            the best weights are restored; 0 to never stop early.
        seed: of weights and order.
    """

    name: str = "lesson"
    epochs: int = 10
    batch_size: int = 32
    validation_split: float = 0.2
    learning_rate: float = 0.001
    patience: int = 0
    seed: int = 1


@dataclass(frozen=True)
class Distortion:
    """How far images are distorted; each image by random fractions of it.

    Attributes:
        rotation: degrees, either way.
        shear: pixels across for each pixel down, either way.
        stretch: natural logarithm of height over width, either way.
        scale: natural logarithm of the size, either way.
        shift: pixels down and across, either way.
        elastic: standard deviation of a point's displacement, in pixels.
        stroke: towards the lightest (thicker) or the darkest (thinner) of a pixel and its
            four neighbours, either way, 1 being all the way; mostly a little.
    """

    rotation: float = 0
    shear: float = 0
    stretch: float = 0
    scale: float = 0
    shift: float = 0
    elastic: float = 0
    stroke: float = 0

    def times(self, factor: float) -> "Distortion":
        """Return one whose strengths are that many times as large."""
        return Distortion(*(factor * strength for strength in astuple(self)))


@dataclass(frozen=True)
class Teacher:
    """How a teacher is fitted.

    Attributes:
        epochs: passes over the images, each time with new distortions.
        batch_size: images per step.
        learning_rate: AdamW's peak; it rises to it in the first epoch, then falls to 0
            along a cosine.
        weight_decay: AdamW's.
        distortion: of the images.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    distortion: Distortion


@dataclass(frozen=True)
class Best:
    """The recipe that makes the most of the lesson's network, by knowledge distillation.

    Attributes:
        name: of the recipe.
        validation_split: fraction of the images, the last, held out.
        distortion: of the images in the last augmentation pass.
        first_strength: strength of the first pass as a fraction of the last's; it rises
            evenly.
        teachers: how many there are; the mean of their logits gives the soft targets.
        passes: times that every image is distorted, and answered by the teachers.
        styles: drawn digits per hundred images, in styles that MNIST has not.
        ood: out-of-distribution pictures per hundred images, whose target is uniform.
        temperature: what logits are divided by before the student's probabilities are
            compared with the teachers'.
        epochs: times as many images as there are to fit on, out of all the passes.
        batch_size: images per step.
        learning_rate: Muon's peak, for the hidden layers' weights.
        adam_ratio: Adam's rate over Muon's, for the last layer and the biases.
        weight_decay: of weights, times the rate of each step.
        patience: as in ``Lesson``, for the student.
        unsure: share of the validation images that is to lie beyond each threshold.
        teacher: how each teacher is fitted.
        seed: of weights and order.
        teacher_seed: the same of the first teacher, and of the passes' distortions and
            drawings; the next teacher has the next number.
    """

    name: str = "best"
    validation_split: float = 1 / 12
    distortion: Distortion = Distortion(22, 0.25, 0.18, 0.06, 0.7, 1.4, 0.7)
    first_strength: float = 0.3
    teachers: int = 2
    passes: int = 28
    styles: int = 4
    ood: int = 6
    temperature: float = 1.5
    epochs: int = 300
    batch_size: int = 1000
    learning_rate: float = 0.02
    adam_ratio: float = 0.1
    weight_decay: float = 0.2
    patience: int = 0
    unsure: float = 0.005
    teacher: Teacher = Teacher(
        18, 250, 0.003, 0.02, Distortion(16, 0.2, 0.14, 0.05, 0.6, 1.1, 0.5)
    )
    seed: int = 1  # of 1 to 3 the best on the validation images, plain and distorted
    teacher_seed: int = 1


Recipe = Lesson | Best
RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in (Lesson(), Best())}
