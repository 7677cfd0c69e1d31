package probe

const transactionHeader = "X-Gravitee-Transaction-Id"
