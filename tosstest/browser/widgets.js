// widgets(): the order form in the page, and the window that has the same over it.

const parts = {
  methods: { selector: "#payment-method", rendered: "PAYMENT_METHODS_WIDGET_ALREADY_RENDERED", title: "결제 방법", variantKey: "DEFAULT" },
  agreement: { selector: "#agreement", rendered: "AGREEMENT_WIDGET_ALREADY_RENDERED", title: "이용약관 동의", variantKey: "AGREEMENT" },
  // The code is a guess by the pattern of the other two.
  checkout: { rendered: "PAYMENT_WINDOW_ALREADY_RENDERED", title: "결제창" },
};

// rendered has one UI of each part: they are of the document, also where the script runs
// twice in it.
const rendered = (document[Symbol.for("tosstest.widgets")] ??= {});

// render shows a part of the order form and resolves with its UI when it is there.
function render(part, place, variantKeys, amount) {
  if (rendered[part]) {
    throw fail(parts[part].rendered);
  }
  for (const key of variantKeys) {
    if (typeof key !== "string" || (settings.variantKeys && !settings.variantKeys.includes(key))) {
      throw fail("INVALID_VARIANT_KEY", String(key));
    }
  }
  const frame = newFrame(settings.path + "/" + part, parts[part].title);
  frame.setAttribute("data-tosspayments", part);
  const ui = { state: null, callbacks: {}, tell: (message) => frame.contentWindow.postMessage(message, origin) };
  rendered[part] = ui;
  return new Promise((resolve) => {
    const hear = (message) => {
      if (message.type === "ready") {
        ui.tell({ type: "amount", amount });
      } else if (message.type === "height" && place) {
        frame.style.height = message.height + "px";
      } else if (message.type === "state") {
        const first = ui.state === null;
        ui.state = message;
        if (first) {
          resolve(ui);
        }
      } else if (message.type === "event") {
        for (const callback of ui.callbacks[message.name] || []) {
          callback(message.value);
        }
      } else if (message.type === "close") {
        ui.remove();
        for (const callback of ui.callbacks.cancel || []) {
          callback();
        }
      }
    };
    let remove;
    if (place) {
      const stop = listen(frame, hear);
      place.append(frame);
      remove = () => {
        stop();
        frame.remove();
      };
    } else {
      remove = openOverlay(frame, hear);
    }
    ui.remove = () => {
      if (rendered[part] === ui) {
        delete rendered[part];
        remove();
      }
    };
  });
}

// on adds a callback. What the buyer finds chosen is told once, like a choice, unless
// the server was told otherwise.
function on(ui, initial, name, callback) {
  if (!(name in initial)) {
    throw fail("INVALID_PARAMETER", String(name));
  }
  if (typeof callback !== "function") {
    throw fail("INVALID_PARAMETER", "callback");
  }
  (ui.callbacks[name] ??= []).push(callback);
  const value = initial[name](ui.state);
  if (value && settings.initialEvents) {
    setTimeout(() => callback(value));
  }
}

function widgets(clientKey, params) {
  const customerKey = checkKeys(clientKey, params, "widget");
  const request = requests(clientKey, customerKey);
  let amount = null;
  const mine = {}; // the UIs of this object

  async function show(part, p, variantKeys) {
    let place = null;
    if (part !== "checkout") {
      if (typeof p === "string") {
        throw fail("V1_METHOD_NOT_SUPPORTED");
      }
      if (typeof p !== "object" || p === null || typeof p.selector !== "string") {
        throw fail("INVALID_PARAMETERS", "selector");
      }
      try {
        place = document.querySelector(p.selector);
      } catch (error) {
        // Not a selector finds nothing.
      }
    }
    if (part !== "agreement" && !amount) {
      throw fail("NOT_SETUP_AMOUNT");
    }
    if (part !== "checkout" && !place) {
      throw fail("INVALID_SELECTOR", p.selector);
    }
    mine[part] = await render(part, place, variantKeys, amount);
    return mine[part];
  }

  const live = (part) => (mine[part] && rendered[part] === mine[part] ? mine[part] : null);
  const windowVariants = (keys) => [keys?.paymentMethod ?? "DEFAULT", keys?.agreement ?? "AGREEMENT"];

  // What the buyer has chosen, in the window where one is open.
  function chosen() {
    const open = live("checkout");
    const methods = open || live("methods");
    const agreement = open || live("agreement");
    return { method: methods?.state.method ?? null, agreed: agreement?.state.agreed ?? false };
  }

  const ask = (kind, body, money) => request.make({ kind, request: body, amount: money, chosen: chosen() });

  return {
    async setAmount(value) {
      checkAmount(value);
      amount = { value: value.value, currency: value.currency };
      for (const part of ["methods", "checkout"]) {
        live(part)?.tell({ type: "amount", amount });
      }
    },

    async renderPaymentMethods(p) {
      const ui = await show("methods", p, [p?.variantKey ?? parts.methods.variantKey]);
      return {
        on: (name, callback) => on(ui, { paymentMethodSelect: (state) => state.method && selection(state.method) }, name, callback),
        async getSelectedPaymentMethod() {
          if (!ui.state.method) {
            throw fail("NOT_SELECTED_PAYMENT_METHOD");
          }
          return selection(ui.state.method);
        },
        destroy: async () => ui.remove(),
      };
    },

    async renderAgreement(p) {
      const ui = await show("agreement", p, [p?.variantKey ?? parts.agreement.variantKey]);
      return {
        on: (name, callback) => on(ui, { agreementStatusChange: (state) => state.agreement }, name, callback),
        destroy: async () => ui.remove(),
      };
    },

    async renderPaymentWindow(p) {
      const ui = await show("checkout", p, windowVariants(p?.variantKey));
      return {
        on: (name, callback) => on(ui, { paymentRequest: () => null, cancel: () => null }, name, callback),
        destroy: async () => ui.remove(),
      };
    },

    requestPayment: (body) => ask("widgets", body, amount),

    async requestPaymentWindow(body, options) {
      checkAmount(body?.amount);
      const { amount: money, ...rest } = body;
      amount = { value: money.value, currency: money.currency };
      const ui = await show("checkout", null, windowVariants(options?.variantKey));
      try {
        await new Promise((resolve, reject) => {
          ui.callbacks.paymentRequest = [resolve];
          ui.callbacks.cancel = [() => reject(fail("USER_CANCEL"))];
        });
        return await ask("widgets", rest, amount);
      } finally {
        ui.remove();
      }
    },
  };
}

// selection is how events name a method.
const selection = (method) => ({ code: method.code });
