// payment(): the window for one method, and the registration of cards and accounts.

function payment(clientKey, params) {
  const customerKey = checkKeys(clientKey, params, "individual");
  const request = requests(clientKey, customerKey);
  return {
    requestPayment: (body) => request.make({ kind: "payment", request: body }),
    requestBillingAuth: (body) => request.make({ kind: "billing", request: body }),
    async destroy() {
      if (!request.abort("PAYMENT_REQUEST_ABORTED")) {
        throw fail("NO_ACTIVE_PAYMENT_REQUEST");
      }
    },
  };
}
