import { describe, expect, it } from 'vitest';
import { secretVariables } from '../../../src/rootfs/surface/secrets.ts';

const found = (name: string, value: string): boolean =>
  secretVariables(new Map([[name, value]])).includes(name);

describe('secretVariables', () => {
  it.each([
    ['DB_PASSWORD', 'hunter2'],
    ['MYSQL_ROOT_PASSWORD', '1234'],
    ['AWS_SECRET_ACCESS_KEY', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'],
    ['GITHUB_TOKEN', 'ghp_0123'],
    ['apiKey', 'k'],
    ['STRIPE_API_KEY', 'sk_live_1'],
    ['SSH_PRIVATE_KEY', '-----BEGIN OPENSSH PRIVATE KEY-----'],
    ['SECRET_KEY_BASE', 'abc'],
    ['SMTP_PASS', 'x y'],
    ['DB_PWD', 'x'],
    ['DATABASE_URL', 'postgres://app:hunter2@db/app'],
    ['REDIS', 'redis://:hunter2@cache:6379'],
    ['PGPASSWD', 'p'],
  ])('names %s=%s', (name, value) => expect(found(name, value)).toBe(true));

  it.each([
    ['PATH', '/usr/bin:/bin'],
    ['PWD', '/app'],
    ['GPG_KEY', 'A035C8C19219BA821ECEA86B64E628F8D684696D'],
    ['PYTHON_SHA256', 'abc'],
    ['DB_PASSWORD', ''],
    ['DB_PASSWORD', '  '],
    ['DB_PASSWORD', '/run/secrets/db'],
    ['DB_PASSWORD_FILE', 'secrets/db'],
    ['DB_PASSWORD', 'changeme'],
    ['DB_PASSWORD', '${DB_PASSWORD}'],
    ['DB_PASSWORD', '<password>'],
    ['ALLOW_EMPTY_PASSWORD', 'yes'],
    ['TOKEN_URL', 'https://login.example/token'],
    ['TOKEN_ENDPOINT', 'https://login.example/token'],
    ['TOKEN_TTL', '3600'],
    ['AWS_ACCESS_KEY_ID', 'AKIAIOSFODNN7EXAMPLE'],
    ['DATABASE_URL', 'postgres://app@db/app'],
    ['DATABASE_URL', 'postgres://app:${PASSWORD}@db/app'],
    ['BYPASS', '1'],
    ['COMPASS', 'north'],
  ])('does not name %s=%s', (name, value) => expect(found(name, value)).toBe(false));

  it('gives names only, sorted', () => {
    const environment = new Map([
      ['Z_TOKEN', 'v1'],
      ['LANG', 'C'],
      ['A_SECRET', 'v2'],
    ]);
    expect(secretVariables(environment)).toEqual(['A_SECRET', 'Z_TOKEN']);
  });
});
