/** Names of variables that hold secrets. */
const secret =
  /passwo?r?d|passphrase|secret|token|credential|(?:api|access|private|encryption|signing|auth)_?key|(?:^|_)(?:pass|pwd|pw)$/i;
/** Ends of such names whose values are about a secret, but do not contain it. */
const about =
  /_(?:file|path|dir|directory|name|id|url|uri|host|port|user|username|type|ttl|timeout|length|size|expiry|expires|expires_in|lifetime|algorithm|header|enabled|version|sha256|sha512)$/i;
/** Values that are no secrets: empty, a path, a switch, a reference to another variable, a placeholder. */
const harmless =
  /^(?:|(?:~|\.{1,2})?\/[\w./-]*|true|false|yes|no|on|off|none|null|0|1|\$.*|<.*>|\{\{.*\}\}|\*+|x{3,}|change_?-?me|replace_?-?me|placeholder|your[-_ ].*)$/i;
/** A URL with a password (RFC 3986, 3.2.1). */
const authority = /^[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:[^\s/@]+@/i;

/**
 * Returns the names of variables that seem to hold secrets, sorted: by their name, unless the value is obviously something else, or
 * by a value that is a URL with a password. Values never leave this function.
 */
export function secretVariables(environment: ReadonlyMap<string, string>): string[] {
  return [...environment].flatMap(([name, value]) => (looksSecret(name, value.trim()) ? [name] : [])).sort();
}

function looksSecret(name: string, value: string): boolean {
  if (authority.test(value)) return !/:\/\/[^/:@]*:(?:\$|<|\{\{)/.test(value);
  return secret.test(name) && !about.test(name) && !harmless.test(value) && !/^[a-z]+:\/\//i.test(value);
}
