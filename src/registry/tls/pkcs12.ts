/**
 * PKCS#12 files: a client certificate and its key under a passphrase. The certificates of a run open one that the options name.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { OcislimError } from '../../errors.ts';
import { Secret } from '../auth/secret.ts';

/** A client certificate, in the form that Node's TLS takes. */
export type ClientCertificate =
  | { readonly kind: 'pem'; readonly cert: string; readonly key: Secret }
  | { readonly kind: 'pfx'; readonly pfx: Uint8Array; readonly passphrase: Secret };

/**
 * Opens a PKCS#12 file (RFC 7292). Node does, unless the encryption is one that OpenSSL 3 has dropped (RC2, as older Windows,
 * macOS and Java write it). `file` names it in messages. @throws IO for a wrong passphrase or a malformed file
 */
export async function openPkcs12(
  bytes: Uint8Array,
  passphrase: Secret | null,
  file: string,
): Promise<ClientCertificate> {
  const given = passphrase ?? new Secret('');
  try {
    createSecureContext({ pfx: Buffer.from(bytes), passphrase: given.reveal() });
    return { kind: 'pfx', pfx: bytes, passphrase: given };
  } catch (cause) {
    const { message, code } = cause as NodeJS.ErrnoException;
    if (/mac verify|bad decrypt/i.test(message)) throw wrongPassphrase(file, passphrase, cause);
    if (code !== 'ERR_CRYPTO_UNSUPPORTED_OPERATION' && !/unsupported/i.test(message))
      throw new OcislimError(
        'IO',
        `${file} is not a PKCS#12 file (.p12, .pfx) that can be read: ${message}`,
        {
          cause,
        },
      );
  }
  return openOld(bytes, given.reveal(), file);
}

function wrongPassphrase(file: string, passphrase: Secret | null, cause: unknown): OcislimError {
  const sentence = passphrase === null ? 'needs a passphrase' : 'does not open with the passphrase given';
  return new OcislimError('IO', `${file} ${sentence}`, {
    cause,
    advice:
      'Put the passphrase in OCISLIM_CLIENT_P12_PASSPHRASE, or in a file named by --client-p12-passphrase-file.',
  });
}

async function openOld(bytes: Uint8Array, passphrase: string, file: string): Promise<ClientCertificate> {
  const { default: forge } = await import('node-forge');
  const { oids } = forge.pki;
  try {
    const asn1 = forge.asn1.fromDer(forge.util.createBuffer(Buffer.from(bytes).toString('binary')));
    const p12 = forge.pkcs12.pkcs12FromAsn1(asn1, false, passphrase);
    const bags = (type: string | undefined) =>
      type === undefined ? [] : (p12.getBags({ bagType: type })[type] ?? []);
    const keyBag = [...bags(oids['pkcs8ShroudedKeyBag']), ...bags(oids['keyBag'])][0];
    // The structure is there for keys and certificates of every kind, the parsed form for RSA's alone.
    const key =
      keyBag?.key != null
        ? forge.pki.privateKeyToPem(keyBag.key)
        : keyBag?.asn1 == null
          ? null
          : forge.pki.privateKeyInfoToPem(keyBag.asn1);
    const chain = bags(oids['certBag']).flatMap(({ cert, asn1: raw }) => {
      const structure = cert == null ? raw : forge.pki.certificateToAsn1(cert);
      if (structure == null) return [];
      const body = forge.asn1.toDer(structure).getBytes();
      return [forge.pem.encode({ type: 'CERTIFICATE', body })];
    });
    if (key === null || chain.length === 0)
      throw new OcislimError('IO', `${file} does not hold both a certificate and its key`);
    const secret = createPrivateKey(key);
    const own = chain.find((each) => new X509Certificate(each).checkPrivateKey(secret));
    if (own === undefined) throw new OcislimError('IO', `${file} holds no certificate that fits its key`);
    return {
      kind: 'pem',
      cert: [own, ...chain.filter((each) => each !== own)].join(''),
      key: new Secret(key),
    };
  } catch (cause) {
    if (cause instanceof OcislimError) throw cause;
    throw new OcislimError('IO', `${file} cannot be opened: ${(cause as Error).message}`, {
      cause,
      advice: 'Convert it: openssl pkcs12 -legacy -in OLD.p12 -nodes | openssl pkcs12 -export -out NEW.p12.',
    });
  }
}
