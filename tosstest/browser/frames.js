// Frames: what they say, frames over the page, and the window of one request.

// listen calls back with what a frame of the server says, and returns how to stop.
function listen(frame, callback) {
  const heard = (event) => {
    if (event.source === frame.contentWindow && event.origin === origin) {
      callback(event.data);
    }
  };
  addEventListener("message", heard);
  return () => removeEventListener("message", heard);
}

function newFrame(path, title) {
  const frame = document.createElement("iframe");
  frame.src = origin + path;
  frame.title = title;
  frame.style.border = "0";
  frame.style.width = "100%";
  return frame;
}

// openOverlay shows a frame over the page, in which the keyboard stays. It returns how
// to remove it.
function openOverlay(frame, callback) {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-label", frame.title);
  Object.assign(dialog.style, {
    position: "fixed", inset: "0", width: "100%", height: "100%", maxWidth: "none", maxHeight: "none",
    margin: "0", padding: "0", border: "0", overflow: "hidden", background: "transparent",
  });
  Object.assign(frame.style, { display: "block", height: "100%" });
  // The frame knows what Escape means.
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    frame.contentWindow.postMessage({ type: "escape" }, origin);
  });
  frame.addEventListener("load", () => frame.focus());
  dialog.append(frame);
  document.body.append(dialog);
  dialog.showModal();
  const stop = listen(frame, callback);
  return () => {
    stop();
    dialog.close();
    dialog.remove();
  };
}

// requests makes the requests of one object: one at a time.
function requests(clientKey, customerKey) {
  let open = null;

  // perform settles as the request's window does. In redirect mode it stays pending,
  // since the page is left.
  function perform(envelope, target) {
    return new Promise((resolve, reject) => {
      let close = () => {};
      open.abort = (code) => {
        close();
        reject(fail(code));
      };
      const mine = open;
      ask(envelope, target).then((answer) => {
        if (mine !== open) {
          return; // aborted meanwhile
        }
        if ("value" in answer) {
          resolve(answer.value);
          return;
        }
        if (answer.go || target === "self") {
          location.assign(answer.go || origin + answer.path);
          return;
        }
        const frame = newFrame(answer.path, "토스페이먼츠 결제창");
        frame.setAttribute("data-tosspayments", "window");
        close = openOverlay(frame, (message) => {
          if (message.type === "result") {
            resolve(message.value);
          } else if (message.type === "error") {
            reject(new TossPaymentsError(message.code, message.message));
          } else {
            return;
          }
          close();
        });
      }, reject);
    });
  }

  async function ask(envelope, target) {
    let response, answer;
    try {
      response = await fetch(origin + "/window", {
        method: "POST",
        headers: { "Content-Type": "text/plain" },
        body: JSON.stringify({ clientKey, customerKey, target, origin: location.origin, ...envelope }),
      });
      answer = await response.json();
    } catch (error) {
      throw fail("NETWORK_ERROR");
    }
    if (!response.ok) {
      throw new TossPaymentsError(answer.code, answer.message);
    }
    return answer;
  }

  return {
    async make(envelope, target) {
      if (open) {
        throw fail("INVALID_METHOD_TRANSACTION");
      }
      if (typeof envelope.request === "string") {
        throw fail("V1_METHOD_NOT_SUPPORTED");
      }
      const mine = (open = {});
      const wanted = envelope.request && envelope.request.windowTarget;
      try {
        return await perform(envelope, target || (isPhone() || wanted === "self" ? "self" : "iframe"));
      } finally {
        if (open === mine) {
          open = null;
        }
      }
    },
    // abort ends the open request, and reports whether there was one.
    abort(code) {
      const mine = open;
      open = null;
      if (mine) {
        mine.abort(code);
      }
      return mine !== null;
    },
  };
}
