// The keyboard in a window: focus goes in, Escape closes, and Tab stays inside.
"use strict";

function close() {
  const button = document.querySelector("#close");
  if (button) {
    button.click();
  } else if (parent !== window) {
    parent.postMessage({ type: "error", code: "USER_CANCEL" }, document.body.dataset.target || "*");
  }
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    close();
  }
  if (event.key !== "Tab" || parent === window) {
    return;
  }
  const stops = [...document.querySelectorAll("a[href], button, input, select, summary")].filter(
    (e) => !e.disabled && e.checkVisibility() && (e.type !== "radio" || e.checked)
  );
  const [from, to] = event.shiftKey ? [stops[0], stops.at(-1)] : [stops.at(-1), stops[0]];
  if (to && [from, document.body].includes(document.activeElement)) {
    event.preventDefault();
    to.focus();
  }
});

// Escape was pressed while the focus was in the page around the window.
addEventListener("message", (event) => {
  if (event.source === parent && event.data?.type === "escape") {
    close();
  }
});

document.querySelector("h1").focus();
