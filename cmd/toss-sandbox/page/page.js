// Asks for the state once a second, and writes what has changed.
"use strict";

const statuses = {
  READY: ["결제창 열림", "wait"], IN_PROGRESS: ["인증됨, 승인 전", "wait"], WAITING_FOR_DEPOSIT: ["입금 대기", "wait"],
  DONE: ["결제 완료", "good"], CANCELED: ["전액 취소", ""], PARTIAL_CANCELED: ["부분 취소", ""],
  ABORTED: ["실패", "bad"], EXPIRED: ["만료", "bad"],
};
const acts = { deposit: "입금", overdue: "입금 기한 지남", bounce: "입금 취소 (반송)" };
const byId = (id) => document.getElementById(id);

function element(name, className, text) {
  const e = document.createElement(name);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
}

function button(text, what, of) {
  const b = element("button", "", text);
  b.dataset.do = what;
  b.dataset.of = of;
  return b;
}

const time = (text) => new Date(text).toLocaleTimeString("ko-KR", { hour12: false });
const money = (p, amount) => Number(amount).toLocaleString("ko-KR") + (p.currency === "KRW" ? "원" : " " + p.currency);

function row(...children) {
  const r = element("div", "row");
  r.append(...children.filter(Boolean));
  return r;
}

function details(summary, text) {
  const d = element("details");
  d.append(element("summary", "", summary), element("pre", "", text));
  return d;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function paymentItem(p) {
  const [name, kind] = statuses[p.status] || [p.status, ""];
  const window_ = p.window && element("a", "window", "결제창 열기");
  if (window_) window_.href = p.window;
  const left = p.balance !== p.amount && p.status.endsWith("CANCELED") && element("span", "", "남은 금액 " + money(p, p.balance));
  const buttons = p.acts.map((a) => button(acts[a], a, p.orderId));
  return [
    row(element("span", "time", time(p.at)), element("span", "badge " + kind, name), element("strong", "", money(p, p.amount)), left,
      element("span", "", p.method), element("span", "", p.orderName), window_, ...buttons),
    row(element("span", "id", "주문 " + p.orderId), element("span", "id", "결제 키 " + p.paymentKey), p.account && element("span", "id", "계좌 " + p.account)),
  ];
}

function requestItem(r) {
  const headers = Object.entries(r.header || {}).map(([name, values]) => name + ": " + values.join(", ")).join("\n");
  const kind = r.status >= 200 && r.status < 300 ? "good" : "bad";
  const fault = r.fault && element("span", "badge bad", "장애: " + r.fault);
  return [
    row(element("span", "time", time(r.at)), element("span", "badge " + kind, r.status || "응답 없음"), element("span", "id", r.method + " " + r.path), fault),
    details("요청 내용", headers + "\n\n" + pretty(r.body)),
  ];
}

function eventItem(e) {
  const ok = e.status === 200;
  return [
    row(element("span", "time", time(e.at)), element("span", "badge " + (ok ? "good" : "bad"), e.status || "응답 없음"), element("span", "id", e.event),
      e.retried > 0 && element("span", "", "재전송 " + e.retried + "회"), e.orderId && element("span", "id", "주문 " + e.orderId), button("다시 보내기", "resend", e.id)),
    details("웹훅 내용", (e.error ? e.error + "\n\n" : "") + pretty(e.body)),
  ];
}

// An item stays as it is until its content changes, so that what is open stays open.
function show(id, items, keyOf, build) {
  const list = byId(id);
  const sought = byId("search").value.trim().toLowerCase();
  const old = new Map([...list.children].map((li) => [li.dataset.key, li]));
  const wanted = items.filter((i) => !sought || JSON.stringify(i).toLowerCase().includes(sought)).map((item, index) => {
    const key = keyOf(item, index);
    const content = JSON.stringify(item);
    let li = old.get(key);
    if (!li || li.content !== content) {
      li = element("li");
      li.dataset.key = key;
      li.content = content;
      li.append(...build(item));
    }
    return li;
  });
  if (wanted.length !== list.children.length || wanted.some((li, i) => li !== list.children[i])) list.replaceChildren(...wanted);
  document.querySelector(`.empty[data-of=${id}]`).hidden = wanted.length > 0;
}

async function refresh() {
  const response = await fetch("/sandbox/state");
  const state = await response.json();
  for (const id of ["url", "script", "secretKey", "clientKey"]) byId(id).textContent = state[id];
  byId("webhooks").textContent = state.webhooks ? state.webhooks.join(", ") : "없음 (-webhook으로 지정)";
  byId("now").textContent = new Date(state.now).toLocaleString("ko-KR", { hour12: false });
  show("payments", state.payments, (p) => p.paymentKey, paymentItem);
  show("requests", state.requests, (r) => r.at + r.method + r.path, requestItem);
  show("events", state.events, (e) => e.id + e.at + e.retried, eventItem);
}

async function watch() {
  try {
    await refresh();
    if (byId("message").dataset.lost) say("");
  } catch {
    say("샌드박스가 응답하지 않아요. 종료됐는지 확인해 주세요.", true);
  }
  setTimeout(watch, 1000);
}

function say(text, lost) {
  const message = byId("message");
  message.textContent = text;
  message.dataset.lost = lost ? "1" : "";
}

const done = {
  drop: "다음 요청은 처리되지만 응답이 가지 않아요.", 500: "다음 승인에 500으로 응답해요.", refuse: "다음 승인을 카드사가 거절해요.",
  clear: "예약한 장애를 취소했어요.", advance: "시간이 지났어요.", resend: "웹훅을 다시 보냈어요.",
};

document.addEventListener("click", async (event) => {
  const pressed = event.target.closest("button[data-do]");
  if (!pressed) return;
  const what = { do: pressed.dataset.do, of: pressed.dataset.of || "" };
  try {
    const response = await fetch("/sandbox/act", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(what) });
    if (!response.ok) {
      say(await response.text());
      return;
    }
    const { window: address } = await response.json();
    if (address) {
      location.assign(address);
      return;
    }
    say(done[what.do] || "");
    await refresh();
  } catch {
    say("샌드박스가 응답하지 않아요. 종료됐는지 확인해 주세요.", true);
  }
});

byId("search").addEventListener("input", () => refresh().catch(() => {}));
watch();
