/**
 * The room `registry`: registries as sources and targets, with logins, certificates, proxies, retries, uploads and mirrors. It
 * knows requests and bytes, and nothing of what is in layers; this file is what programs outside may use.
 */
export { anonymous, type Credential, type CredentialLookup } from './auth/credential.ts';
export { createCredentialLookup, type CredentialOptions } from './auth/credentials.ts';
export { Secret } from './auth/secret.ts';
export { RegistryClients } from './clients.ts';
export { createProxyLookup, type Proxy, proxyFor, type ProxyLookup } from './http/proxy.ts';
export type { RegistryOptions } from './lease.ts';
export type { MirrorOptions } from './mirrored-source.ts';
export { type Mirror, type Mirrors, parseMirrors } from './mirrors.ts';
export { type CertificateOptions, type Certificates, createCertificates } from './tls/certificates.ts';
