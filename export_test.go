package tosspayments

// PaymentFields lets tests decode strictly, which the methods of Payment prevent.
type PaymentFields = paymentFields
