/* Many buttons, one stop of the Tab key. */

/**
 * Make one tab stop of many buttons: arrows, Home and End move among them.
 *
 * @param {HTMLElement} host
 * @param {HTMLButtonElement[]} buttons in reading order, in rows of equal length
 * @param {number} [first] the one that Tab comes to
 */
export function roving(host, buttons, first = 0) {
  const stop = (at) => buttons.forEach((each, i) => (each.tabIndex = i === at ? 0 : -1));
  stop(first);
  host.addEventListener("focusin", (event) => stop(buttons.indexOf(event.target)));
  host.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = buttons.indexOf(document.activeElement);
    const columns = buttons.filter(
      (each) => each.offsetTop === buttons[0].offsetTop,
    ).length;
    const to = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      ArrowUp: at - columns,
      ArrowDown: at + columns,
      Home: 0,
      End: buttons.length - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    buttons[to]?.focus();
  });
}
