/** The options that say how registries are reached. Credentials among them are secrets: they never become settings. */
import type { Mirror } from '../../registry/mirrors.ts';
import { defaultRetryTimes, defaultTimeoutMs } from '../../registry/options.ts';
import { count, flag, list, secret, text } from '../option.ts';

export const registries = {
  creds: secret({
    value: 'USER:PASSWORD',
    describe: 'set the credentials for both sides',
    group: 'Registries',
  }),
  srcCreds: secret({
    value: 'USER:PASSWORD',
    describe: 'set the credentials for the source',
    group: 'Registries',
  }),
  destCreds: secret({
    value: 'USER:PASSWORD',
    describe: 'set the credentials for the destination',
    group: 'Registries',
  }),
  authfile: text({
    value: 'FILE',
    describe: "read credentials from a file like Docker's config.json",
    group: 'Registries',
  }),
  insecure: flag({ describe: 'allow plain HTTP and unverified TLS', group: 'Registries' }),
  tlsVerify: flag({
    default: true,
    describe: 'check certificates (--no-tls-verify: do not)',
    group: 'Registries',
  }),
  certDir: text({
    value: 'DIR',
    describe: 'read CAs and client certificates from here instead of certs.d',
    details: 'CAs are *.crt, client certificates *.cert with *.key.',
    group: 'Registries',
  }),
  clientP12: text({
    value: 'FILE',
    describe: 'use this client certificate (PKCS#12)',
    details: 'Its passphrase is in $OCISLIM_CLIENT_P12_PASSPHRASE, or in the file of the next option.',
    group: 'Registries',
  }),
  clientP12PassphraseFile: text({
    value: 'FILE',
    describe: 'read the passphrase of the client certificate from a file',
    group: 'Registries',
  }),
  mirror: list(readMirrors, {
    value: 'HOST=MIRROR',
    describe: 'read images of HOST from MIRROR[/PREFIX] if it has them (repeatable)',
    group: 'Registries',
  }),
  retryTimes: count(0, {
    value: 'N',
    default: defaultRetryTimes,
    describe: 'retry a failed request up to N times',
    group: 'Registries',
  }),
  timeout: count(1, {
    value: 'SECONDS',
    default: defaultTimeoutMs / 1000,
    describe: 'give up on a connection without progress after this time',
    group: 'Registries',
  }),
};

/** Loads what reads mirrors only where some are given. */
async function readMirrors(texts: readonly string[]): Promise<Readonly<Record<string, readonly Mirror[]>>> {
  if (texts.length === 0) return {};
  const { parseMirrors } = await import('../../registry/mirrors.ts');
  return Object.fromEntries(parseMirrors(texts));
}
