/** Functions of the C library that look up names, by the database of nsswitch.conf(5) that they ask. */
export const lookups = {
  passwd: family('getpwnam', 'getpwuid', 'getpwent'),
  group: [...family('getgrnam', 'getgrgid', 'getgrent'), 'getgrouplist', 'initgroups'],
  shadow: family('getspnam', 'getspent'),
  hosts: [
    ...family('gethostbyname', 'gethostbyname2', 'gethostbyaddr', 'gethostent'),
    'getaddrinfo',
    'getnameinfo',
  ],
  services: [...family('getservbyname', 'getservbyport', 'getservent'), 'getaddrinfo'],
  protocols: family('getprotobyname', 'getprotobynumber', 'getprotoent'),
  networks: family('getnetbyname', 'getnetbyaddr'),
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Functions with their reentrant forms, whose names end in `_r`. */
function family(...stems: readonly string[]): readonly string[] {
  return stems.flatMap((stem) => [stem, `${stem}_r`]);
}
