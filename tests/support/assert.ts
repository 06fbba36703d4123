/**
 * The names of `@std/assert` that the tests use, over `node:assert/strict`, for machines that reach npm but
 * not JSR. The line for `@std/assert` in deno.json may be swapped for `jsr:@std/assert@1`.
 */
import assert_ from "node:assert/strict";

/** Fails unless `condition` is truthy. */
export function assert(condition: unknown, message?: string): asserts condition {
  assert_.ok(condition, message ?? `expected a truthy value, got ${condition}`);
}

/** Fails unless both are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  explained(() => assert_.deepStrictEqual(actual, expected), message);
}

/** Fails if both are deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void {
  explained(() => assert_.notDeepStrictEqual(actual, expected), message);
}

/** Fails unless both are the same value by `Object.is`. */
export function assertStrictEquals<T>(actual: unknown, expected: T, message?: string): asserts actual is T {
  explained(() => assert_.strictEqual(actual, expected), message);
}

/** Fails unless `actual` holds `expected`. */
export function assertStringIncludes(actual: string, expected: string, message?: string): void {
  assert_.ok(
    actual.includes(expected),
    message ?? `expected ${JSON.stringify(actual)} to include ${JSON.stringify(expected)}`,
  );
}

/** Fails unless `actual` matches `expected`. */
export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  explained(() => assert_.match(actual, expected), message);
}

// deno-lint-ignore no-explicit-any -- the constructor's arguments do not matter, as in @std/assert
type ErrorClass<E extends Error> = new (...args: any[]) => E;

/** Fails unless `fn` throws an `ErrorClass` whose message holds `messageIncludes`; returns the error. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  errorClass: ErrorClass<E>,
  messageIncludes = "",
): E {
  try {
    fn();
  } catch (error) {
    return checkedError(error, errorClass, messageIncludes);
  }
  throw new assert_.AssertionError({ message: `expected a ${errorClass.name} to be thrown` });
}

/** Fails unless the promise of `fn` rejects with an `ErrorClass` whose message holds `messageIncludes`. */
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClass: ErrorClass<E>,
  messageIncludes = "",
): Promise<E> {
  try {
    await fn();
  } catch (error) {
    return checkedError(error, errorClass, messageIncludes);
  }
  throw new assert_.AssertionError({ message: `expected a rejection with ${errorClass.name}` });
}

/** Puts `message` before what the assertion itself says, which would otherwise be lost. */
function explained(assertion: () => void, message: string | undefined): void {
  try {
    assertion();
  } catch (error) {
    if (error instanceof Error && message !== undefined) error.message = `${message}: ${error.message}`;
    throw error;
  }
}

function checkedError<E extends Error>(
  error: unknown,
  errorClass: ErrorClass<E>,
  messageIncludes: string,
): E {
  assert_.ok(error instanceof errorClass, `expected ${errorClass.name}, got ${error}`);
  assertStringIncludes(error.message, messageIncludes);
  return error;
}
