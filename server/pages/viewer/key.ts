/** The name of one attempt: 128 random bits; `crypto.randomUUID` is missing on plain-HTTP addresses. */
export const newKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
