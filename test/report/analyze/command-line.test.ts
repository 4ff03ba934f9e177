import { describe, expect, it } from 'vitest';
import { besideOf, combinedCommand, commandLine } from '../../../src/report/analyze/command-line.ts';
import { parseReference } from '../../../src/oci/reference.ts';

describe('a destination beside a source', () => {
  it.each([
    ['app', 'docker.io/library/app:slim'],
    ['app:1', 'app:1-slim'],
    ['registry.example:5000/team/app:1', 'registry.example:5000/team/app:1-slim'],
    [`registry.example/app@sha256:${'a'.repeat(64)}`, 'registry.example/app:slim'],
    [`registry.example/app:1@sha256:${'a'.repeat(64)}`, 'registry.example/app:1-slim'],
    ['oci:dir', 'oci:dir:slim'],
    ['oci:dir:1', 'oci:dir:1-slim'],
    ['docker-archive:app.tar', 'docker-archive:app-slim.tar'],
    ['docker-archive:app.tar:app:1', 'docker-archive:app-slim.tar'],
    ['oci-archive:/a b/app.tar:1', 'oci-archive:/a b/app-slim.tar'],
    ['docker-archive:-', 'docker-archive:image-slim.tar'],
  ])('of %s is %s', (source, beside) => {
    expect(besideOf(source)).toBe(beside);
    expect(() => parseReference(besideOf(source))).not.toThrow();
  });

  it('stands in the command before its options, quoted', () => {
    expect(commandLine(['prune', '--rule', 'a b/**'], 'oci:x y:1')).toBe(
      "ocislim prune 'oci:x y:1' 'oci:x y:1-slim' --rule 'a b/**'",
    );
  });
});

describe('the command for several findings', () => {
  const joined = (...commands: (readonly string[] | null)[]) =>
    combinedCommand(commands.map((command) => ({ command })));

  it('names every option once, and no layers', () => {
    const command = joined(
      ['prune', '--shadowed'],
      null,
      ['prune', '--preset', 'docs'],
      ['prune', '--preset', 'locales'],
      ['prune', '--rule', 'a/**', '--rule', 'b'],
      ['prune', '--rule', 'b'],
      ['prune', '--shadowed', '--dedupe-hardlink', '--layers', '3'],
      ['squash', '--all'],
    );
    expect(command?.join(' ')).toBe(
      'prune --shadowed --dedupe-hardlink --preset docs,locales --rule a/** --rule b',
    );
  });

  it('is left out where one command does all', () => {
    expect(joined(['prune', '--shadowed'], null, ['prune', '--shadowed'])).toBeNull();
    expect(joined()).toBeNull();
  });
});
