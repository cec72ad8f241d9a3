// What the pages say, in Korean and English, and how they write amounts and times.

export const texts = {
  ko: {
    title: "토스페이먼츠 샌드박스",
    shopTitle: "테스트 상점",
    notice: "샌드박스 · 실제로 결제되지 않아요",
    language: "English",
    shop: "테스트 상점",
    live: "샌드박스 화면",
    connected: "실시간",
    lost: "연결 끊김",
    lostHint: "샌드박스가 응답하지 않아요. 다시 켜지면 자동으로 이어져요.",
    restarted: "샌드박스가 다시 시작됐어요.",
    clock: "서버 시각",
    ahead: "앞당긴 시간",

    connect: "연결 정보",
    connectHint: "이 샌드박스에서만 쓰는 키예요. 실제 서비스에서는 쓸 수 없어요.",
    apiURL: "API 주소",
    script: "스크립트",
    windowKeys: "결제창 · 자동결제 · API",
    widgetKeys: "주문서형 결제 (결제위젯)",
    clientKey: "클라이언트 키",
    secretKey: "시크릿 키",
    running: "실행 옵션",
    webhookURL: "웹훅 주소",
    noWebhook: "없음 (-webhook으로 지정)",
    stateFile: "상태 파일",
    noState: "없음: 종료하면 사라져요 (-state로 지정)",
    snippets: "예시",
    copy: "복사",
    copied: "복사했어요.",
    copyOf: "{0} 복사",

    faults: "다음 요청에 생길 일",
    faultsHint: "고른 요청이 오면 한 번 일어나요.",
    operation: "어느 요청에",
    anyOperation: "모든 요청",
    refuse: "거절",
    refusal: "거절 코드",
    lose: "처리 후 응답 유실",
    drop: "처리 전 유실",
    slow: "20초 지연",
    500: "500 오류",
    502: "502 오류",
    429: "429 요청 제한",
    "confirm payment": "결제 승인",
    "cancel payment": "결제 취소",
    "get payment": "결제 조회",
    "get payment by order id": "주문 번호로 조회",
    "create payment": "결제 생성",
    "issue billing key": "빌링키 발급",
    "issue billing key by card": "카드로 빌링키 발급",
    "charge billing": "자동결제 승인",
    "delete billing key": "빌링키 삭제",
    "key-in payment": "카드 번호 결제",
    "issue virtual account": "가상계좌 발급",
    "list transactions": "거래 조회",
    "list settlements": "정산 조회",
    "request settlement": "수동 정산",
    "issue cash receipt": "현금영수증 발급",
    "cancel cash receipt": "현금영수증 취소",
    "list cash receipts": "현금영수증 조회",
    "get promotions": "프로모션 조회",
    "get card promotions": "카드 프로모션 조회",
    webhookFaults: "다음 웹훅에 생길 일",
    duplicate: "두 번 보내기",
    hold: "다음 웹훅 뒤에 보내기",
    delay: "20초 뒤에 보내기",
    "lose-webhook": "보내지 않기",
    armed: "예약한 일",
    none: "없어요.",
    clear: "모두 취소",
    time: "시간 보내기",
    timeHint: "서버 시각만 앞당겨요.",
    "10m": "10분",
    "30m": "30분",
    "24h": "하루",
    "744h": "31일",

    payments: "결제",
    requests: "요청",
    webhooks: "웹훅",
    entries: "원장",
    lists: "목록",
    search: "찾기",
    searchHint: "주문 번호, 결제 키, 금액, 상태, 경로, 코드",
    noPayments: "아직 결제가 없어요. 테스트 상점에서 첫 결제를 해 보세요.",
    noRequests: "아직 요청이 없어요.",
    noWebhooks: "아직 보낸 웹훅이 없어요.",
    noEntries: "아직 움직인 돈이 없어요.",
    noMatch: "찾는 내용이 없어요.",
    more: "더 보기 ({0})",
    pick: "왼쪽에서 하나를 고르면 자세히 볼 수 있어요.",
    back: "목록으로",
    gone: "더 이상 보관하지 않는 항목이에요.",

    READY: "결제창 열림",
    IN_PROGRESS: "인증됨, 승인 전",
    WAITING_FOR_DEPOSIT: "입금 대기",
    DONE: "결제 완료",
    CANCELED: "전액 취소",
    PARTIAL_CANCELED: "부분 취소",
    ABORTED: "실패",
    EXPIRED: "만료",

    order: "주문 번호",
    paymentKey: "결제 키",
    method: "결제 수단",
    account: "입금 계좌",
    left: "남은 금액",
    failure: "실패 코드",
    mid: "상점아이디",
    openWindow: "결제창 열기",
    deposit: "입금하기",
    bounce: "입금 취소",
    overdue: "입금 기한 지나게 하기",
    refund: "전액 환불",
    refundPart: "일부 환불",
    refundAmount: "환불할 금액",
    did_deposit: "입금했어요.",
    did_bounce: "입금을 취소했어요.",
    did_overdue: "입금 기한이 지났어요.",
    did_refund: "환불했어요.",
    did_resend: "웹훅을 다시 보냈어요.",
    did_advance: "서버 시각을 앞당겼어요.",
    did_fault: "예약했어요.",
    did_clear: "예약을 모두 취소했어요.",
    life: "지나온 일",
    document: "API가 보여 주는 결제",
    approved: "승인",
    canceled: "취소",
    bounced: "입금 취소",
    withdrawn: "계좌 취소",
    curl: "curl로 복사",
    header: "헤더",
    body: "본문",
    answer: "응답",
    noAnswer: "응답 없음",
    noBody: "본문 없음",
    fault: "장애",
    "fault refuse": "거절",
    "fault delay": "지연",
    "fault drop": "연결 끊김",
    "fault reset": "연결 초기화",
    "fault cut": "응답 잘림",
    "fault bad gateway": "502",
    "fault rate limit": "429",
    "fault rewrite": "응답 변경",
    "fault ": "대기",
    resend: "다시 보내기",
    retried: "재시도 {0}회",
    transmission: "전송 ID",
    transaction: "거래 키",

    shopHint: "코드 없이 결제를 처음부터 끝까지 해 볼 수 있어요. 진행 과정은 샌드박스 화면에 바로 나타나요.",
    coffee: "원두 1kg",
    subscription: "원두 구독",
    monthly: "매달",
    byWindow: "결제창",
    byWindowHint: "버튼을 누르면 결제창이 열려요.",
    byWidgets: "주문서형 결제 (결제위젯)",
    byWidgetsHint: "결제 수단을 이 화면에서 고르고 결제해요.",
    byBilling: "자동결제 (빌링)",
    byBillingHint: "카드를 등록하면 결제창 없이 결제할 수 있어요.",
    CARD: "카드 · 간편결제",
    VIRTUAL_ACCOUNT: "가상계좌",
    TRANSFER: "계좌이체",
    pay: "{0} 결제하기",
    register: "카드 등록하기",
    charge: "이번 달 요금 결제하기",
    paying: "결제를 확인하고 있어요…",
    paid: "결제가 끝났어요",
    waiting: "입금을 기다리고 있어요",
    waitingHint: "이 계좌에 입금되면 결제가 끝나요. 샌드박스 화면에서 ‘입금하기’를 눌러 보세요.",
    outcome_canceled: "취소된 결제예요",
    refused: "결제가 거절됐어요",
    not_sent: "요청을 보내지 못했어요",
    mismatch: "주문과 다른 결제예요",
    unknown: "결과를 아직 알 수 없어요",
    unknownHint: "주문을 그대로 두고 나중에 다시 확인해야 해요. 다시 확인해도 두 번 결제되지 않아요.",
    again: "다시 확인하기",
    failed: "결제하지 못했어요",
    registered: "카드를 등록했어요",
    registeredHint: "이제 이 카드로 언제든 결제할 수 있어요.",
    another: "다른 결제 해 보기",
    see: "이 결제 살펴보기",
    scriptLost: "스크립트를 불러오지 못했어요.",
  },
  en: {
    title: "Toss Payments sandbox",
    shopTitle: "Test shop",
    notice: "Sandbox · no money moves",
    language: "한국어",
    shop: "Test shop",
    live: "Sandbox",
    connected: "Live",
    lost: "Disconnected",
    lostHint: "The sandbox does not answer. This page goes on by itself once it is back.",
    restarted: "The sandbox has been restarted.",
    clock: "Server time",
    ahead: "ahead by",

    connect: "Connection",
    connectHint: "These keys work with this sandbox only, never with the real service.",
    apiURL: "API",
    script: "Script",
    windowKeys: "Payment window, billing, API",
    widgetKeys: "Widgets",
    clientKey: "Client key",
    secretKey: "Secret key",
    running: "This run",
    webhookURL: "Webhooks to",
    noWebhook: "nowhere (-webhook sends them)",
    stateFile: "State file",
    noState: "none: nothing is kept (-state keeps it)",
    snippets: "Snippets",
    copy: "Copy",
    copied: "Copied.",
    copyOf: "Copy {0}",

    faults: "What happens to the next request",
    faultsHint: "Happens once, to the next request of this kind.",
    operation: "Which request",
    anyOperation: "any request",
    refuse: "Refuse",
    refusal: "Code of the refusal",
    lose: "Lose the answer",
    drop: "Lose the request",
    slow: "20 s late",
    500: "500",
    502: "502",
    429: "429 rate limit",
    "confirm payment": "confirm",
    "cancel payment": "cancel",
    "get payment": "get payment",
    "get payment by order id": "get by order id",
    "create payment": "create payment",
    "issue billing key": "issue billing key",
    "issue billing key by card": "billing key by card",
    "charge billing": "billing charge",
    "delete billing key": "delete billing key",
    "key-in payment": "key-in payment",
    "issue virtual account": "issue virtual account",
    "list transactions": "list transactions",
    "list settlements": "list settlements",
    "request settlement": "request settlement",
    "issue cash receipt": "issue cash receipt",
    "cancel cash receipt": "cancel cash receipt",
    "list cash receipts": "list cash receipts",
    "get promotions": "get promotions",
    "get card promotions": "get card promotions",
    webhookFaults: "What happens to the next webhook",
    duplicate: "Send twice",
    hold: "Hold until the next one",
    delay: "Send 20 s later",
    "lose-webhook": "Never send",
    armed: "Waiting to happen",
    none: "Nothing.",
    clear: "Clear all",
    time: "Let time pass",
    timeHint: "Moves the server's clock only.",
    "10m": "10 minutes",
    "30m": "30 minutes",
    "24h": "a day",
    "744h": "31 days",

    payments: "Payments",
    requests: "Requests",
    webhooks: "Webhooks",
    entries: "Ledger",
    lists: "Lists",
    search: "Search",
    searchHint: "order id, payment key, amount, status, path, code",
    noPayments: "No payments yet. Make the first one in the test shop.",
    noRequests: "No requests yet.",
    noWebhooks: "No webhooks yet.",
    noEntries: "No money has moved yet.",
    noMatch: "Nothing matches.",
    more: "Show more ({0})",
    pick: "Pick something on the left to look at it.",
    back: "Back to the list",
    gone: "This is not kept any more.",

    READY: "Window open",
    IN_PROGRESS: "Authenticated",
    WAITING_FOR_DEPOSIT: "Awaiting deposit",
    DONE: "Paid",
    CANCELED: "Canceled",
    PARTIAL_CANCELED: "Partly canceled",
    ABORTED: "Failed",
    EXPIRED: "Expired",

    order: "Order id",
    paymentKey: "Payment key",
    method: "Method",
    account: "Account",
    left: "Left",
    failure: "Failure",
    mid: "MID",
    openWindow: "Open the window",
    deposit: "Deposit",
    bounce: "Reverse the deposit",
    overdue: "Pass the due date",
    refund: "Refund all",
    refundPart: "Refund a part",
    refundAmount: "Amount to refund",
    did_deposit: "Deposited.",
    did_bounce: "The deposit was reversed.",
    did_overdue: "The due date has passed.",
    did_refund: "Refunded.",
    did_resend: "The webhook was sent again.",
    did_advance: "The server's clock was moved.",
    did_fault: "It will happen.",
    did_clear: "Nothing is waiting any more.",
    life: "What happened",
    document: "As the API shows it",
    approved: "Approved",
    canceled: "Canceled",
    bounced: "Deposit reversed",
    withdrawn: "Account canceled",
    curl: "Copy as curl",
    header: "Headers",
    body: "Body",
    answer: "Answer",
    noAnswer: "no answer",
    noBody: "no body",
    fault: "fault",
    "fault refuse": "refused",
    "fault delay": "late",
    "fault drop": "cut off",
    "fault reset": "reset",
    "fault cut": "cut short",
    "fault bad gateway": "502",
    "fault rate limit": "429",
    "fault rewrite": "rewritten",
    "fault ": "held",
    resend: "Send again",
    retried: "retry {0}",
    transmission: "Transmission",
    transaction: "Transaction key",

    shopHint: "Pay from beginning to end without any code. The sandbox page shows everything as it happens.",
    coffee: "Coffee, 1 kg",
    subscription: "Coffee subscription",
    monthly: "a month",
    byWindow: "Payment window",
    byWindowHint: "The button opens the payment window.",
    byWidgets: "Widgets",
    byWidgetsHint: "Choose how to pay on this page.",
    byBilling: "Billing",
    byBillingHint: "A registered card is charged without a window.",
    CARD: "Card or wallet",
    VIRTUAL_ACCOUNT: "Virtual account",
    TRANSFER: "Bank transfer",
    pay: "Pay {0}",
    register: "Register a card",
    charge: "Charge this month",
    paying: "Confirming the payment…",
    paid: "Paid",
    waiting: "Waiting for the deposit",
    waitingHint: "The order is paid once money arrives at this account. Press “Deposit” on the sandbox page.",
    outcome_canceled: "This payment was canceled",
    refused: "The payment was refused",
    not_sent: "The request could not be sent",
    mismatch: "Not the payment of this order",
    unknown: "The outcome is not known yet",
    unknownHint: "The order stays open and is looked up again later. Asking again never charges twice.",
    again: "Ask again",
    failed: "Not paid",
    registered: "The card is registered",
    registeredHint: "From now on it can be charged at any time.",
    another: "Try another one",
    see: "Look at this payment",
    scriptLost: "The script could not be loaded.",
  },
};

const methods = {
  카드: "Card", 가상계좌: "Virtual account", 간편결제: "Wallet", 계좌이체: "Bank transfer", 휴대폰: "Mobile phone",
  문화상품권: "Culture voucher", 도서문화상품권: "Book voucher", 게임문화상품권: "Game voucher",
  토스페이: "Toss Pay", 네이버페이: "Naver Pay", 카카오페이: "Kakao Pay", 삼성페이: "Samsung Pay", 애플페이: "Apple Pay",
  페이코: "Payco", 엘페이: "L.pay", SSG페이: "SSG Pay", 핀페이: "Pinpay",
};

const saved = (() => {
  try {
    return localStorage.getItem("language");
  } catch {
    return null;
  }
})();

export const language = texts[saved] ? saved : navigator.language.toLowerCase().startsWith("ko") ? "ko" : "en";

// switchLanguage shows the page anew in the other language.
export function switchLanguage() {
  try {
    localStorage.setItem("language", language === "ko" ? "en" : "ko");
  } catch {
    return;
  }
  location.reload();
}

export function t(name, ...values) {
  const text = texts[language][name];
  return text === undefined ? name : text.replace(/\{(\d)\}/g, (_, i) => values[i]);
}

// translate fills in what the page leaves to its language.
export function translate() {
  document.documentElement.lang = language;
  for (const e of document.querySelectorAll("[data-t]")) e.textContent = t(e.dataset.t);
  for (const e of document.querySelectorAll("[data-t-label]")) e.setAttribute("aria-label", t(e.dataset.tLabel));
  for (const e of document.querySelectorAll("[data-t-placeholder]")) e.placeholder = t(e.dataset.tPlaceholder);
  for (const e of document.querySelectorAll("[data-t-title]")) e.title = t(e.dataset.tTitle);
  const other = document.getElementById("language");
  other.lang = language === "ko" ? "en" : "ko";
  other.addEventListener("click", switchLanguage);
}

export const method = (name) => (language === "en" && methods[name]) || name || "";

export function money(amount, currency = "KRW") {
  const number = Number(amount).toLocaleString(language);
  if (currency !== "KRW") return `${currency} ${number}`;
  return language === "ko" ? `${number}원` : `₩${number}`;
}

const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(language, { month: "short", day: "numeric" });
export const time = (text) => clock.format(new Date(text));
export const date = (text) => day.format(new Date(text));

// element makes an element. Its properties may be attributes, data, or listeners.
export function element(name, properties, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(properties || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "class") e.className = value;
    else if (key.startsWith("on")) e.addEventListener(key.slice(2), value);
    else e.setAttribute(key, value === true ? "" : value);
  }
  e.append(...children.filter((c) => c !== undefined && c !== null && c !== false));
  return e;
}

// ask sends JSON and returns the JSON that comes back. Its error is for the reader.
export async function ask(address, what) {
  const response = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(what) }).catch(() => {
    throw new Error(t("lostHint"));
  });
  if (!response.ok) throw new Error((await response.text()).trim());
  return response.json();
}

// copy puts a text on the clipboard, also where the page has no right to it.
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = element("textarea", { class: "offscreen", readonly: true });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}
