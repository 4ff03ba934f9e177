/**
 * Credentials and passphrases, beside the settings: each process that runs a job brings its own. They cannot be serialised, so
 * that no job description, report or log carries them by mistake.
 */
import { inspect } from 'node:util';
import { OcislimError } from '../errors.ts';

/** `creds`, `srcCreds` and `destCreds` are `USER:PASSWORD`. */
export type SecretName = 'creds' | 'srcCreds' | 'destCreds' | 'clientP12Passphrase' | 'signKeyPassphrase';

/** Credentials by name. Private fields keep them out of JSON, logs and structured clones. */
export class Secrets {
  readonly #values: Readonly<Partial<Record<SecretName, string | null>>>;

  constructor(values: Readonly<Partial<Record<SecretName, string | null>>> = {}) {
    this.#values = values;
  }

  /** Returns a secret in plain text; null where it was not given. */
  reveal(name: SecretName): string | null {
    return this.#values[name] ?? null;
  }

  /** @throws INTERNAL always: secrets must not be written anywhere */
  toJSON(): never {
    throw new OcislimError('INTERNAL', 'secrets cannot be serialised');
  }

  [inspect.custom](): string {
    return 'Secrets {}';
  }
}
