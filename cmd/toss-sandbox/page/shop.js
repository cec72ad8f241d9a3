// The test shop: what a shop's page does, with its server under /sandbox/shop.
import { ask, element, method, money, t, translate } from "./text.js";

const main = document.getElementById("main");
const query = new URLSearchParams(location.search);

function say(error) {
  const message = document.getElementById("message");
  message.dataset.bad = "1";
  // A window that the buyer has closed is no news.
  message.textContent = !error || error.code === "USER_CANCEL" ? "" : error.message;
}

// press lets a button work once at a time.
function press(name, work, ...values) {
  const b = element("button", { type: "button", class: "primary wide" }, t(name, ...values));
  b.addEventListener("click", async () => {
    b.disabled = true;
    say(null);
    try {
      await work();
    } catch (error) {
      say(error);
    }
    b.disabled = false;
  });
  return b;
}

const card = (name, hint, product, price, ...rest) => element("section", { class: "card" },
  element("div", {}, element("h2", {}, t(name)), element("p", { class: "hint" }, t(hint))),
  element("p", {}, product, element("br"), element("span", { class: "price" }, price)), ...rest);

// --- what can be bought

const back = (step) => `${location.origin}/shop?step=${step}`;

function byWindow(toss, buyer) {
  const choice = element("fieldset", { class: "choices", "aria-label": t("method") }, ...["CARD", "VIRTUAL_ACCOUNT", "TRANSFER"].map((m, i) =>
    element("label", {}, element("input", { type: "radio", name: "method", value: m, checked: i === 0 }), t(m))));
  const payment = toss(buyer.clientKey).payment({ customerKey: buyer.customerKey });
  return card("byWindow", "byWindowHint", t("coffee"), money(15000), choice, press("pay", async () => {
    const order = await ask("/sandbox/shop/order", { kind: "payment" });
    await payment.requestPayment({
      method: choice.querySelector(":checked").value, amount: { currency: "KRW", value: order.amount },
      orderId: order.orderId, orderName: order.orderName, successUrl: back("success"), failUrl: back("fail"),
    });
  }, money(15000)));
}

// The widgets are rendered once they are in the page.
function byWidgets(toss, buyer) {
  const widgets = toss(buyer.widgetClientKey).widgets({ customerKey: buyer.customerKey });
  const box = card("byWidgets", "byWidgetsHint", t("coffee"), money(15000), element("div", { id: "payment-methods" }), element("div", { id: "agreement" }), press("pay", async () => {
    const order = await ask("/sandbox/shop/order", { kind: "widget" });
    await widgets.requestPayment({ orderId: order.orderId, orderName: order.orderName, successUrl: back("success"), failUrl: back("fail") });
  }, money(15000)));
  const render = async () => {
    await widgets.setAmount({ currency: "KRW", value: 15000 });
    await Promise.all([
      widgets.renderPaymentMethods({ selector: "#payment-methods" }),
      widgets.renderAgreement({ selector: "#agreement" }),
    ]);
  };
  return [box, render];
}

function byBilling(toss, buyer) {
  const payment = toss(buyer.clientKey).payment({ customerKey: buyer.customerKey });
  return card("byBilling", "byBillingHint", t("subscription"), `${t("monthly")} ${money(9900)}`, press("register", () =>
    payment.requestBillingAuth({ method: "CARD", successUrl: back("card"), failUrl: back("fail") })));
}

async function goods() {
  if (!window.TossPayments) throw new Error(t("scriptLost"));
  const toss = window.TossPayments;
  const buyer = await ask("/sandbox/shop/buyer", {});
  const [widgets, render] = byWidgets(toss, buyer);
  main.replaceChildren(element("p", { class: "lead" }, t("shopHint")), element("div", { class: "goods" }, byWindow(toss, buyer), widgets, byBilling(toss, buyer)));
  await render();
}

// --- how it has ended

const kinds = { paid: "good", waiting: "wait", unknown: "wait" };
const marks = { good: "✓", wait: "…", bad: "!" };

function page(kind, title, ...rest) {
  main.replaceChildren(element("section", { class: "card outcome" }, element("span", { class: "mark " + kind, "aria-hidden": "true" }, marks[kind]), element("h2", { tabindex: "-1" }, title), ...rest));
  main.querySelector("h2").focus();
}

const another = () => element("a", { class: "button", href: "/shop" }, t("another"));
const hint = (text) => element("p", {}, text);

function showOutcome(r, askAgain) {
  const p = r.payment;
  const name = { canceled: "outcome_canceled" }[r.outcome] || r.outcome.replace(" ", "_");
  const facts = p && [[t("order"), p.orderId], [t("method"), method(p.method)], p.account && [t("account"), p.account]].filter((f) => f && f[1]);
  page(kinds[r.outcome] || "bad", t(name),
    p && element("p", { class: "price" }, money(p.amount, p.currency)),
    r.outcome === "waiting" && hint(t("waitingHint")),
    r.outcome === "unknown" && hint(t("unknownHint")),
    r.code && element("p", {}, element("code", {}, r.code)),
    r.message && element("p", { class: "hint" }, r.message),
    facts && element("dl", { class: "facts" }, ...facts.map(([n, v]) => element("div", {}, element("dt", {}, n), element("dd", {}, element("code", {}, v))))),
    element("div", { class: "buttons" },
      p && element("a", { class: "button primary", href: `/#payments/${encodeURIComponent(p.paymentKey)}` }, t("see")),
      r.outcome === "unknown" && askAgain && element("button", { type: "button", onclick: askAgain }, t("again")), another()));
  if (r.outcome === "waiting") follow(p);
}

// follow shows the deposit as soon as it is there.
function follow(p) {
  const source = new EventSource("/sandbox/events");
  source.onmessage = (event) => {
    const now = (JSON.parse(event.data).lists.payments || []).find((x) => x.paymentKey === p.paymentKey);
    if (now?.status !== "DONE") return;
    source.close();
    showOutcome({ outcome: "paid", payment: now });
  };
}

const fail = (code, message) => page("bad", t("failed"), code && element("p", {}, element("code", {}, code)), message && hint(message), element("div", { class: "buttons" }, another()));

async function confirm() {
  page("wait", t("paying"));
  try {
    showOutcome(await ask("/sandbox/shop/confirm", { query: query.toString() }), confirm);
  } catch (error) {
    fail("", error.message);
  }
}

// The registered card stays in the address, so that a reload does not register it twice.
async function register() {
  try {
    const c = await ask("/sandbox/shop/card", { query: query.toString() });
    location.replace(`/shop?step=registered&id=${c.id}&number=${encodeURIComponent(c.number)}`);
  } catch (error) {
    fail("", error.message);
  }
}

function registered() {
  page("good", t("registered"), hint(query.get("number")), hint(t("registeredHint")),
    press("charge", async () => showOutcome(await ask("/sandbox/shop/charge", { id: query.get("id") }))),
    element("div", { class: "buttons" }, another()));
}

translate();
document.title = t("shopTitle");
const steps = { success: confirm, card: register, registered, fail: () => fail(query.get("code"), query.get("message")) };
Promise.resolve((steps[query.get("step")] || goods)()).catch(say);
