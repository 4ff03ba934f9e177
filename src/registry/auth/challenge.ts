/**
 * Challenges: what a registry's 401 says about how to log in. The client parses them; the authorizer answers them.
 */

/** One challenge of a `WWW-Authenticate` header (RFC 9110, 11.6.1). Scheme and parameter names are in lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const tokenPattern = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const token68Pattern = /[0-9A-Za-z._~+/-]+=*(?=\s*(?:,|$))/y;
const spacePattern = /[ \t]*/y;
const separatorPattern = /[ \t,]*/y;

/**
 * Parses every challenge of every header: several in one header, quoted commas, quoted pairs. Malformed text ends its header;
 * the challenges before it count.
 */
export function parseChallenges(headers: readonly string[]): readonly Challenge[] {
  return headers.flatMap((text) => new ChallengeReader(text).read());
}

/** A position in one header. */
class ChallengeReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): Challenge[] {
    const challenges: Challenge[] = [];
    let parameters: Map<string, string> | null = null;
    this.#take(separatorPattern);
    while (this.#at < this.#text.length) {
      const name = this.#take(tokenPattern);
      if (name === null) break;
      this.#take(spacePattern);
      if (this.#next === '=' && parameters !== null) {
        const value = this.#value();
        if (value === null) break;
        // The first of two parameters of one name wins: the second could only have been appended.
        if (!parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), value);
      } else {
        parameters = new Map();
        challenges.push({ scheme: name.toLowerCase(), parameters });
        // `Negotiate abc==` has one bare value, which no scheme that is supported uses.
        if (this.#next !== ',' && this.#next !== undefined) this.#take(token68Pattern);
      }
      this.#take(separatorPattern);
    }
    return challenges;
  }

  get #next(): string | undefined {
    return this.#text[this.#at];
  }

  /** Reads `=` and a value; null when it is malformed. */
  #value(): string | null {
    this.#at += 1;
    this.#take(spacePattern);
    return this.#next === '"' ? this.#quoted() : this.#take(tokenPattern);
  }

  #take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return null;
    this.#at = pattern.lastIndex;
    return match[0];
  }

  /** Reads a quoted string from its first quote on; null when its end is missing. */
  #quoted(): string | null {
    let value = '';
    for (this.#at += 1; this.#at < this.#text.length; this.#at += 1) {
      const character = this.#text[this.#at];
      if (character === '"') {
        this.#at += 1;
        return value;
      }
      if (character === '\\') this.#at += 1;
      value += this.#text[this.#at] ?? '';
    }
    return null;
  }
}
