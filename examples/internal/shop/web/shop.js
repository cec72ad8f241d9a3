// A form is sent once, however often its button is pressed.
addEventListener("submit", (event) => {
  if (event.target.dataset.sent) {
    event.preventDefault();
    return;
  }
  event.target.dataset.sent = "yes";
  event.target.querySelectorAll("button").forEach((button) => { button.disabled = true; });
});

// "Back" shows a page as it was left, with buttons that are pressed and states that are old.
addEventListener("pageshow", (event) => {
  if (event.persisted) {
    location.reload();
  }
});

// watch asks what the page should show, and loads it again when that is something else. It
// asks ever more rarely, not while nobody looks, and stops after half an hour.
const watch = (address, shown) => {
  const first = 1000, longest = 30_000, end = Date.now() + 30 * 60_000;
  let pause = first, timer;
  const ask = async () => {
    if (document.hidden) {
      return;
    }
    const response = await fetch(address).catch(() => null);
    if (response?.ok && (await response.json()).message !== shown) {
      location.reload();
      return;
    }
    pause = Math.min(pause * 1.25, longest);
    if (Date.now() < end) {
      timer = setTimeout(ask, pause);
    } else {
      document.querySelector("#asleep")?.removeAttribute("hidden");
    }
  };
  timer = setTimeout(ask, pause);
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    pause = first;
    ask();
  });
};

// finish sends what the buyer has brought back, and goes on to where the outcome is shown. A
// refusal is said here: title, and the message of the answer. Whoever does not know the
// outcome is told lost, or goes on without it.
const finish = async (address, body, next, title, lost) => {
  const say = (headline, text) => {
    document.querySelector(".spinner").hidden = true;
    document.querySelector("#title").textContent = headline;
    document.querySelector("#text").textContent = text;
    document.querySelector("#next").hidden = false;
  };
  const slow = setTimeout(() => { document.querySelector("#slow").hidden = false; }, 6000);
  try {
    const response = await fetch(address, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
    if (response.ok) {
      location.replace(next);
    } else {
      say(title, (await response.json()).message);
    }
  } catch {
    if (lost) {
      say("응답을 받지 못했어요", lost);
    } else {
      location.replace(next);
    }
  } finally {
    clearTimeout(slow);
  }
};

// offer enables the button that opens a window of Toss Payments.
const offer = (selector, window_, open) => {
  const button = document.querySelector(selector), problem = document.querySelector("#problem");
  const say = (text) => {
    problem.textContent = text;
    problem.hidden = false;
  };
  if (!window.TossPayments) {
    say(window_ + "을 불러오지 못했어요. 광고 차단 프로그램을 끄고 새로고침해 주세요.");
    return;
  }
  button.disabled = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    problem.hidden = true;
    try {
      await open();
    } catch (error) {
      // Only Toss Payments' errors have a code, and a message for buyers.
      say(error.code === "USER_CANCEL" ? window_ + "을 닫으셨어요." : window_ + "을 열지 못했어요. " + (error.code ? error.message : "인터넷 연결을 확인하고 다시 시도해 주세요."));
      button.disabled = false;
    }
  });
};
