import { OcislimError } from '../errors.ts';

/** A private key as text. */
export interface GivenKey {
  readonly pem: string;
  /** Null where none was given. */
  readonly passphrase: string | null;
  /** What names it in messages: "--sign-key cosign.key". */
  readonly where: string;
}

/** Says how a key is made that can be used. */
export const keyAdvice =
  'Make one with "cosign generate-key-pair", or with "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256".';

const passphraseAdvice = 'Put the passphrase into OCISLIM_SIGN_KEY_PASSPHRASE or COSIGN_PASSWORD.';

/** Makes the error of a key that needs a passphrase, where none was given. */
export function lockedKey(where: string): OcislimError {
  return new OcislimError('USAGE', `${where} is encrypted, and no passphrase was given`, {
    advice: passphraseAdvice,
  });
}

/** Makes the error of a key that does not open. */
export function wrongPassphrase(where: string, cause: unknown): OcislimError {
  return new OcislimError('USAGE', `${where} does not open with the passphrase given`, {
    cause,
    advice: passphraseAdvice,
  });
}
