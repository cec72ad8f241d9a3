// The live page. It is told what changes, keeps the lists, and draws only what is seen.
import { ask, copy, date, element, method, money, t, time, translate } from "./text.js";

const kinds = ["payments", "requests", "webhooks", "entries", "sellers", "payouts", "customers"];
const living = ["payments", "sellers", "payouts", "customers"]; // have a life, and change
const limit = 1000; // of each list, as in the program
const step = 100; // rows are drawn

const byId = (id) => document.getElementById(id);
const lists = Object.fromEntries(kinds.map((kind) => [kind, new Map()])); // id → item, oldest change first
let about = { keys: {} };
let boot = "";
let ahead = 0; // of the server's clock, in milliseconds
let tab = "payments";
let drawn = step;
let selected = null; // {kind, id, detail}

// --- following the program

let source = null;

function follow() {
  source?.close();
  source = new EventSource("/sandbox/events");
  source.onmessage = (event) => take(JSON.parse(event.data));
  source.onerror = () => {
    connected(false);
    // A browser gives up after some errors.
    if (source.readyState === EventSource.CLOSED) setTimeout(follow, 2000);
  };
}

// A page that nobody sees leaves its connection to others: a browser has six.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) source?.close();
  else follow();
});

function take(news) {
  connected(true);
  if (news.about) {
    for (const kind of kinds) lists[kind].clear();
    if (boot && boot !== news.boot) say(t("restarted"));
    boot = news.boot;
    about = news.about;
    showAbout();
  }
  ahead = new Date(news.now) - Date.now();
  for (const kind of kinds) {
    for (const item of news.lists[kind] || []) put(kind, item);
  }
  showFaults(news.faults);
  showHeld(news.held);
  if (tab === "payouts") askBalance();
  draw();
}

function put(kind, item) {
  const list = lists[kind];
  const id = item.paymentKey && kind === "payments" ? item.paymentKey : item.id;
  const old = list.get(id);
  // A payment stays where it is in the list, which is ordered by age.
  item.key = id;
  item.words = (JSON.stringify(item) + " " + statusName(kind, item.status) + " " + method(item.method)).toLowerCase();
  list.set(id, item);
  if (!old && list.size > limit) list.delete(list.keys().next().value);
  if (selected && living.includes(kind) && selected.kind === kind && selected.id === id) refetch();
}

function connected(yes) {
  const link = byId("link");
  if (link.dataset.on === String(yes)) return;
  link.dataset.on = yes;
  link.textContent = t(yes ? "connected" : "lost");
  document.body.classList.toggle("lost", !yes);
  if (!yes) say(t("lostHint"), true);
  else if (byId("message").dataset.bad) say("");
}

setInterval(() => {
  const now = new Date(Date.now() + ahead);
  const minutes = Math.round(ahead / 60000);
  const span = minutes >= 1440 ? `${Math.round(minutes / 144) / 10} d` : minutes >= 60 ? `${Math.round(minutes / 6) / 10} h` : `${minutes} min`;
  byId("clock").textContent = `${date(now)} ${time(now)}${minutes > 0 ? ` (+${span})` : ""}`;
}, 1000);

// --- acting

let forget = 0;
function say(text, bad) {
  const message = byId("message");
  message.textContent = text;
  message.dataset.bad = bad ? "1" : "";
  clearTimeout(forget);
  if (text && !bad) forget = setTimeout(() => (message.textContent = ""), 6000);
}

async function act(what) {
  try {
    await ask("/sandbox/act", what);
    say(t("did_" + what.do));
    return true;
  } catch (error) {
    say(error.message, true);
    return false;
  }
}

document.addEventListener("click", (event) => {
  const b = event.target.closest("button");
  if (!b) return;
  const { fault, advance, do: what, copy: text } = b.dataset;
  if (what) act({ do: what });
  if (fault) act({ do: "fault", of: fault, operation: byId("operation").value, code: byId("code").value });
  if (advance) act({ do: "advance", of: advance });
  if (text !== undefined) copy(text).then(() => say(t("copied")));
});
byId("clear").addEventListener("click", () => act({ do: "clear" }));
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.do) return;
  event.preventDefault();
  const fields = Object.fromEntries(new FormData(form));
  if (await act({ do: event.submitter?.value || form.dataset.do, of: form.dataset.of, ...fields })) form.reset();
});

// --- what stays the same

function copyButton(name, text) {
  return element("button", { class: "quiet copy", type: "button", "data-copy": text, "aria-label": t("copyOf", name) }, t("copy"));
}

function fact(name, value, copied) {
  return element("div", {}, element("dt", {}, name), element("dd", {}, element("code", { class: copied ? "" : "wrap", title: value }, value), copied && copyButton(name, value)));
}

function showAbout() {
  const { keys } = about;
  const facts = (title, ...list) => [title && element("h3", {}, title), element("dl", { class: "facts" }, ...list)];
  byId("about").replaceChildren(...[
    ...facts("", fact(t("apiURL"), about.url, true), fact(t("script"), about.script, true)),
    ...facts(t("windowKeys"), fact(t("clientKey"), keys.clientKey, true), fact(t("secretKey"), keys.secretKey, true)),
    ...facts(t("widgetKeys"), fact(t("clientKey"), keys.widgetClientKey, true), fact(t("secretKey"), keys.widgetSecretKey, true)),
    ...facts(t("payoutKeys"), fact(t("securityKey"), keys.securityKey, true)),
    ...facts(t("running"), ...(about.webhooks || [t("noWebhook")]).map((address) => fact(t("webhookURL"), address)), fact(t("stateFile"), about.state || t("noState"))),
  ].filter(Boolean));
  const order = `{"method":"CARD","amount":15000,"orderId":"order-0001","orderName":"socks","successUrl":"${about.url}/","failUrl":"${about.url}/"}`;
  const snippets = {
    curl: `curl -u ${keys.secretKey}: \\\n  -H 'Content-Type: application/json' \\\n  -d '${order}' \\\n  ${about.url}/v1/payments`,
    Go: `tosspayments.New("${keys.secretKey}",\n\ttosspayments.WithBaseURL("${about.url}"))`,
    HTML: `<script src="${about.script}"></script>`,
    npm: `loadTossPayments("${keys.clientKey}", { src: "${about.script}" })`,
    Node: `fetch("${about.url}/v1/payments/confirm", {\n  method: "POST",\n  headers: { Authorization: "Basic " + btoa("${keys.secretKey}:"), "Content-Type": "application/json" },\n  body: JSON.stringify({ paymentKey, orderId, amount }),\n})`,
    Python: `requests.post("${about.url}/v1/payments/confirm",\n    auth=("${keys.secretKey}", ""),\n    json={"paymentKey": payment_key, "orderId": order_id, "amount": amount})`,
  };
  byId("snippets").replaceChildren(...Object.entries(snippets).map(([name, text]) =>
    element("div", { class: "snippet" }, element("div", { class: "row" }, element("strong", {}, name), copyButton(name, text)), element("pre", { tabindex: "0" }, text))));
}

const faultName = (f) => t(f.of) + (f.code ? ` ${f.code}` : "") + (f.operation ? ` · ${t(f.operation)}` : "") + (f.payment ? ` · ${lists.payments.get(f.payment)?.orderId || f.payment}` : "");
let armed = null;

function showFaults(faults) {
  const now = JSON.stringify(faults);
  if (armed === now) return;
  armed = now;
  byId("armed").replaceChildren(...(faults.length ? faults.map((f) => element("li", { class: "chip" }, faultName(f))) : [element("li", { class: "hint" }, t("none"))]));
  byId("clear").hidden = faults.length === 0;
}

let held = null;

// showHeld lists the requests that wait, with a button for each that lets it go.
function showHeld(requests) {
  const now = JSON.stringify(requests);
  if (held === now) return;
  held = now;
  byId("held").replaceChildren(...requests.map((r) => element("li", { class: "warn" },
    element("span", { class: "grow" }, element("strong", {}, t(r.operation) || r.method), " ", t(r.done ? "heldAnswer" : "heldRequest"), element("span", { class: "mono block" }, r.orderId || `${r.method} ${r.path}`)),
    element("button", { type: "button", "data-release": r.id, onclick: () => act({ do: "release", of: r.id }) }, t("release")))));
}

let balanceAsked = 0;

// askBalance shows the money for payouts, at most twice a second.
function askBalance() {
  if (balanceAsked) return;
  balanceAsked = setTimeout(async () => {
    const balance = await ask("/sandbox/balance", {}).catch(() => null);
    balanceAsked = 0;
    if (!balance) return;
    byId("available").textContent = money(balance.available);
    byId("pending").textContent = money(balance.pending);
  }, balanceShown ? 500 : 0);
  balanceShown = true;
}
let balanceShown = false;

// --- the lists

const good = (status) => status >= 200 && status < 300;
const statusKind = {
  READY: "wait", IN_PROGRESS: "wait", WAITING_FOR_DEPOSIT: "wait", DONE: "good", CANCELED: "", PARTIAL_CANCELED: "", ABORTED: "bad", EXPIRED: "bad",
};
const kindsOf = {
  payments: statusKind,
  sellers: { APPROVAL_REQUIRED: "wait", PARTIALLY_APPROVED: "good", KYC_REQUIRED: "bad", APPROVED: "good" },
  payouts: { REQUESTED: "wait", IN_PROGRESS: "wait", COMPLETED: "good", FAILED: "bad" },
  customers: { NEW: "wait", MEMBER: "good" },
};
const statusName = (kind, status) => t(kind === "payments" ? status : `${kind} ${status}`);
const statusBadge = (kind, status) => badge(kindsOf[kind][status] ?? "", statusName(kind, status));
const badge = (kind, text) => element("span", { class: "badge " + kind }, text);

const rowOf = {
  payments: (p) => [
    element("span", { class: "row" }, badge(statusKind[p.status] ?? "", t(p.status)), element("strong", { class: "amount" }, money(p.amount, p.currency)),
      element("span", { class: "grow ellipsis" }, p.orderName), element("time", {}, time(p.at))),
    element("span", { class: "row minor" }, element("span", { class: "grow ellipsis mono" }, p.orderId), method(p.method)),
  ],
  requests: (r) => [
    element("span", { class: "row" }, badge(good(r.status) ? "good" : "bad", String(r.status || "–")), element("strong", {}, t(r.operation) || r.method),
      element("span", { class: "grow ellipsis bad-text" }, r.code || ""), r.fault && badge("wait", t("fault " + r.fault)), element("time", {}, time(r.at))),
    element("span", { class: "row minor" }, element("span", { class: "grow ellipsis mono" }, `${r.method} ${r.path}`)),
  ],
  webhooks: (w) => [
    element("span", { class: "row" }, badge(w.status === 200 ? "good" : "bad", String(w.status || "–")), element("strong", { class: "ellipsis" }, w.event),
      element("span", { class: "grow" }), w.retried > 0 && badge("wait", t("retried", w.retried)), element("time", {}, time(w.at))),
    element("span", { class: "row minor" }, element("span", { class: "grow ellipsis mono" }, w.orderId || w.error || "")),
  ],
  entries: (e) => [
    element("span", { class: "row" }, badge(e.kind === "approved" ? "good" : e.kind === "withdrawn" ? "" : "bad", t(e.kind)),
      element("strong", { class: "amount" }, (e.kind === "approved" ? "+" : e.kind === "withdrawn" ? "" : "−") + money(e.amount)),
      element("span", { class: "grow" }), element("time", {}, time(e.at))),
    element("span", { class: "row minor" }, element("span", { class: "grow ellipsis mono" }, e.orderId)),
  ],
  sellers: (s) => [
    element("span", { class: "row" }, statusBadge("sellers", s.status), element("strong", { class: "grow ellipsis" }, s.name), element("span", { class: "ellipsis" }, t(s.business))),
    element("span", { class: "row minor" }, element("span", { class: "grow ellipsis mono" }, `${s.ref} · ${s.id}`)),
  ],
  payouts: (p) => [
    element("span", { class: "row" }, statusBadge("payouts", p.status), element("strong", { class: "amount" }, money(p.amount)),
      element("span", { class: "grow ellipsis" }, nameOfSeller(p.seller)), element("time", {}, p.day)),
    element("span", { class: "row minor" }, element("span", { class: "grow ellipsis mono" }, `${p.ref} · ${p.id}`)),
  ],
  customers: (c) => [
    element("span", { class: "row" }, statusBadge("customers", c.status), element("strong", { class: "grow ellipsis mono" }, c.id)),
    element("span", { class: "row minor" }, element("span", { class: "grow ellipsis" }, c.methods.map((m) => m.name).join(", ") || t("noMethods"))),
  ],
};
const nameOfSeller = (id) => lists.sellers.get(id)?.name || id;

const empties = {
  payments: "noPayments", requests: "noRequests", webhooks: "noWebhooks", entries: "noEntries", sellers: "noSellers", payouts: "noPayouts", customers: "noCustomers",
};
const rows = new Map(); // id → row, of the tab

function showTabs() {
  byId("tabs").replaceChildren(...kinds.map((kind) => element("button", {
    type: "button", role: "tab", id: "tab-" + kind, "aria-controls": "list", "data-kind": kind,
    onclick: () => show(kind), onkeydown: (event) => {
      const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!way) return;
      show(kinds[(kinds.indexOf(kind) + way + kinds.length) % kinds.length]);
      byId("tab-" + tab).focus();
    },
  }, t(kind) + " ", element("span", { class: "count" }))));
}

function show(kind) {
  tab = kind;
  drawn = step;
  rows.clear();
  if (kind === "payouts") askBalance();
  draw();
}

let wanted = false;
function draw() {
  if (wanted) return;
  wanted = true;
  requestAnimationFrame(() => {
    wanted = false;
    drawTabs();
    drawList();
    drawDetail();
  });
}

function drawTabs() {
  for (const b of byId("tabs").children) {
    const mine = b.dataset.kind === tab;
    b.setAttribute("aria-selected", mine);
    b.tabIndex = mine ? 0 : -1;
    b.lastChild.textContent = lists[b.dataset.kind].size || "";
  }
  byId("list").setAttribute("aria-labelledby", "tab-" + tab);
}

function found() {
  const sought = byId("search").value.trim().toLowerCase().split(/\s+/);
  const all = [...lists[tab].values()].reverse();
  return sought[0] === "" ? all : all.filter((item) => sought.every((word) => item.words.includes(word)));
}

function drawList() {
  const items = found();
  const seen = items.slice(0, drawn);
  const list = byId("rows");
  list.dataset.kind = tab;
  let next = list.firstElementChild;
  for (const item of seen) {
    let row = rows.get(item.key);
    if (!row) {
      const kind = tab;
      row = element("li", {}, element("button", { type: "button", class: "item", onclick: () => select(kind, item.key) }));
      rows.set(item.key, row);
    }
    if (row.item !== item) {
      row.item = item;
      row.firstChild.replaceChildren(...rowOf[tab](item));
    }
    row.firstChild.classList.toggle("current", selected?.kind === tab && selected.id === item.key);
    if (row === next) next = next.nextElementSibling;
    else list.insertBefore(row, next);
  }
  while (next) {
    const gone = next;
    next = next.nextElementSibling;
    rows.delete(gone.item.key);
    gone.remove();
  }
  byId("empty").parentElement.hidden = items.length > 0;
  byId("first").hidden = lists.payments.size > 0 || kinds.indexOf(tab) > 3;
  for (const tools of document.querySelectorAll("[data-tools]")) tools.hidden = tools.dataset.tools !== tab;
  byId("empty").textContent = t(lists[tab].size ? "noMatch" : empties[tab]);
  byId("more").hidden = items.length <= drawn;
  byId("more").textContent = t("more", items.length - drawn);
}

byId("more").addEventListener("click", () => {
  drawn += step;
  draw();
});
byId("search").addEventListener("input", () => {
  drawn = step;
  draw();
});

// --- one thing, whole

function select(kind, id) {
  location.hash = `${kind}/${encodeURIComponent(id)}`;
}

function fromHash() {
  const [kind, id] = location.hash.slice(1).split("/");
  selected = kinds.includes(kind) && id ? { kind, id: decodeURIComponent(id), detail: null } : null;
  document.body.classList.toggle("looking", selected !== null);
  if (selected?.kind === "entries") {
    const e = lists.entries.get(selected.id);
    if (e) return select("payments", e.paymentKey);
  }
  refetch(true);
  draw();
}
addEventListener("hashchange", fromHash);

let asking = false;
let again = false;
async function refetch(opened) {
  const mine = selected;
  if (!mine || mine.kind === "entries") return;
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  try {
    const response = await fetch(`/sandbox/detail/${mine.kind}/${encodeURIComponent(mine.id)}`);
    mine.detail = response.ok ? await response.json() : { gone: true };
  } catch {
    // The page says already that the program is away.
  }
  asking = false;
  draw();
  if (opened && mine === selected) requestAnimationFrame(() => byId("detail").focus({ preventScroll: true }));
  if (again) {
    again = false;
    refetch();
  }
}

function pretty(text) {
  try {
    return JSON.stringify(typeof text === "string" ? JSON.parse(text) : text, null, 2);
  } catch {
    return text;
  }
}

const block = (name, text, open) => element("details", { open, "data-key": name }, element("summary", {}, name),
  element("div", { class: "code" }, text && copyButton(name, text), element("pre", { tabindex: "0" }, text || t("noBody"))));
const headers = (header) => Object.entries(header || {}).map(([name, values]) => `${name}: ${values.join(", ")}`).join("\n");
const button = (name, press, kind = "") => element("button", { type: "button", class: kind, "data-key": name, onclick: press }, t(name));

function paymentPage(p, detail) {
  const acts = p.acts.map((name) => button(name, () => act({ do: name, of: p.paymentKey }), name === "deposit" ? "primary" : ""));
  const part = p.acts.includes("refund") && p.status !== "WAITING_FOR_DEPOSIT" && element("form", {
    class: "part", onsubmit: (event) => {
      event.preventDefault();
      act({ do: "refund", of: p.paymentKey, amount: event.target.elements.amount.value });
      event.target.reset();
    },
  }, element("input", { name: "amount", inputmode: "decimal", required: true, placeholder: t("refundAmount"), "aria-label": t("refundAmount"), "data-key": "amount", autocomplete: "off" }),
  element("button", { "data-key": "refundPart" }, t("refundPart")));
  return [
    element("div", { class: "head" }, statusBadge("payments", p.status), element("h2", {}, money(p.amount, p.currency)), element("p", {}, p.orderName)),
    element("div", { class: "buttons" }, p.window && element("a", { class: "button primary", href: p.window, "data-key": "window" }, t("openWindow")), ...acts),
    part,
    element("div", { class: "buttons" }, button("holdThis", () => act({ do: "fault", of: "gate", payment: p.paymentKey }), "quiet")),
    element("dl", { class: "facts" }, fact(t("order"), p.orderId, true), fact(t("paymentKey"), p.paymentKey, true), p.mId && fact(t("mid"), p.mId),
      p.method && fact(t("method"), method(p.method)), p.account && fact(t("account"), p.account, true),
      Number(p.balance) !== Number(p.amount) && fact(t("left"), money(p.balance, p.currency)), p.failure && fact(t("failure"), p.failure)),
    element("h3", {}, t("life")), element("ol", { class: "life" }, ...lifeOf("payments", p, detail)),
    detail.document && block(t("document"), pretty(detail.document)),
  ];
}

const actButton = (name, of, kind) => button(name, () => act({ do: name, of }), kind);

// lifePage is a page of what has a life and no payment.
function lifePage(kind, x, detail, title, ...rest) {
  return [
    element("div", { class: "head" }, statusBadge(kind, x.status), element("h2", {}, title)), ...rest,
    element("h3", {}, t("life")), element("ol", { class: "life" }, ...lifeOf(kind, x, detail)),
    detail.document && block(t("documentOf"), pretty(detail.document)),
  ];
}

function sellerPage(s, detail) {
  const paid = ["PARTIALLY_APPROVED", "APPROVED"].includes(s.status);
  return lifePage("sellers", s, detail, s.name,
    element("p", {}, t("why " + s.status)),
    element("div", { class: "buttons" }, ...s.acts.map((name, i) => actButton(name, s.id, i ? "" : "primary"))),
    paid && element("form", { class: "part", "data-do": "pay-out", "data-of": s.id, "data-key": "payoutForm" },
      element("input", { name: "amount", inputmode: "numeric", required: true, placeholder: t("payoutAmount"), "aria-label": t("payoutAmount"), "data-key": "amount", autocomplete: "off" }),
      element("button", { value: "pay-out", "data-key": "pay-out" }, t("pay-out")), element("button", { value: "pay-out-later", "data-key": "pay-out-later" }, t("pay-out-later"))),
    element("dl", { class: "facts" }, fact(t("sellerID"), s.id, true), fact(t("ref"), s.ref, true), fact(t("business"), t(s.business)), fact(t("payoutAccount"), s.account)));
}

const failures = ["INVALID_ACCOUNT_NUMBER", "ACCOUNT_OWNER_CHECK_FAILED", "NOT_ENOUGH_AMOUNT", "INVALID_BANK"];

function payoutPage(p, detail) {
  return lifePage("payouts", p, detail, money(p.amount),
    element("p", {}, `${nameOfSeller(p.seller)} · ${p.description}`),
    element("div", { class: "buttons" }, ...p.acts.filter((name) => name !== "fail").map((name) => actButton(name, p.id, "primary"))),
    p.acts.includes("fail") && element("form", { class: "part", "data-do": "fail", "data-of": p.id },
      element("select", { name: "code", "aria-label": t("failure"), "data-key": "code" }, ...failures.map((c) => element("option", {}, c))), element("button", { "data-key": "fail" }, t("fail"))),
    element("div", { class: "buttons" }, lists.sellers.has(p.seller) && button("seeSeller", () => select("sellers", p.seller))),
    element("dl", { class: "facts" }, fact(t("payoutID"), p.id, true), fact(t("refPayout"), p.ref, true), fact(t("day"), `${p.day} · ${t(p.schedule)}`), p.failure && fact(t("failure"), p.failure)));
}

function customerPage(c, detail) {
  const here = c.status !== "REMOVED";
  return lifePage("customers", c, detail, c.id,
    here && element("div", { class: "buttons" }, !c.agreed && actButton("agree", c.id, "primary"), ...["add-card", "add-account"].map((name) => actButton(name, c.id)), c.token && actButton("expire-token", c.id)),
    element("dl", { class: "facts" }, fact(t("terms"), t(c.agreed ? "agreed" : "notAgreed")), fact(t("identity"), t(c.identified ? "identified" : "notIdentified")),
      fact(t("oneTouch"), t(c.oneTouch ? "on" : "off")),
      fact(t("token"), c.token || t("noToken"), !!c.token), c.token && fact(t("tokenUntil"), `${date(c.tokenUntil)} ${time(c.tokenUntil)}`)),
    element("h3", {}, t("methods")),
    c.methods.length ? element("ul", { class: "rows" }, ...c.methods.map((m) => element("li", { class: "row" }, element("span", { class: "grow" }, m.name, element("code", { class: "block" }, m.key)),
      element("button", { type: "button", "data-key": "remove" + m.key, "aria-label": `${m.name} ${t("removeMethod")}`, onclick: () => act({ do: "remove-method", of: c.id, method: m.key }) }, t("removeMethod"))))) : element("p", { class: "hint" }, t("noMethods")));
}

// lifeOf is everything that has happened to a thing, in the order of time.
function lifeOf(kind, p, detail) {
  const moments = (detail.life || []).map((s) => ({ at: s.at, rank: 2, show: () => [statusBadge(kind, s.status)] }));
  const about = (x) => (kind !== "payments" ? x.subjects.includes(p.id) : x.paymentKey ? x.paymentKey === p.paymentKey : x.orderId === p.orderId);
  const open = (kind, x, ...content) => [element("button", { type: "button", class: "item", "data-key": kind + x.id, onclick: () => select(kind, x.id) }, element("span", { class: "row" }, ...content))];
  for (const r of lists.requests.values()) {
    if (about(r)) moments.push({ at: r.at, rank: 1, show: () => open("requests", r, badge(good(r.status) ? "good" : "bad", String(r.status || "–")), element("span", { class: "grow" }, t(r.operation)), r.code && element("span", { class: "bad-text ellipsis" }, r.code), r.fault && badge("wait", t("fault " + r.fault))) });
  }
  for (const w of lists.webhooks.values()) {
    if (kind === "payments" ? w.orderId === p.orderId : about(w)) moments.push({ at: w.at, rank: 4, show: () => open("webhooks", w, badge(w.status === 200 ? "good" : "bad", String(w.status || "–")), element("span", { class: "grow ellipsis" }, "↗ " + w.event), w.retried > 0 && badge("wait", t("retried", w.retried))) });
  }
  for (const e of lists.entries.values()) {
    if (kind === "payments" && e.paymentKey === p.paymentKey) moments.push({ at: e.at, rank: 3, show: () => [element("span", { class: "row entry" }, element("span", { class: "grow" }, t("entries") + " · " + t(e.kind)), element("strong", {}, (e.kind === "approved" ? "+" : e.kind === "withdrawn" ? "" : "−") + money(e.amount, p.currency)))] });
  }
  moments.sort((a, b) => new Date(a.at) - new Date(b.at) || a.rank - b.rank);
  return moments.map((m) => element("li", {}, element("time", {}, time(m.at)), element("div", { class: "moment" }, ...m.show())));
}

// subjectsOf are ways to the sellers, payouts and customers that something is about.
function subjectsOf(x) {
  const links = x.subjects.flatMap((id) => ["sellers", "payouts", "customers"].filter((kind) => lists[kind].has(id)).map((kind) =>
    element("button", { type: "button", class: "quiet mono", "data-key": "subject" + id, onclick: () => select(kind, id) }, id)));
  return links.length ? [element("div", { class: "buttons" }, ...links)] : [];
}

function requestPage(r) {
  const p = r.paymentKey ? lists.payments.get(r.paymentKey) : [...lists.payments.values()].find((x) => x.orderId === r.orderId);
  return [
    element("div", { class: "head" }, badge(good(r.status) ? "good" : "bad", String(r.status || t("noAnswer"))), element("h2", { class: "mono" }, `${r.method} ${r.path}`), element("p", {}, t(r.operation))),
    r.fault && element("p", { class: "warn" }, `${t("fault")}: ${t("fault " + r.fault)}`),
    element("div", { class: "buttons" }, element("button", { type: "button", "data-copy": r.curl, "data-key": "curl" }, t("curl")), p && button("see", () => select("payments", p.paymentKey))),
    ...subjectsOf(r),
    r.openedBody && block(t("openedBody"), pretty(r.openedBody), true), r.openedAnswer && block(t("openedAnswer"), pretty(r.openedAnswer), true),
    block("curl", r.curl), block(t("body"), pretty(r.body), !r.openedBody), block(t("answer"), pretty(r.answer) || t("noAnswer"), !r.openedAnswer), block(t("header"), headers(r.header)),
  ];
}

function webhookPage(w) {
  const p = [...lists.payments.values()].reverse().find((x) => x.orderId === w.orderId);
  return [
    element("div", { class: "head" }, badge(w.status === 200 ? "good" : "bad", String(w.status || t("noAnswer"))), element("h2", {}, w.event), w.retried > 0 && element("p", {}, t("retried", w.retried))),
    w.error && element("p", { class: "warn" }, w.error),
    element("div", { class: "buttons" }, button("resend", () => act({ do: "resend", of: w.transmission })), p && button("see", () => select("payments", p.paymentKey))),
    ...subjectsOf(w),
    element("dl", { class: "facts" }, fact(t("transmission"), w.transmission, true)),
    block(t("body"), pretty(w.body), true), block(t("header"), headers(w.header), true),
  ];
}

function pageOf() {
  if (!selected) return [element("p", { class: "empty" }, t("pick"))];
  const { kind, id, detail } = selected;
  const back = element("a", { href: "#", class: "back", "data-key": "back" }, "← " + t("back"));
  if (detail?.gone) return [back, element("p", { class: "empty" }, t("gone"))];
  const page = { payments: paymentPage, sellers: sellerPage, payouts: payoutPage, customers: customerPage }[kind];
  if (page) {
    const x = lists[kind].get(id);
    return [back, ...(x ? page(x, detail || {}) : [])];
  }
  if (!detail) return [back];
  return [back, ...(kind === "requests" ? requestPage(detail) : webhookPage(detail))];
}

// drawDetail draws what is looked at. What has not changed is left alone, so that no press
// of a button is lost; what is open, typed or focused stays so.
let shown = null;
function drawDetail() {
  const panel = byId("detail");
  const fresh = pageOf().filter(Boolean);
  if (shown !== selected) {
    shown = selected;
    panel.replaceChildren(...fresh);
    panel.scrollTop = 0;
    return;
  }
  const focus = panel.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  const typed = panel.querySelector("input")?.value;
  const open = new Map([...panel.querySelectorAll("details")].map((d) => [d.dataset.key, d.open]));
  for (const d of fresh) if (open.has(d.dataset.key)) d.open = open.get(d.dataset.key);
  fresh.forEach((e, at) => {
    const old = panel.children[at];
    if (!old) panel.append(e);
    else if (!old.isEqualNode(e)) old.replaceWith(e);
  });
  while (panel.children.length > fresh.length) panel.lastElementChild.remove();
  const input = panel.querySelector("input");
  if (input && typed && !input.value) input.value = typed;
  if (focus && !panel.contains(document.activeElement)) (panel.querySelector(`[data-key="${CSS.escape(focus)}"]`) || panel).focus({ preventScroll: true });
}

// --- start

translate();
document.title = t("title");
const operations = ["confirm payment", "", "cancel payment", "get payment", "get payment by order id", "create payment", "charge billing", "issue billing key", "key-in payment", "issue virtual account", "list transactions", "issue cash receipt",
  "register seller", "request payouts", "get balance", "confirm brandpay payment", "charge brandpay", "issue brandpay token"];
byId("operation").append(...operations.map((o) => element("option", { value: o }, o ? t(o) : t("anyOperation"))));
byId("code").append(...["REJECT_CARD_PAYMENT", "REJECT_CARD_COMPANY", "INVALID_STOPPED_CARD", "EXCEED_MAX_AMOUNT", "ALREADY_PROCESSED_PAYMENT", "NOT_CANCELABLE_PAYMENT", "PROVIDER_ERROR", "UNAUTHORIZED_KEY"].map((c) => element("option", {}, c)));
// A phone shows the lists first.
if (matchMedia("(max-width: 1099px)").matches) for (const d of document.querySelectorAll(".controls > details")) d.open = false;
showTabs();
fromHash();
follow();
