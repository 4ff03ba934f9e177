const secret =
  /passwo?r?d|passphrase|secret|token|credential|(?:api|access|private|encryption|signing|auth)_?key|(?:^|_)(?:pass|pwd|pw)$/i;
/** What such a name ends in where the value is about the secret, and not the secret. */
const about =
  /_(?:file|path|dir|directory|name|id|url|uri|host|port|user|username|type|ttl|timeout|length|size|expiry|expires|expires_in|lifetime|algorithm|header|enabled|version|sha256|sha512)$/i;
/** Nothing, a path, a switch, a reference to another variable, or words that stand for a value that is to come. */
const harmless =
  /^(?:|(?:~|\.{1,2})?\/[\w./-]*|true|false|yes|no|on|off|none|null|0|1|\$.*|<.*>|\{\{.*\}\}|\*+|x{3,}|change_?-?me|replace_?-?me|placeholder|your[-_ ].*)$/i;
/** A URL with a password in it. */
const authority = /^[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:[^\s/@]+@/i;

/**
 * The names of variables that seem to hold secrets: by their name, if the value is not obviously something else, or by a
 * value that is a URL with a password. Values never leave this function.
 */
export function secretVariables(environment: ReadonlyMap<string, string>): string[] {
  return [...environment].flatMap(([name, value]) => (looksSecret(name, value.trim()) ? [name] : [])).sort();
}

function looksSecret(name: string, value: string): boolean {
  if (authority.test(value)) return !/:\/\/[^/:@]*:(?:\$|<|\{\{)/.test(value);
  return secret.test(name) && !about.test(name) && !harmless.test(value) && !/^[a-z]+:\/\//i.test(value);
}
