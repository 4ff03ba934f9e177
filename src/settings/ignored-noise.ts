import { OcislimError } from '../errors.ts';

/** Reads what `verify` leaves out: nothing but noise. @throws USAGE for any other word */
export function readIgnoredNoise(texts: readonly string[], where: string): readonly 'noise'[] {
  return texts.map((text) => {
    if (text === 'noise') return text;
    throw new OcislimError('USAGE', `${where} takes noise, not ${JSON.stringify(text)}`, {
      advice:
        'What else may differ is told by --except and --removed-by. "ocislim diff --ignore" knows more aspects.',
    });
  });
}
