// brandpay(): the wallet under the shop's own name. Its windows are always over the page.

function brandpay(clientKey, params) {
  const customerKey = checkKeys(clientKey, params, "individual");
  const request = requests(clientKey, customerKey);
  const call = (operation) => (body) =>
    request.make({ kind: "brandpay", operation, redirectUrl: params.redirectUrl ?? null, request: body ?? {} }, "iframe");
  return {
    requestPayment: call("requestPayment"),
    addPaymentMethod: call("addPaymentMethod"),
    changePassword: call("changePassword"),
    openSettings: call("openSettings"),
    changeOneTouchPay: call("changeOneTouchPay"),
    isOneTouchPayEnabled: call("isOneTouchPayEnabled"),
    requestBillingAuth: call("requestBillingAuth"),
  };
}
