// A window: what it tells the page that opened it, and one submit.
"use strict";
const { message, target } = document.body.dataset;
if (message && parent !== window) {
  parent.postMessage(JSON.parse(message), target || "*");
}

// What was pressed goes with the form, so that buttons are disabled after it has gone.
let sent = false;
document.addEventListener("submit", (event) => {
  if (sent) {
    event.preventDefault();
    return;
  }
  sent = true;
  setTimeout(() => document.querySelectorAll("button").forEach((button) => (button.disabled = true)));
});

// Back in the browser shows the window as it was, sent.
addEventListener("pageshow", (event) => {
  if (event.persisted) {
    location.reload();
  }
});

// The shop exchanges its code while the buyer waits; it goes on whatever the answer.
const exchange = document.querySelector("#exchange");
if (exchange) {
  exchange.addEventListener("load", () => document.querySelector("#go-on").requestSubmit());
  exchange.src = exchange.dataset.src;
}
