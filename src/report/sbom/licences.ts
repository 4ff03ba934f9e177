/**
 * Tells identifiers and expressions of SPDX from other words for licences: both formats of bills accept only known identifiers where
 * they expect one. `cyclonedx.ts` and `spdx.ts` call it.
 */
import { fixupSpdxId, isSupportedSpdxId } from '@cyclonedx/cyclonedx-library/SPDX';

/** A licence as a database wrote it, as far as it can be read. */
export type Licence =
  | { readonly kind: 'id'; readonly id: string }
  /** A valid expression (SPDX 2.3, annex D) of known identifiers. */
  | { readonly kind: 'expression'; readonly expression: string }
  | { readonly kind: 'name'; readonly name: string };

/** The longest text that is read as an expression. */
const longestExpression = 2000;
/** The deepest nesting of parentheses. */
const deepest = 50;

/** Reads the words for a licence. */
export function readLicence(text: string): Licence {
  const id = fixupSpdxId(text);
  // The library looks it up among the members of an object, which has more than identifiers.
  if (isSupportedSpdxId(id) && !isException(id)) return { kind: 'id', id };
  if (text.length <= longestExpression && new ExpressionReader(text).isExpression())
    return { kind: 'expression', expression: text };
  return { kind: 'name', name: text };
}

/** Returns whether an identifier is one of exceptions, which say nothing by themselves. */
function isException(id: string): boolean {
  return /-exception\b|^Linux-syscall-note$|^GPL-CC-|^SHL-/.test(id) && !id.includes('-with-');
}

const operators: ReadonlySet<string> = new Set(['AND', 'OR', 'WITH']);

/** Reads an expression by its grammar, one token after the other. */
class ExpressionReader {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = text.match(/[()]|[^\s()]+/g) ?? [];
  }

  isExpression(): boolean {
    return this.#compound(0) && this.#at === this.#tokens.length;
  }

  #compound(depth: number): boolean {
    do if (!this.#simple(depth)) return false;
    while (this.#take('AND') || this.#take('OR'));
    return true;
  }

  #simple(depth: number): boolean {
    if (this.#take('(')) return depth < deepest && this.#compound(depth + 1) && this.#take(')');
    const token = this.#tokens[this.#at];
    if (token === undefined || operators.has(token)) return false;
    const id = token.endsWith('+') ? token.slice(0, -1) : token;
    if (!isSupportedSpdxId(id) || isException(id)) return false;
    this.#at++;
    if (!this.#take('WITH')) return true;
    const exception = this.#tokens[this.#at++];
    return exception !== undefined && isSupportedSpdxId(exception) && isException(exception);
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at++;
    return true;
  }
}
