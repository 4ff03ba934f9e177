import { inspect } from 'node:util';

/**
 * A password, token or passphrase. It is in no copy, log or report of the value that holds it: JSON, template literals,
 * `util.inspect` and `structuredClone` do not show it. Only `reveal` does, where it is sent.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** Returns the text, for the request or the program that it is meant for. */
  reveal(): string {
    return this.#value;
  }

  equals(other: Secret): boolean {
    return this.#value === other.#value;
  }

  toString(): string {
    return '***';
  }

  toJSON(): string {
    return '***';
  }

  [inspect.custom](): string {
    return 'Secret(***)';
  }
}
