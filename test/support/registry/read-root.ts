import { createCertificates } from '../../../src/registry/tls/certificates.ts';
import { openRegistrySource } from '../../../src/registry/source.ts';
import { never, refer, setup } from './setup.ts';

// Reads the manifest of an image in a process whose environment names the trusted CAs, and prints its type, or the
// error.
const { env } = process;
const certificates = createCertificates({
  certDir: null,
  clientP12: null,
  passphrase: null,
  passphraseFile: null,
  env,
  home: env['HOME'] ?? '/nonexistent',
});
const source = openRegistrySource(refer(`${process.argv[2]}/app:v1`), setup({ certificates }).options);
const answer = await source.root(never).then(
  ({ descriptor }) => ({ mediaType: descriptor.mediaType }),
  (error: unknown) => ({ error: String(error) }),
);
await source.close();
process.stdout.write(JSON.stringify(answer));
