/** The options of what is stated and signed about a result. Every rewriting command has them. */
import { OcislimError } from '../../errors.ts';
import { list, parsed, text } from '../option.ts';

export const attesting = {
  provenance: list(readProvenance, {
    value: 'FILE',
    bare: 'attach',
    describe: 'state how the result was made: beside it (attach), or in a file (repeatable)',
    details:
      'SLSA provenance of the result, and for each image how its files relate to those of its source. A file gets one statement a line, and with --sign-key one Sigstore bundle a line. See docs/provenance.md.',
    group: 'Attestations',
  }),
  signKey: text({
    value: 'KEY',
    describe: 'sign the result and its statements, as cosign does: a file, or env://VARIABLE',
    details:
      'A private key of cosign or of OpenSSL (PKCS#8). Its passphrase is in `$OCISLIM_SIGN_KEY_PASSPHRASE` or `$COSIGN_PASSWORD`.',
    group: 'Attestations',
  }),
  builderId: parsed(readBuilder, {
    value: 'URI',
    describe: 'name the builder in the provenance (default: ocislim)',
    details: 'A URI that your policy trusts, such as that of the pipeline.',
    group: 'Attestations',
  }),
};

/** Words that other tools take for this option. */
const buildx = /^(?:true|false|mode=.*|type=.*)$/;

function readProvenance(texts: readonly string[], where: string): readonly string[] {
  for (const given of texts) {
    if (given === '') throw new OcislimError('USAGE', `${where} is empty: it takes "attach" or a file`);
    if (given === '-')
      throw new OcislimError('USAGE', `${where} takes "attach" or a file, not standard output`, {
        advice: 'Standard output has the name of the result. Write a file, and read that.',
      });
    if (buildx.test(given))
      throw new OcislimError('USAGE', `${where} takes "attach" or a file, not ${JSON.stringify(given)}`, {
        advice: 'Write --provenance alone to attach it; leave it out for none.',
      });
  }
  return texts;
}

/** @throws USAGE for anything but an absolute URI */
function readBuilder(given: string, where: string): string {
  if (URL.canParse(given) && !/[\s"<>\\^`{|}]/.test(given)) return given;
  throw new OcislimError('USAGE', `${where} takes a URI, not ${JSON.stringify(given)}`, {
    advice: 'Write one such as https://ci.example/pipelines/7.',
  });
}
