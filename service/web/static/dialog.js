/* A dialog over the page: made when it is asked for, gone when it is closed. */

import { make } from "./dom.js";

/**
 * Open one.
 *
 * @param {string} title
 * @param {...(Node|string)} children
 * @returns {HTMLDialogElement} with an event `close`
 */
export function openDialog(title, ...children) {
  const look = { type: "button", className: "close", "aria-label": "Close" };
  const close = make("button", look, "×");
  const heading = make("h2", { id: "dialog-title" }, title);
  const named = { "aria-labelledby": "dialog-title" };
  const dialog = make("dialog", named, close, heading, ...children);
  close.addEventListener("click", () => dialog.close());
  // A click on what is behind it is one on the dialog itself, outside its box.
  dialog.addEventListener("click", (event) => {
    const { left, right, top, bottom } = dialog.getBoundingClientRect();
    const { clientX: x, clientY: y, detail } = event;
    const outside = x < left || x > right || y < top || y > bottom;
    if (event.target === dialog && detail && outside) dialog.close();
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
