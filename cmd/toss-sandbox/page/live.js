// The live page. It is told what changes, keeps the lists, and draws only what is seen.
import { ask, copy, date, element, method, money, t, time, translate } from "./text.js";

const kinds = ["payments", "requests", "webhooks", "entries"];
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
  draw();
}

function put(kind, item) {
  const list = lists[kind];
  const id = item.paymentKey && kind === "payments" ? item.paymentKey : item.id;
  const old = list.get(id);
  // A payment stays where it is in the list, which is ordered by age.
  item.key = id;
  item.words = (JSON.stringify(item) + " " + t(item.status) + " " + method(item.method)).toLowerCase();
  list.set(id, item);
  if (!old && list.size > limit) list.delete(list.keys().next().value);
  if (selected && kind === "payments" && selected.kind === kind && selected.id === id) refetch();
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
  } catch (error) {
    say(error.message, true);
  }
}

document.addEventListener("click", (event) => {
  const b = event.target.closest("button");
  if (!b) return;
  const { fault, advance, copy: text } = b.dataset;
  if (fault) act({ do: "fault", of: fault, operation: byId("operation").value, code: byId("code").value });
  if (advance) act({ do: "advance", of: advance });
  if (text !== undefined) copy(text).then(() => say(t("copied")));
});
byId("clear").addEventListener("click", () => act({ do: "clear" }));

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

const faultName = (f) => t(f.of) + (f.code ? ` ${f.code}` : "") + (f.operation ? ` · ${t(f.operation)}` : "");
let armed = null;

function showFaults(faults) {
  const now = JSON.stringify(faults);
  if (armed === now) return;
  armed = now;
  byId("armed").replaceChildren(...(faults.length ? faults.map((f) => element("li", { class: "chip" }, faultName(f))) : [element("li", { class: "hint" }, t("none"))]));
  byId("clear").hidden = faults.length === 0;
}

// --- the lists

const good = (status) => status >= 200 && status < 300;
const statusKind = {
  READY: "wait", IN_PROGRESS: "wait", WAITING_FOR_DEPOSIT: "wait", DONE: "good", CANCELED: "", PARTIAL_CANCELED: "", ABORTED: "bad", EXPIRED: "bad",
};
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
};

const empties = { payments: "noPayments", requests: "noRequests", webhooks: "noWebhooks", entries: "noEntries" };
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
  byId("first").hidden = lists.payments.size > 0;
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
    element("div", { class: "head" }, badge(statusKind[p.status] ?? "", t(p.status)), element("h2", {}, money(p.amount, p.currency)), element("p", {}, p.orderName)),
    element("div", { class: "buttons" }, p.window && element("a", { class: "button primary", href: p.window, "data-key": "window" }, t("openWindow")), ...acts),
    part,
    element("dl", { class: "facts" }, fact(t("order"), p.orderId, true), fact(t("paymentKey"), p.paymentKey, true), p.mId && fact(t("mid"), p.mId),
      p.method && fact(t("method"), method(p.method)), p.account && fact(t("account"), p.account, true),
      Number(p.balance) !== Number(p.amount) && fact(t("left"), money(p.balance, p.currency)), p.failure && fact(t("failure"), p.failure)),
    element("h3", {}, t("life")), element("ol", { class: "life" }, ...lifeOf(p, detail)),
    detail.payment && block(t("document"), pretty(detail.payment)),
  ];
}

// lifeOf is everything that has happened to a payment, in the order of time.
function lifeOf(p, detail) {
  const moments = (detail.life || []).map((s) => ({ at: s.at, rank: 2, show: () => [badge(statusKind[s.status] ?? "", t(s.status))] }));
  const about = (x) => (x.paymentKey ? x.paymentKey === p.paymentKey : x.orderId === p.orderId);
  const open = (kind, x, ...content) => [element("button", { type: "button", class: "item", "data-key": kind + x.id, onclick: () => select(kind, x.id) }, element("span", { class: "row" }, ...content))];
  for (const r of lists.requests.values()) {
    if (about(r)) moments.push({ at: r.at, rank: 1, show: () => open("requests", r, badge(good(r.status) ? "good" : "bad", String(r.status || "–")), element("span", { class: "grow" }, t(r.operation)), r.code && element("span", { class: "bad-text ellipsis" }, r.code), r.fault && badge("wait", t("fault " + r.fault))) });
  }
  for (const w of lists.webhooks.values()) {
    if (w.orderId === p.orderId) moments.push({ at: w.at, rank: 4, show: () => open("webhooks", w, badge(w.status === 200 ? "good" : "bad", String(w.status || "–")), element("span", { class: "grow ellipsis" }, "↗ " + w.event), w.retried > 0 && badge("wait", t("retried", w.retried))) });
  }
  for (const e of lists.entries.values()) {
    if (e.paymentKey === p.paymentKey) moments.push({ at: e.at, rank: 3, show: () => [element("span", { class: "row entry" }, element("span", { class: "grow" }, t("entries") + " · " + t(e.kind)), element("strong", {}, (e.kind === "approved" ? "+" : e.kind === "withdrawn" ? "" : "−") + money(e.amount, p.currency)))] });
  }
  moments.sort((a, b) => new Date(a.at) - new Date(b.at) || a.rank - b.rank);
  return moments.map((m) => element("li", {}, element("time", {}, time(m.at)), element("div", { class: "moment" }, ...m.show())));
}

function requestPage(r) {
  const p = r.paymentKey ? lists.payments.get(r.paymentKey) : [...lists.payments.values()].find((x) => x.orderId === r.orderId);
  return [
    element("div", { class: "head" }, badge(good(r.status) ? "good" : "bad", String(r.status || t("noAnswer"))), element("h2", { class: "mono" }, `${r.method} ${r.path}`), element("p", {}, t(r.operation))),
    r.fault && element("p", { class: "warn" }, `${t("fault")}: ${t("fault " + r.fault)}`),
    element("div", { class: "buttons" }, element("button", { type: "button", "data-copy": r.curl, "data-key": "curl" }, t("curl")), p && button("see", () => select("payments", p.paymentKey))),
    block("curl", r.curl), block(t("body"), pretty(r.body), true), block(t("answer"), pretty(r.answer) || t("noAnswer"), true), block(t("header"), headers(r.header)),
  ];
}

function webhookPage(w) {
  const p = [...lists.payments.values()].reverse().find((x) => x.orderId === w.orderId);
  return [
    element("div", { class: "head" }, badge(w.status === 200 ? "good" : "bad", String(w.status || t("noAnswer"))), element("h2", {}, w.event), w.retried > 0 && element("p", {}, t("retried", w.retried))),
    w.error && element("p", { class: "warn" }, w.error),
    element("div", { class: "buttons" }, button("resend", () => act({ do: "resend", of: w.transmission })), p && button("see", () => select("payments", p.paymentKey))),
    element("dl", { class: "facts" }, fact(t("transmission"), w.transmission, true)),
    block(t("body"), pretty(w.body), true), block(t("header"), headers(w.header), true),
  ];
}

function pageOf() {
  if (!selected) return [element("p", { class: "empty" }, t("pick"))];
  const { kind, id, detail } = selected;
  const back = element("a", { href: "#", class: "back", "data-key": "back" }, "← " + t("back"));
  if (detail?.gone) return [back, element("p", { class: "empty" }, t("gone"))];
  if (kind === "payments") {
    const p = lists.payments.get(id);
    return [back, ...(p ? paymentPage(p, detail || {}) : [])];
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
const operations = ["confirm payment", "", "cancel payment", "get payment", "get payment by order id", "create payment", "charge billing", "issue billing key", "key-in payment", "issue virtual account", "list transactions", "issue cash receipt"];
byId("operation").append(...operations.map((o) => element("option", { value: o }, o ? t(o) : t("anyOperation"))));
byId("code").append(...["REJECT_CARD_PAYMENT", "REJECT_CARD_COMPANY", "INVALID_STOPPED_CARD", "EXCEED_MAX_AMOUNT", "ALREADY_PROCESSED_PAYMENT", "NOT_CANCELABLE_PAYMENT", "PROVIDER_ERROR", "UNAUTHORIZED_KEY"].map((c) => element("option", {}, c)));
// A phone shows the lists first.
if (matchMedia("(max-width: 1099px)").matches) for (const d of document.querySelectorAll(".controls > details")) d.open = false;
showTabs();
fromHash();
follow();
