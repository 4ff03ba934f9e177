/**
 * The rules for families of files that programs open at run time although no header names them. The first rule that names a file is
 * its reason. Static programs (Go, Rust) need none of these rules: their files are in the trace, and `identity` and `timezone` keep
 * the few files that every program may read.
 */
import type { ClosureRule } from '../rule.ts';
import { bundleRule, erlangRule } from './bundle.ts';
import { confDRule } from './conf-d.ts';
import { dlopenRule } from './dlopen.ts';
import { dotnetRule } from './dotnet.ts';
import { fontconfigRule } from './fontconfig.ts';
import { gccRuntimeRule } from './gcc-runtime.ts';
import { gconvRule } from './gconv.ts';
import { icuRule } from './icu.ts';
import { identityRule } from './identity.ts';
import { javaRule } from './java.ts';
import { krb5Rule } from './krb5.ts';
import { libraryDataRule } from './library-data.ts';
import { listedRule } from './listed.ts';
import { localeRule } from './locale.ts';
import { modulesRule } from './modules.ts';
import { nodeRule } from './node.ts';
import { nssRule } from './nss.ts';
import { opensslRule } from './openssl.ts';
import { packageScriptsRule } from './package-scripts.ts';
import { pamRule } from './pam.ts';
import { perlRule } from './perl.ts';
import { phpRule } from './php.ts';
import { pythonRule } from './python.ts';
import { rubyRule } from './ruby.ts';
import { saslRule } from './sasl.ts';
import { textRule } from './text.ts';
import { timezoneRule } from './timezone.ts';
import { tlsRule } from './tls.ts';
import { apacheRule, nginxRule } from './web-server.ts';

/** In the order in which they are asked. */
export const familyRules: readonly ClosureRule[] = [
  identityRule,
  nssRule,
  gccRuntimeRule,
  dlopenRule,
  tlsRule,
  opensslRule,
  timezoneRule,
  localeRule,
  gconvRule,
  pamRule,
  saslRule,
  krb5Rule,
  icuRule,
  fontconfigRule,
  libraryDataRule,
  bundleRule,
  erlangRule,
  pythonRule,
  nodeRule,
  javaRule,
  rubyRule,
  phpRule,
  perlRule,
  dotnetRule,
  modulesRule,
  nginxRule,
  apacheRule,
  packageScriptsRule,
  textRule,
  confDRule,
  listedRule,
];
