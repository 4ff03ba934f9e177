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
 * Reads every challenge of every header: several in one header, quoted commas, quoted pairs. What cannot be read ends
 * that header; what came before it counts.
 */
export function parseChallenges(headers: readonly string[]): readonly Challenge[] {
  return headers.flatMap(parseHeader);
}

function parseHeader(text: string): Challenge[] {
  const challenges: Challenge[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) return null;
    at = pattern.lastIndex;
    return match[0];
  };
  const quoted = (): string | null => {
    let value = '';
    for (at += 1; at < text.length; at += 1) {
      const character = text[at];
      if (character === '"') {
        at += 1;
        return value;
      }
      if (character === '\\') at += 1;
      value += text[at] ?? '';
    }
    return null;
  };
  let parameters: Map<string, string> | null = null;
  take(separatorPattern);
  while (at < text.length) {
    const name = take(tokenPattern);
    if (name === null) break;
    take(spacePattern);
    if (text[at] === '=' && parameters !== null) {
      at += 1;
      take(spacePattern);
      const value = text[at] === '"' ? quoted() : take(tokenPattern);
      if (value === null) break;
      // The first of two parameters of one name wins: a second could only have been appended.
      if (!parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), value);
    } else {
      parameters = new Map();
      challenges.push({ scheme: name.toLowerCase(), parameters });
      // `Negotiate abc==` has one bare value, which no scheme that we know uses.
      if (text[at] !== ',' && text[at] !== undefined) take(token68Pattern);
    }
    take(separatorPattern);
  }
  return challenges;
}
