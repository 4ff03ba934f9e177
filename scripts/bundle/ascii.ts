/** Writes bundled files in ASCII, so that Node neither decodes them nor keeps them in two bytes for each character. */
import type { Plugin } from 'rolldown';

/** Replaces every other character by its escape: in code such characters stand in texts, patterns and comments only. */
export const ascii: Plugin = {
  name: 'ascii',
  generateBundle(_options, bundle) {
    for (const file of Object.values(bundle)) if (file.type === 'chunk') file.code = escaped(file.code);
  },
};

export function escaped(code: string): string {
  return code.replaceAll(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
