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
  const at = stops.indexOf(document.activeElement); // -1 is the heading
  const leaves = event.shiftKey ? at <= 0 : at === stops.length - 1;
  if (stops.length > 0 && leaves) {
    event.preventDefault();
    stops.at(event.shiftKey ? -1 : 0).focus();
  }
});

// Escape was pressed while the focus was in the page around the window.
addEventListener("message", (event) => {
  if (event.source === parent && event.data?.type === "escape") {
    close();
  }
});

document.querySelector("h1").focus();
