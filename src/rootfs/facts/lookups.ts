/** Functions of the C library that look names up, by the database that they ask (nsswitch.conf(5)). */
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

/** Each is there twice, the second for several threads. */
function family(...stems: readonly string[]): readonly string[] {
  return stems.flatMap((stem) => [stem, `${stem}_r`]);
}
