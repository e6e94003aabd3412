/* What went wrong, said once for all widgets, and a button that tries all of it again. */

const notice = document.getElementById("trouble");
const failed = new Set();

/** Run an action; if it fails, say why, and run it again when the reader asks for it. */
export async function attempt(action) {
  try {
    await action();
    failed.delete(action);
  } catch (error) {
    failed.add(action);
    notice.querySelector("span").textContent =
      `Part of the lesson could not be loaded: ${error.message}`;
  }
  notice.hidden = failed.size === 0;
}

notice.querySelector("button").addEventListener("click", () => {
  for (const action of [...failed]) attempt(action);
});
