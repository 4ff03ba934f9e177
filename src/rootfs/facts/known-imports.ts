import { lookups } from './lookups.ts';

/**
 * Functions whose import says that a file opens others at run time which no header names: plug-ins, databases, certificates,
 * locales. A scan records which of these a file imports; those who use a scan choose from them.
 */
export const knownImports: ReadonlySet<string> = new Set([
  ...Object.values(lookups).flat(),
  ...`
    dlopen dlmopen lt_dlopen lt_dlopenext g_module_open iconv_open setlocale newlocale bindtextdomain
    getpwnam getpwnam_r getpwuid getpwuid_r getpwent getspnam getspnam_r getgrnam getgrnam_r getgrgid
    getgrgid_r getgrent getgrouplist initgroups getaddrinfo getnameinfo gethostbyname gethostbyname2
    gethostbyname_r gethostbyaddr getservbyname getservbyport getprotobyname res_init res_query
    __res_init tzset localtime localtime_r mktime __localtime64 __localtime64_r __mktime64
    pthread_cancel pthread_exit backtrace OPENSSL_init_ssl OPENSSL_init_crypto OSSL_PROVIDER_load
    ENGINE_by_id SSL_CTX_new SSL_library_init OPENSSL_add_all_algorithms_noconf gnutls_global_init
    gnutls_init SSL_CTX_set_default_verify_paths X509_STORE_set_default_paths NSS_Initialize
    NSS_NoDB_Init pam_start sasl_client_init sasl_server_init krb5_init_context gss_init_sec_context
    gss_acquire_cred gss_accept_sec_context curl_global_init curl_easy_init ldap_initialize
    pam_start_confdir thrd_exit
  `
    .trim()
    .split(/\s+/),
]);
