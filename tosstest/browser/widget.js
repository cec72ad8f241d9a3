// A part of the order form: what the buyer chooses, told to the script of the page.
"use strict";
const tell = (what) => parent.postMessage(what, "*");
const find = (selector) => document.querySelector(selector);
const methods = [...document.querySelectorAll("[data-code]")];
const terms = [...document.querySelectorAll("[data-id]")];
let amount = null;
let picked = methods.find((button) => button.dataset.code === find("#methods").dataset.initial) || null;

function method() {
  if (!picked) {
    return null;
  }
  const { code, needs } = picked.dataset;
  const chosen = { code };
  if (needs === "card") {
    chosen.company = find("#company").value;
    chosen.installment = Number(find("#installment").value);
  }
  if (needs === "account") {
    chosen.refund = { bank: find("#refund-bank").value, accountNumber: find("#refund-number").value, holderName: find("#refund-holder").value };
  }
  return chosen;
}

function agreement() {
  return terms.length === 0 ? null : {
    agreedRequiredTerms: terms.every((box) => box.checked || !("required" in box.dataset)),
    agreements: terms.map((box) => ({ term: { id: box.dataset.id, required: "required" in box.dataset }, agreed: box.checked })),
  };
}

function state() {
  const agreed = agreement();
  return { type: "state", method: method(), agreement: agreed, agreed: agreed ? agreed.agreedRequiredTerms : false };
}

function show() {
  const usd = amount?.currency === "USD";
  for (const button of methods) {
    button.hidden = usd !== "foreign" in button.dataset;
    if (button.hidden && button === picked) {
      picked = null;
    }
  }
  for (const button of methods) {
    button.setAttribute("aria-pressed", String(button === picked));
  }
  for (const detail of document.querySelectorAll("[data-detail]")) {
    detail.hidden = picked?.dataset.needs !== detail.dataset.detail;
  }
  const single = !amount || amount.currency !== "KRW" || amount.value < 50000;
  if (find("#installment")) {
    find("#installment").disabled = single;
    find("#installment").value = single ? "0" : find("#installment").value;
  }
  if (find("#amount") && amount) {
    find("#amount").textContent = amount.value.toLocaleString() + (amount.currency === "KRW" ? "원" : " " + amount.currency);
  }
  tell(state());
}

for (const button of methods) {
  button.addEventListener("click", () => {
    const changed = picked !== button;
    picked = button;
    show();
    if (changed) {
      tell({ type: "event", name: "paymentMethodSelect", value: { code: button.dataset.code } });
    }
  });
}
for (const box of terms) {
  box.addEventListener("change", () => {
    show();
    tell({ type: "event", name: "agreementStatusChange", value: agreement() });
  });
}
document.querySelectorAll("select, input[type=text]").forEach((field) => field.addEventListener("input", show));
find("#fill")?.addEventListener("click", () => {
  find("#refund-bank").value = "20";
  find("#refund-number").value = "1002123456789";
  find("#refund-holder").value = "김토스";
  show();
});

// missing is what the window still needs before it asks for the payment.
function missing() {
  const chosen = method();
  if (!chosen) {
    return "결제 방법을 선택해 주세요.";
  }
  if (chosen.company === "") {
    return "카드사를 선택해 주세요.";
  }
  if (chosen.refund && !Object.values(chosen.refund).every(Boolean)) {
    return "환불 계좌를 모두 입력해 주세요.";
  }
  return agreement().agreedRequiredTerms ? "" : "필수 약관에 동의해 주세요.";
}

find("#pay")?.addEventListener("click", () => {
  const problem = missing();
  find("#problem").textContent = problem;
  if (!problem) {
    tell({ type: "event", name: "paymentRequest", value: { paymentMethod: { code: picked.dataset.code } } });
  }
});
find("#close")?.addEventListener("click", () => tell({ type: "close" }));

addEventListener("message", (event) => {
  if (event.source === parent && event.data?.type === "amount") {
    amount = event.data.amount;
    show();
  }
});

new ResizeObserver(() => tell({ type: "height", height: Math.ceil(find("main").getBoundingClientRect().height) })).observe(find("main"));
tell({ type: "ready" });
