// Keys, errors and the global. settings is written by the server above this.

const origin = new URL(document.currentScript.src).origin;
const ANONYMOUS = "@@ANONYMOUS";

class TossPaymentsError extends Error {
  constructor(code, message) {
    super(message || settings.messages[code] || code);
    this.name = "TossPaymentsError";
    this.code = code;
  }
}

// fail is an error with the documented message, and what it is about.
function fail(code, about) {
  return new TossPaymentsError(code, (settings.messages[code] || code) + (about ? " (" + about + ")" : ""));
}

// checkKeys throws what a factory throws, and returns the customer key.
function checkKeys(clientKey, params, wanted) {
  const kind = settings.clientKeys[clientKey];
  if (!kind) {
    throw fail("INVALID_CLIENT_KEY");
  }
  if (kind !== wanted) {
    throw fail(wanted === "widget" ? "NOT_SUPPORTED_API_INDIVIDUAL_KEY" : "NOT_SUPPORTED_WIDGET_KEY");
  }
  const key = params && params.customerKey;
  if (/^(test|live)_g?sk_/.test(key)) {
    throw fail("INSECURE_KEY_USAGE");
  }
  if (key !== ANONYMOUS && !(typeof key === "string" && /^[A-Za-z0-9\-_=.@]{2,50}$/.test(key))) {
    throw fail("INVALID_CUSTOMER_KEY");
  }
  return key;
}

// checkAmount throws what is wrong with a { value, currency }.
function checkAmount(amount) {
  if (typeof amount !== "object" || amount === null) {
    throw fail("INVALID_PARAMETERS", "amount");
  }
  if (!["KRW", "USD", "JPY"].includes(amount.currency)) {
    throw fail("INVALID_AMOUNT_CURRENCY", String(amount.currency));
  }
  const { value } = amount;
  if (typeof value !== "number" || !Number.isFinite(value) || (amount.currency !== "USD" && !Number.isInteger(value))) {
    throw fail("INVALID_AMOUNT_VALUE", String(value));
  }
}

// A phone has no room for a frame over the page.
const isPhone = () => /iPhone|iPad|iPod|Android/i.test(navigator.userAgent);

function TossPayments(clientKey) {
  const onlyInV1 = async () => {
    throw fail("V1_METHOD_NOT_SUPPORTED");
  };
  return {
    payment: (params) => payment(clientKey, params),
    widgets: (params) => widgets(clientKey, params),
    brandpay: (params) => brandpay(clientKey, params),
    requestPayment: onlyInV1,
    requestBillingAuth: onlyInV1,
    cancelPayment: onlyInV1,
  };
}
TossPayments.ANONYMOUS = ANONYMOUS;
// Assigned, so that it can be deleted again, and while the script runs.
window.TossPayments = TossPayments;
