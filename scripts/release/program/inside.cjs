/**
 * Starts ocislim inside of an executable, whose own `require` knows the modules of Node alone: the parts of the program are assets, and
 * are loaded from there when they are first needed. `executable.ts` puts it in.
 */
const { getRawAsset } = require('node:sea');
const { compileFunction } = require('node:vm');

/** The parts that were loaded, by their names. */
const loaded = new Map();

function load(name) {
  const known = loaded.get(name);
  if (known !== undefined) return known.exports;
  const part = { exports: {} };
  loaded.set(name, part);
  // All parts are ASCII, which needs no decoding.
  const code = Buffer.from(getRawAsset(name)).latin1Slice();
  const run = compileFunction(code, ['exports', 'require', 'module', '__filename'], { filename: name });
  run.call(part.exports, part.exports, requireFrom, part, __filename);
  return part.exports;
}

function requireFrom(id) {
  return id.startsWith('./') ? load(id.slice(2)) : require(id);
}

// A helper process is started by the program itself (helper-process.ts).
const helpers = { 'gate-process': 'gate-process.cjs', 'unpack-process': 'unpack-process.cjs' };
load(helpers[process.env.OCISLIM_HELPER] ?? 'ocislim.cjs');
