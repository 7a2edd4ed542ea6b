// What all scripts share: where the server is, who its users are, and how a script fails.

import { isDeepStrictEqual, inspect } from "node:util";

export const URL = process.env.UMBEL_URL;
export const EXCHANGE = `${URL}/EWS/Exchange.asmx`;

// Alice's telephone answers after a moment; bob's is busy, and his extension is this.
export const BUSY = process.env.UMBEL_BUSY_NUMBER;
// Wrong passwords are given for carol, so that nobody who is needed gets locked out.
// No rule allows to call it.
export const OUTSIDE = "+15555550199";
// As long as an id of a call, and nobody's.
export const UNKNOWN_CALL = "0".repeat(32);

// How long a telephone may take to do what it does, in milliseconds.
const PATIENCE = 90_000;

export const address = (user) => `${user}@${process.env.UMBEL_DOMAIN}`;
export const password = (user) => `${user}-password`;

// Ends the script unless both are the same.
export function equal(actual, expected, what) {
  if (!isDeepStrictEqual(actual, expected)) {
    throw new Error(`${what}: ${inspect(actual)} instead of ${inspect(expected)}`);
  }
  console.log(`  ${what}: ${inspect(actual)}`);
}

// Asks again until the answer is the expected one.
export async function eventually(expected, what, ask) {
  const heard = [];
  const end = Date.now() + PATIENCE;
  for (;;) {
    const answer = await ask();
    if (!isDeepStrictEqual(heard.at(-1), answer)) heard.push(answer);
    if (isDeepStrictEqual(answer, expected)) {
      console.log(`  ${what}: ${inspect(heard)}`);
      return;
    }
    if (Date.now() > end) throw new Error(`${what}: ${inspect(heard)}, and never ${inspect(expected)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

// What the promise is rejected with; that it is fulfilled ends the script.
export async function rejection(what, promise) {
  let answer;
  try {
    answer = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`${what}: ${inspect(answer)} instead of an error`);
}
