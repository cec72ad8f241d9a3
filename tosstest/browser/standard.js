// The interface of the official script, in redirect mode. What may be asked for is
// checked by the server that serves it.
(function () {
  "use strict";
  const origin = new URL(document.currentScript.src).origin;
  const ANONYMOUS = "@@ANONYMOUS";

  class TossPaymentsError extends Error {
    constructor(code, message) {
      super(message);
      this.name = "TossPaymentsError";
      this.code = code;
    }
  }

  function checkClientKey(clientKey) {
    if (typeof clientKey !== "string" || clientKey === "") {
      throw new TossPaymentsError("INVALID_CLIENT_KEY", "잘못된 클라이언트 연동 정보 입니다.");
    }
    if (/^(test|live)_g?sk_/.test(clientKey)) {
      throw new TossPaymentsError("INSECURE_KEY_USAGE", "시크릿 키는 클라이언트 코드에 노출되면 안 됩니다.");
    }
  }

  function checkCustomerKey(params) {
    const key = params && params.customerKey;
    if (key !== ANONYMOUS && !(typeof key === "string" && /^[A-Za-z0-9\-_=.@]{2,50}$/.test(key))) {
      throw new TossPaymentsError(
        "INVALID_CUSTOMER_KEY",
        "`customerKey`는 영문 대소문자, 숫자, 특수문자 -, _, =, ., @로 2자 이상 50자 이하여야 합니다."
      );
    }
    return key;
  }

  function openInFrame(url) {
    const frame = document.createElement("iframe");
    frame.src = url;
    frame.title = "토스페이먼츠 결제창";
    frame.setAttribute("data-tosspayments", "window");
    Object.assign(frame.style, {
      position: "fixed", inset: "0", width: "100%", height: "100%", border: "0", zIndex: "2147483647",
    });
    document.body.appendChild(frame);
    return frame;
  }

  function payment(clientKey, params) {
    const customerKey = checkCustomerKey(params);
    let busy = false;
    let frame = null;

    async function request(kind, body) {
      if (busy) {
        throw new TossPaymentsError("INVALID_METHOD_TRANSACTION", "이미 다른 요청을 수행하고 있어요.");
      }
      busy = true;
      try {
        const response = await fetch(origin + "/window", {
          method: "POST",
          headers: { "Content-Type": "text/plain" },
          body: JSON.stringify({ kind, clientKey, customerKey, request: body }),
        });
        const answer = await response.json();
        if (!response.ok) {
          throw new TossPaymentsError(answer.code, answer.message);
        }
        const small = matchMedia("(max-width: 767px)").matches;
        if (small || (body && body.windowTarget === "self")) {
          location.assign(answer.url);
        } else {
          frame = openInFrame(answer.url);
        }
      } catch (error) {
        busy = false;
        throw error;
      }
      // The page is left before this resolves.
      return new Promise(function () {});
    }

    return {
      requestPayment: (body) => request("payment", body),
      requestBillingAuth: async function (body) {
        if (customerKey === ANONYMOUS) {
          throw new TossPaymentsError("INVALID_CUSTOMER_KEY", "자동결제에는 구매자의 customerKey가 필요합니다.");
        }
        return request("billing", body);
      },
      destroy: async function () {
        if (frame) {
          frame.remove();
        }
        busy = false;
      },
    };
  }

  // Back in the browser shows the page as it was: with an open window, and busy.
  addEventListener("pageshow", function (event) {
    if (event.persisted) {
      location.reload();
    }
  });

  function TossPayments(clientKey) {
    checkClientKey(clientKey);
    return { payment: (params) => payment(clientKey, params) };
  }
  TossPayments.ANONYMOUS = ANONYMOUS;
  window.TossPayments = TossPayments;
})();
