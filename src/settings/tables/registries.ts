/** The options that say how registries are reached. Credentials among them are secrets: they never become settings. */
import { defaultRetryTimes, defaultTimeoutMs } from '../../registry/options.ts';
import { parseMirrors } from '../../registry/mirrors.ts';
import { count, flag, list, secret, text } from '../option.ts';

export const registries = {
  /** The credentials for both sides. More exact ones replace them. */
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
  /** The file of credentials. Null: the usual places are searched, see docs/registries.md. */
  authfile: text({
    value: 'FILE',
    describe: "read credentials from a file like Docker's config.json",
    group: 'Registries',
  }),
  /** Whether plain HTTP and unverified certificates are accepted. */
  insecure: flag({ describe: 'allow plain HTTP and unverified TLS', group: 'Registries' }),
  /** Whether certificates are verified. */
  tlsVerify: flag({
    default: true,
    describe: 'check certificates (--no-tls-verify: do not)',
    group: 'Registries',
  }),
  /** The folder of certificates. Null: the certs.d folders of containers and Docker. */
  certDir: text({
    value: 'DIR',
    describe: 'read CAs and client certificates from here instead of certs.d',
    details: 'CAs are *.crt, client certificates *.cert with *.key.',
    group: 'Registries',
  }),
  /** The PKCS#12 file of a client certificate. Null: none. */
  clientP12: text({
    value: 'FILE',
    describe: 'use this client certificate (PKCS#12)',
    details: 'Its passphrase is in $OCISLIM_CLIENT_P12_PASSPHRASE, or in the file of the next option.',
    group: 'Registries',
  }),
  /** The file with the passphrase of that certificate. Null: the passphrase is a secret of the environment. */
  clientP12PassphraseFile: text({
    value: 'FILE',
    describe: 'read the passphrase of the client certificate from a file',
    group: 'Registries',
  }),
  /** Mirrors by the host whose images they hold, in the order of use. */
  mirror: list((texts) => Object.fromEntries(parseMirrors(texts)), {
    value: 'HOST=MIRROR',
    describe: 'read images of HOST from MIRROR[/PREFIX] if it has them (repeatable)',
    group: 'Registries',
  }),
  /** The number of attempts that follow a failed one. */
  retryTimes: count(0, {
    value: 'N',
    default: defaultRetryTimes,
    describe: 'retry a failed request up to N times',
    group: 'Registries',
  }),
  /** Seconds without progress after which a connection has failed. */
  timeout: count(1, {
    value: 'SECONDS',
    default: defaultTimeoutMs / 1000,
    describe: 'give up on a connection without progress after this time',
    group: 'Registries',
  }),
};
