/**
 * Credentials and passphrases, beside the settings: whoever runs a job brings its own. They cannot be serialised, so that no
 * job description, report or log can carry them by mistake.
 */
import { inspect } from 'node:util';
import { OcislimError } from '../errors.ts';

/** `creds`, `srcCreds` and `destCreds` are `USER:PASSWORD`. */
export type SecretName = 'creds' | 'srcCreds' | 'destCreds' | 'clientP12Passphrase';

export class Secrets {
  readonly #values: Readonly<Partial<Record<SecretName, string | null>>>;

  constructor(values: Readonly<Partial<Record<SecretName, string | null>>> = {}) {
    this.#values = values;
  }

  /** The secret in plain text; null where there is none. */
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
