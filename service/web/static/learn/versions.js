/* What a version's recipe means for the words beside it. */

/* Recipes of training/best: convolutional networks teach, and weights decay. */
const TAUGHT = new Set(["best"]);

/** Whether a version, as lesson.json has it, imitates convolutional networks. */
export const taught = ({ recipe }) => TAUGHT.has(recipe);
