import { describe, expect, it } from 'vitest';
import { javaRule } from '../../../src/closure/rules/java.ts';
import { elf, symlink } from '../rig.ts';
import { saysOf, stays } from './stays.ts';

const home = 'usr/lib/jvm/java-17-openjdk-amd64';
const image = {
  'usr/bin/java': symlink('/etc/alternatives/java'),
  'etc/alternatives/java': symlink(`/${home}/bin/java`),
  [`${home}/bin/java`]: elf(),
  [`${home}/bin/keytool`]: elf(),
  [`${home}/conf/security/java.security`]: symlink('/etc/java-17-openjdk/security/java.security'),
  'etc/java-17-openjdk/security/java.security': 'x',
  'etc/java-17-openjdk/unlinked.properties': 'x',
  [`${home}/lib/modules`]: 'x',
  [`${home}/lib/jvm.cfg`]: symlink('/etc/java-17-openjdk/jvm-amd64.cfg'),
  'etc/java-17-openjdk/jvm-amd64.cfg': 'x',
  [`${home}/lib/libzip.so`]: elf(),
  [`${home}/lib/libjava.so`]: elf(),
  [`${home}/lib/libinstrument.so`]: elf(),
  [`${home}/lib/libawt_xawt.so`]: elf(),
  [`${home}/lib/jspawnhelper`]: elf(),
  [`${home}/lib/ct.sym`]: 'x',
  [`${home}/lib/src.zip`]: 'x',
  [`${home}/lib/server/libjvm.so`]: elf(),
  [`${home}/lib/server/classes_nocoops.jsa`]: 'x',
  [`${home}/lib/security/cacerts`]: symlink('/etc/ssl/certs/java/cacerts'),
  'etc/ssl/certs/java/cacerts': 'x',
  [`${home}/legal/java.base/LICENSE`]: 'x',
  [`${home}/release`]: 'x',
  'app/app.jar': 'x',
  'app/lib/a.jar': 'x',
  'app/lib/b.jar': 'x',
  'app/lib/readme.txt': 'x',
};
const unneeded = /keytool|unlinked|xawt|ct\.sym|src\.zip|nocoops|legal|^app/;
const runtime = Object.keys(image)
  .filter((path) => !unneeded.test(path))
  .sort();

describe('java', () => {
  it('keeps libzip.so, libjava.so and libinstrument.so (reported as missing)', async () => {
    expect(await stays(javaRule, image, { want: ['usr/bin/java'] })).toEqual(runtime);
    expect(await saysOf(javaRule, image, `${home}/lib/libzip.so`, { want: ['usr/bin/java'] })).toBe(
      `java: a part of the Java runtime of /${home}/bin/java`,
    );
  });

  it('finds the runtime by its virtual machine alone, for programs with their own launcher', async () => {
    expect(await stays(javaRule, image, { want: [`${home}/lib/server/libjvm.so`] })).toEqual(
      runtime.filter((path) => !/bin\/java$|alternatives/.test(path)),
    );
  });

  it('keeps jsse.jar of Java 8 (reported as missing)', async () => {
    const eight = 'opt/java/jre/lib';
    const old = {
      'opt/java/jre/bin/java': elf(),
      [`${eight}/rt.jar`]: 'x',
      [`${eight}/jsse.jar`]: 'x',
      [`${eight}/ext/sunec.jar`]: 'x',
      [`${eight}/security/cacerts`]: 'x',
      [`${eight}/amd64/libzip.so`]: elf(),
      [`${eight}/amd64/server/libjvm.so`]: elf(),
      'opt/java/lib/tools.jar': 'x',
      'opt/java/src.zip': 'x',
    };
    for (const want of ['opt/java/jre/bin/java', `${eight}/amd64/server/libjvm.so`]) {
      const kept = await stays(javaRule, old, { want: [want] });
      expect(kept).toEqual(
        Object.keys(old)
          .filter((path) => !/tools|src/.test(path) && (path !== 'opt/java/jre/bin/java' || want === path))
          .sort(),
      );
    }
  });

  it('keeps nothing for files that only look like Java', async () => {
    expect(await stays(javaRule, { ...image, 'opt/bin/java': elf() }, { want: ['opt/bin/java'] })).toEqual([
      'opt/bin/java',
    ]);
  });

  it.each([
    [
      ['java', '-cp', '/app/lib/*', 'Main'],
      ['app/lib/a.jar', 'app/lib/b.jar'],
    ],
    [['java', '-jar', '/app/app.jar'], ['app/app.jar']],
    [
      ['/bin/sh', '-c', 'exec java -javaagent:/app/lib/a.jar=x -jar /app/app.jar'],
      ['app/app.jar', 'app/lib/a.jar'],
    ],
    [['java', 'Main'], []],
  ])('keeps the archives that %j names', async (command, kept) => {
    expect(await stays(javaRule, image, { command })).toEqual(kept);
  });

  it('keeps all archives of a class path with *, and of a directory that was listed', async () => {
    expect(await stays(javaRule, image, { environment: { CLASSPATH: '/app/app.jar:/app/lib/*' } })).toEqual([
      'app/app.jar',
      'app/lib/a.jar',
      'app/lib/b.jar',
    ]);
    expect(await stays(javaRule, image, { trace: { 'app/lib': 'list' } })).toEqual([
      'app/lib/a.jar',
      'app/lib/b.jar',
    ]);
    expect(await stays(javaRule, image, { trace: { 'app/lib': 'stat' } })).toEqual([]);
  });
});
