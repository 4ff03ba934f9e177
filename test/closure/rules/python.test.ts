import { describe, expect, it } from 'vitest';
import { pythonRule } from '../../../src/closure/rules/python.ts';
import { directory, elf, symlink, text } from '../rig.ts';
import { saysOf, stays } from './stays.ts';

const site = 'usr/local/lib/python3.12/site-packages';
const stdlib = 'usr/local/lib/python3.12';

describe('python', () => {
  it('keeps the source of a compiled module, but not the compiled module of a source', async () => {
    const image = {
      'app/web/__pycache__/views.cpython-312.pyc': 'x',
      'app/web/__pycache__/models.cpython-312.opt-1.pyc': 'x',
      'app/web/__pycache__/other.cpython-312.pyc': 'x',
      'app/web/views.py': 'x',
      'app/web/models.py': 'x',
      'app/web/other.py': 'x',
    };
    const want = [
      'app/web/__pycache__/models.cpython-312.opt-1.pyc',
      'app/web/__pycache__/views.cpython-312.pyc',
    ];
    expect(await stays(pythonRule, image, { want })).toEqual([
      ...want,
      'app/web/models.py',
      'app/web/views.py',
    ]);
    expect(await stays(pythonRule, image, { want: ['app/web/other.py'] })).toEqual(['app/web/other.py']);
  });

  it('keeps the source of a compiled module that only the traced container had', async () => {
    const image = { 'app/hello.py': 'x', 'app/other.py': 'x' };
    const trace = { 'app/__pycache__/hello.cpython-312.pyc': 'open' };
    expect(await stays(pythonRule, image, { trace })).toEqual(['app/hello.py']);
  });

  it('keeps every package above a module', async () => {
    const image = {
      'app/a/__init__.py': '',
      'app/a/b/__init__.py': '',
      'app/a/b/c.py': '',
      'app/a/b/d.py': '',
      'app/__init__.py': '',
      [`${site}/namespace/inner/__init__.py`]: '',
      [`${site}/namespace/inner/ext.cpython-312-x86_64-linux-gnu.so`]: elf(),
      [`${site}/__init__.py`]: 'no package',
    };
    expect(await stays(pythonRule, image, { want: ['app/a/b/c.py'] })).toEqual([
      'app/__init__.py',
      'app/a/__init__.py',
      'app/a/b/__init__.py',
      'app/a/b/c.py',
    ]);
    const extension = `${site}/namespace/inner/ext.cpython-312-x86_64-linux-gnu.so`;
    expect(await stays(pythonRule, image, { want: [extension] })).toEqual([
      `${site}/namespace/inner/__init__.py`,
      extension,
    ]);
  });

  it('keeps a module without source as it is', async () => {
    expect(await stays(pythonRule, { 'app/a.pyc': 'x', 'app/b.pyc': 'x' }, { want: ['app/a.pyc'] })).toEqual([
      'app/a.pyc',
    ]);
  });

  describe('metadata of distributions', () => {
    const image = {
      [`${site}/flask/__init__.py`]: '',
      [`${site}/flask/app.py`]: '',
      [`${site}/Flask-3.0.0.dist-info/METADATA`]: 'x',
      [`${site}/Flask-3.0.0.dist-info/RECORD`]:
        'flask/__init__.py,sha256=x,1\nflask/app.py,,\n../../../bin/flask,,\n',
      [`${site}/Flask-3.0.0.dist-info/entry_points.txt`]: 'x',
      [`${site}/Flask-3.0.0.dist-info/licenses/LICENSE`]: 'x',
      [`${site}/yaml/__init__.py`]: '',
      [`${site}/_yaml/__init__.py`]: '',
      [`${site}/PyYAML-6.0.dist-info/METADATA`]: 'x',
      [`${site}/PyYAML-6.0.dist-info/top_level.txt`]: '_yaml\nyaml\n',
      [`${site}/six.py`]: '',
      [`${site}/six-1.16.egg-info`]: 'single',
      [`${site}/typing_extensions.py`]: '',
      [`${site}/typing_extensions-4.0.dist-info/METADATA`]: 'x',
      [`${site}/unused-1.0.dist-info/METADATA`]: 'x',
    };

    it('keeps the dist-info without which programs fail with DistributionNotFound', async () => {
      expect(await stays(pythonRule, image, { want: [`${site}/flask/app.py`] })).toEqual([
        `${site}/Flask-3.0.0.dist-info/METADATA`,
        `${site}/Flask-3.0.0.dist-info/RECORD`,
        `${site}/Flask-3.0.0.dist-info/entry_points.txt`,
        `${site}/flask/__init__.py`,
        `${site}/flask/app.py`,
      ]);
    });

    it('are found by top_level.txt, by their name, and as a single file', async () => {
      expect(await stays(pythonRule, image, { want: [`${site}/yaml/__init__.py`] })).toEqual([
        `${site}/PyYAML-6.0.dist-info/METADATA`,
        `${site}/PyYAML-6.0.dist-info/top_level.txt`,
        `${site}/yaml/__init__.py`,
      ]);
      expect(await stays(pythonRule, image, { want: [`${site}/typing_extensions.py`] })).toEqual([
        `${site}/typing_extensions-4.0.dist-info/METADATA`,
        `${site}/typing_extensions.py`,
      ]);
      expect(await stays(pythonRule, image, { want: [`${site}/six.py`] })).toEqual([
        `${site}/six-1.16.egg-info`,
        `${site}/six.py`,
      ]);
    });

    it('do not stay for a distribution of which no file stays', async () => {
      const kept = await stays(pythonRule, image, { want: [`${site}/flask/app.py`, `${site}/six.py`] });
      expect(kept.filter((path) => /unused|PyYAML|typing/.test(path))).toEqual([]);
    });

    it('are found for a compiled extension beside them, and for data of a package', async () => {
      const more = {
        [`${site}/_cffi_backend.cpython-312-x86_64-linux-gnu.so`]: elf(),
        [`${site}/cffi-1.0.dist-info/RECORD`]:
          '_cffi_backend.cpython-312-x86_64-linux-gnu.so,,\ncffi/api.py,,\n',
        [`${site}/cffi/data.json`]: '{}',
      };
      for (const want of [`${site}/_cffi_backend.cpython-312-x86_64-linux-gnu.so`, `${site}/cffi/data.json`])
        expect(await stays(pythonRule, more, { want: [want] })).toEqual(
          [`${site}/cffi-1.0.dist-info/RECORD`, want].sort(),
        );
    });
  });

  it('keeps the modules that a .pth file imports (reported as missing)', async () => {
    const image = {
      [`${site}/used.py`]: '',
      [`${site}/distutils-precedence.pth`]:
        "import os; enabled = os.environ.get('X', 'local') == 'local'; enabled and __import__('_distutils_hack').add_shim()\n",
      [`${site}/_distutils_hack/__init__.py`]: '',
      [`${site}/_distutils_hack/override.py`]: '',
      [`${site}/zope-nspkg.pth`]: 'import sys, types, nspkg_helper\n',
      [`${site}/nspkg_helper.py`]: '',
      [`${site}/unused.py`]: '',
      'opt/elsewhere.pth': 'import unused',
    };
    expect(await stays(pythonRule, image, { want: [`${site}/used.py`] })).toEqual([
      `${site}/_distutils_hack/__init__.py`,
      `${site}/distutils-precedence.pth`,
      `${site}/nspkg_helper.py`,
      `${site}/used.py`,
      `${site}/zope-nspkg.pth`,
    ]);
  });

  describe('the interpreter', () => {
    const image = {
      'usr/local/bin/python3.12': elf(),
      'usr/local/bin/python3': symlink('python3.12'),
      'usr/local/bin/python': symlink('python3'),
      'usr/local/bin/other': elf(),
      [`${stdlib}/os.py`]: '',
      [`${stdlib}/site.py`]: '',
      [`${stdlib}/codecs.py`]: '',
      [`${stdlib}/socket.py`]: '',
      [`${stdlib}/stringprep.py`]: '',
      [`${stdlib}/sysconfig.py`]: '',
      [`${stdlib}/_sysconfigdata__linux_x86_64-linux-gnu.py`]: '',
      [`${stdlib}/zipfile/__init__.py`]: '',
      [`${stdlib}/zipfile/_path/__init__.py`]: '',
      [`${stdlib}/turtle.py`]: '',
      [`${stdlib}/encodings/__init__.py`]: '',
      [`${stdlib}/encodings/aliases.py`]: '',
      [`${stdlib}/encodings/utf_8.py`]: '',
      [`${stdlib}/encodings/idna.py`]: '',
      [`${stdlib}/encodings/cp437.py`]: '',
      [`${stdlib}/encodings/big5.py`]: '',
      [`${stdlib}/lib-dynload/unicodedata.cpython-312-x86_64-linux-gnu.so`]: elf(),
      [`${stdlib}/lib-dynload/_lzma.cpython-312-x86_64-linux-gnu.so`]: elf(),
    };

    it('needs its first modules, under all its names', async () => {
      expect(await stays(pythonRule, image, { want: ['usr/local/bin/python3.12'] })).toEqual([
        'usr/local/bin/python',
        'usr/local/bin/python3',
        'usr/local/bin/python3.12',
        `${stdlib}/codecs.py`,
        `${stdlib}/encodings/__init__.py`,
        `${stdlib}/encodings/aliases.py`,
        `${stdlib}/encodings/utf_8.py`,
        `${stdlib}/os.py`,
        `${stdlib}/site.py`,
      ]);
      expect(await stays(pythonRule, image, { want: ['usr/local/bin/other'] })).toEqual([
        'usr/local/bin/other',
      ]);
    });

    it.each([
      [
        'socket.py',
        [
          'encodings/__init__.py',
          'encodings/idna.py',
          'lib-dynload/unicodedata.cpython-312-x86_64-linux-gnu.so',
          'socket.py',
          'stringprep.py',
        ],
      ],
      ['zipfile/__init__.py', ['encodings/__init__.py', 'encodings/cp437.py', 'zipfile/__init__.py']],
      ['sysconfig.py', ['_sysconfigdata__linux_x86_64-linux-gnu.py', 'sysconfig.py']],
      ['turtle.py', ['turtle.py']],
    ])('keeps the modules that %s loads by a computed name', async (module, kept) => {
      expect(await stays(pythonRule, image, { want: [`${stdlib}/${module}`] })).toEqual(
        kept.map((path) => `${stdlib}/${path}`),
      );
    });

    it('keeps them for the compiled file of a module too', async () => {
      const compiled = { ...image, [`${stdlib}/__pycache__/sysconfig.cpython-312.pyc`]: 'x' };
      expect(
        await saysOf(pythonRule, compiled, `${stdlib}/_sysconfigdata__linux_x86_64-linux-gnu.py`, {
          want: [`${stdlib}/__pycache__/sysconfig.cpython-312.pyc`],
        }),
      ).toContain('python: found by name by');
    });
  });

  it('follows a virtual environment to its Python', async () => {
    const image = {
      'venv/bin/python': symlink('/usr/local/bin/python3'),
      'venv/bin/pip': 'x',
      'venv/pyvenv.cfg': text(
        'home = /usr/local/bin\nversion = 3.12\nexecutable = /usr/local/bin/python3.12\n',
      ),
      'venv/lib64': symlink('lib'),
      'venv/lib/python3.12/site-packages/a.py': '',
      'usr/local/bin/python3': symlink('python3.12'),
      'usr/local/bin/python3.12': elf(),
      'usr/local/bin/idle3': '',
      'usr/local/lib/python3.12/lib-dynload/': directory(),
    };
    expect(await stays(pythonRule, image, { want: ['venv/bin/python'] })).toEqual([
      'usr/local/bin/python3',
      'usr/local/bin/python3.12',
      'venv/bin/python',
      'venv/lib64',
      'venv/pyvenv.cfg',
    ]);
  });
});
